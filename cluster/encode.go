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

	"starling"
	"starling/birch"
)

// The binary form of a State, all integers little-endian, lengths as uvarint:
//
//	magic "STCL" | version byte | config JSON | documents | lastID
//	| number of clusters, then by rising id: id, micro, size, text, similarity,
//	  terms (number, then term, count, over)
//	| sketch: total, rows | tree: birch's own form | CRC-32C of all before
//
// Strings and the tree are preceded by their length.
const (
	encodingMagic   = "STCL"
	encodingVersion = 1
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
	b = slices.Grow(b, s.roughSize())
	b = append(b, encodingMagic...)
	b = append(b, encodingVersion)
	b = appendBytes(b, config)
	b = binary.AppendUvarint(b, uint64(s.documents))
	b = binary.AppendUvarint(b, uint64(s.lastID))
	b = binary.AppendUvarint(b, uint64(len(s.groups)))
	for _, id := range slices.Sorted(maps.Keys(s.groups)) {
		b = s.groups[id].appendBinary(b)
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
	for _, g := range s.groups {
		size += 32 + len(g.text.text)
		for _, t := range g.terms {
			size += 8 + len(t.term)
		}
	}
	return size
}

func (g *group) appendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(g.id))
	b = binary.AppendUvarint(b, uint64(g.micro))
	b = binary.AppendUvarint(b, uint64(g.size))
	b = appendBytes(b, []byte(g.text.text))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(g.text.similarity))
	b = binary.AppendUvarint(b, uint64(len(g.terms)))
	for _, t := range g.terms {
		b = appendBytes(b, []byte(t.term))
		b = binary.AppendUvarint(b, uint64(t.count))
		b = binary.AppendUvarint(b, uint64(t.over))
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

// ErrNewer says that an encoded state is of a later version than this build reads.
var ErrNewer = errors.New("made by a newer version of Starling")

// Decode reads a state from its binary form. It returns an error wrapping
// [ErrNewer] for a later version of the form; damage of any kind is an error.
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
	if version := b[len(encodingMagic)]; version != encodingVersion {
		return nil, fmt.Errorf("version %d, this build reads %d: %w", version, encodingVersion, ErrNewer)
	}
	body := b[:len(b)-crc32.Size]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, errors.New("the checksum does not match: damaged or cut short")
	}
	r := reader{rest: body[len(encodingMagic)+1:]}
	s := r.state()
	if r.err == nil && len(r.rest) > 0 {
		r.fail("bytes left over")
	}
	if r.err != nil {
		return nil, r.err
	}
	return s, s.check()
}

// check verifies what ties the parts of a state together.
func (s *State) check() error {
	if err := s.config.validate(); err != nil {
		return err
	}
	if len(s.owners) != len(s.groups) || len(s.groups) != s.tree.Len() {
		return fmt.Errorf("%d clusters for %d micro-clusters", len(s.groups), s.tree.Len())
	}
	var size int64
	for id, g := range s.groups {
		if _, ok := s.tree.Entry(g.micro); !ok || id == 0 || id > s.lastID {
			return fmt.Errorf("cluster %v has no place in the tree", id)
		}
		size += g.size
	}
	if size != s.documents {
		return fmt.Errorf("clusters of %d documents in all, %d documents", size, s.documents)
	}
	return nil
}

// A reader takes values off the front of an encoded state. After an error it
// returns zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
		r.rest = nil
	}
}

func (r *reader) state() *State {
	s := &State{
		groups: make(map[starling.ClusterID]*group),
		owners: make(map[birch.ID]starling.ClusterID),
		common: new(termSketch),
	}
	if config := r.bytes(); r.err == nil {
		if err := json.Unmarshal(config, &s.config); err != nil {
			r.fail("reading settings: %w", err)
		}
	}
	s.documents = r.count()
	s.lastID = starling.ClusterID(r.uvarint())
	for range r.length() {
		g := r.group()
		s.groups[g.id] = g
		s.owners[g.micro] = g.id
	}
	r.sketch(s.common)
	if tree := r.bytes(); r.err == nil {
		var err error
		if s.tree, err = birch.Decode(tree); err != nil {
			r.fail("%w", err)
		}
	}
	return s
}

func (r *reader) group() *group {
	g := &group{
		id:    starling.ClusterID(r.uvarint()),
		micro: birch.ID(r.uvarint()),
		size:  r.count(),
		text:  exemplar{text: string(r.bytes()), similarity: math.Float32frombits(r.uint32())},
	}
	n := r.length()
	if n > maxTerms {
		r.fail("cluster %v has %d terms", g.id, n)
		n = 0
	}
	for range n {
		term := string(r.bytes())
		g.terms = append(g.terms, termCount{term: term, hash: hashTerm(term), count: r.count(), over: r.count()})
	}
	return g
}

func (r *reader) sketch(s *termSketch) {
	s.total = r.count()
	for row := range s.rows {
		for cell := range s.rows[row] {
			s.rows[row][cell] = r.uint32()
		}
	}
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail("cut short")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) count() int64 {
	v := r.uvarint()
	if v > math.MaxInt64 {
		r.fail("a count of %d", v)
		return 0
	}
	return int64(v)
}

// length reads the number of things that follow, each of at least one byte.
func (r *reader) length() int {
	v := r.uvarint()
	if v > uint64(len(r.rest)) {
		r.fail("cut short")
		return 0
	}
	return int(v)
}

func (r *reader) bytes() []byte {
	n := r.length()
	data := r.rest[:n]
	r.rest = r.rest[n:]
	return data
}

func (r *reader) uint32() uint32 {
	if len(r.rest) < 4 {
		r.fail("cut short")
		return 0
	}
	v := binary.LittleEndian.Uint32(r.rest)
	r.rest = r.rest[4:]
	return v
}
