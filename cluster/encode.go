package cluster

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"slices"
	"time"
)

// The binary form of a State, all integers little-endian, lengths as uvarint:
//
//	magic "STCL" | version byte | config JSON | documents | lastID | next
//	| fadedAt | termAge | clock in nanoseconds since 1970, the zero time as the least integer
//	| expired | deleted
//	| edits | events of edits since the last document, as JSON
//	| calibration: mean, deviation
//	| vectors of the first documents while there are few: number, then values
//	| number of clusters, then by rising id: id, size, flags (1 faded, 2 pinned), name, number of micro-clusters,
//	  then by rising id: id, size, duplicates, text, similarity,
//	  terms (number, then term, count, over)
//	| sketch: total, rows | tree: birch's own form | CRC-32C of all before
//
// In version 3 the mean of a cluster's documents stood after its name.
//
// Strings and the tree are preceded by their length; vectors are not, they have
// the dimension of the configuration.
const (
	encodingMagic   = "STCL"
	encodingVersion = 4
	oldestEncoding  = 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendBinary appends the state's binary form to b. Equal states give equal
// bytes.
func (s *State) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	config, err := json.Marshal(s.config)
	if err != nil {
		return nil, fmt.Errorf("encoding clustering settings: %w", err)
	}
	pending, err := json.Marshal(s.pending)
	if err != nil {
		return nil, fmt.Errorf("encoding events: %w", err)
	}
	b = slices.Grow(b, s.roughSize())
	b = append(b, encodingMagic...)
	b = append(b, encodingVersion)
	b = appendBytes(b, config)
	b = binary.AppendUvarint(b, uint64(s.documents))
	b = binary.AppendUvarint(b, uint64(s.lastID))
	b = binary.AppendUvarint(b, uint64(s.next))
	b = binary.AppendUvarint(b, uint64(s.fadedAt))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.termAge))
	b = binary.LittleEndian.AppendUint64(b, uint64(nanoseconds(s.clock)))
	b = binary.AppendUvarint(b, uint64(s.expired))
	b = binary.AppendUvarint(b, uint64(s.deleted))
	b = binary.AppendUvarint(b, uint64(s.edits))
	b = appendBytes(b, pending)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.unrelated.Mean))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.unrelated.Deviation))
	b = binary.AppendUvarint(b, uint64(len(s.first)))
	for _, vector := range s.first {
		b = appendVector(b, vector)
	}
	b = binary.AppendUvarint(b, uint64(len(s.groups)))
	for _, g := range s.groups {
		b = g.appendBinary(b)
	}
	b = s.common.appendBinary(b)
	b = binary.AppendUvarint(b, uint64(s.tree.BinarySize()))
	if b, err = s.tree.AppendBinary(b); err != nil {
		return nil, fmt.Errorf("encoding the CF-tree: %w", err)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// roughSize is about the size of the binary form, mostly a little more, so that
// it is not moved about while it is being written.
func (s *State) roughSize() int {
	size := 1<<10 + 4*sketchDepth*sketchWidth + s.tree.BinarySize()
	size += 4*s.config.Dim*len(s.first) + 32*len(s.groups)
	for _, m := range s.micros {
		size += 32 + len(m.text.text)
		for _, t := range m.terms {
			size += 8 + len(t.text)
		}
	}
	return size
}

func (g *group) appendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(g.id))
	b = binary.AppendUvarint(b, uint64(g.size))
	b = append(b, g.flags())
	b = appendBytes(b, []byte(g.name))
	b = binary.AppendUvarint(b, uint64(len(g.micros)))
	for _, id := range slices.Sorted(maps.Keys(g.micros)) {
		b = g.micros[id].appendBinary(b)
	}
	return b
}

func (m *micro) appendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(m.id))
	b = binary.AppendUvarint(b, uint64(m.size))
	b = binary.AppendUvarint(b, uint64(m.duplicates))
	b = appendBytes(b, []byte(m.text.text))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(m.text.similarity))
	b = binary.AppendUvarint(b, uint64(len(m.terms)))
	for _, t := range m.terms {
		b = appendBytes(b, []byte(t.text))
		b = binary.AppendUvarint(b, uint64(t.count))
		b = binary.AppendUvarint(b, uint64(t.over))
	}
	return b
}

// The flags of a cluster in the binary form.
const (
	flagFaded = 1 << iota
	flagPinned
)

func (g *group) flags() (flags byte) {
	if g.faded {
		flags |= flagFaded
	}
	if g.pinned {
		flags |= flagPinned
	}
	return flags
}

// nanoseconds returns a time as an integer.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixNano()
}

func appendVector(b []byte, vector []float32) []byte {
	for _, x := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func (s *termSketch) appendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(s.total))
	for row := range s.rows {
		for _, n := range s.rows[row] {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	return b
}

func appendBytes(b, data []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(data))), data...)
}

// ErrOlder says that an encoded state is of a version that this build does not
// read any more; the documents it was made from give one that it does.
var ErrOlder = errors.New("made by an older version of Starling")

// ErrNewer says that an encoded state is of a later version than this build reads.
var ErrNewer = errors.New("made by a newer version of Starling")

// Decode reads a state from its binary form. It returns an error wrapping
// [ErrNewer] or [ErrOlder] for another version of the form; damage of any kind is
// an error.
func Decode(b []byte) (*State, error) {
	s, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("decoding clustering state: %w", err)
	}
	return s, nil
}

func decode(b []byte) (*State, error) {
	const frame = len(encodingMagic) + 1 + crc32.Size
	if len(b) < frame || string(b[:len(encodingMagic)]) != encodingMagic {
		return nil, errors.New("not a clustering state")
	}
	version := b[len(encodingMagic)]
	if version < oldestEncoding || version > encodingVersion {
		reason := ErrNewer
		if version < encodingVersion {
			reason = ErrOlder
		}
		return nil, fmt.Errorf("version %d, this build reads %d to %d: %w", version, oldestEncoding, encodingVersion, reason)
	}
	body := b[:len(b)-crc32.Size]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, errors.New("the checksum does not match: damaged or cut short")
	}
	r := reader{version: version, rest: body[len(encodingMagic)+1:]}
	s := r.state()
	if r.err == nil && len(r.rest) > 0 {
		r.fail("bytes left over")
	}
	if r.err != nil {
		return nil, r.err
	}
	return s, s.check()
}
