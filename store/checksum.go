package store

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli is the polynomial of CRC-32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A sumBuilder computes the CRC-32C of a row: its values one after the other,
// integers as eight little-endian bytes, strings and blobs behind their length.
type sumBuilder struct{ crc uint32 }

func (b *sumBuilder) int(v int64) {
	var buffer [8]byte
	binary.LittleEndian.PutUint64(buffer[:], uint64(v))
	b.crc = crc32.Update(b.crc, castagnoli, buffer[:])
}

func (b *sumBuilder) bytes(data []byte) {
	b.int(int64(len(data)))
	b.crc = crc32.Update(b.crc, castagnoli, data)
}

func (b *sumBuilder) string(s string) { b.bytes([]byte(s)) }

func (b *sumBuilder) sum() uint32 { return b.crc }

// sumOf is the checksum of a row with one blob.
func sumOf(data []byte) uint32 {
	var b sumBuilder
	b.bytes(data)
	return b.sum()
}
