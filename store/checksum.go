package store

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli is the polynomial of CRC-32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A sumBuilder computes the CRC-32C of a row: its values one after the other,
// integers as eight little-endian bytes, strings and blobs behind their length,
// and what may be null behind 1, or 0 where it is.
type sumBuilder struct{ row []byte }

func (b *sumBuilder) int(v int64) { b.row = binary.LittleEndian.AppendUint64(b.row, uint64(v)) }

func (b *sumBuilder) string(s string) {
	b.int(int64(len(s)))
	b.row = append(b.row, s...)
}

func (b *sumBuilder) bytes(data []byte) {
	b.int(int64(len(data)))
	b.row = append(b.row, data...)
}

func (b *sumBuilder) optionalInt(v *int64) {
	if v == nil {
		b.int(0)
		return
	}
	b.int(1)
	b.int(*v)
}

func (b *sumBuilder) optionalString(s *string) {
	if s == nil {
		b.int(0)
		return
	}
	b.int(1)
	b.string(*s)
}

func (b *sumBuilder) sum() uint32 { return crc32.Checksum(b.row, castagnoli) }

// sumOf is the CRC-32C of a blob behind the key of its row, eight little-endian
// bytes.
func sumOf(key int64, data []byte) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(key))
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, data)
}
