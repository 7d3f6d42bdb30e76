package cluster

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"starling"
	"starling/birch"
)

// check verifies what ties the parts of a state together.
func (s *State) check() error {
	if err := s.config.validate(); err != nil {
		return err
	}
	if len(s.micros) != s.tree.Len() {
		return fmt.Errorf("%d micro-clusters, the tree has %d", len(s.micros), s.tree.Len())
	}
	if s.config.Dim != s.tree.Config().Dim {
		return fmt.Errorf("%d dimensions, the tree has %d", s.config.Dim, s.tree.Config().Dim)
	}
	var size int64
	var last starling.ClusterID
	for _, g := range s.groups {
		if g.id <= last || g.id > s.lastID || len(g.micros) == 0 {
			return fmt.Errorf("cluster %v is empty or out of place", g.id)
		}
		last = g.id
		size += g.size
	}
	for id, m := range s.micros {
		if _, ok := s.tree.Entry(id); !ok || m.size < 1 {
			return fmt.Errorf("micro-cluster %d is not in the tree", id)
		}
	}
	if size+s.expired+s.deleted != s.documents {
		return fmt.Errorf("clusters of %d documents, expired ones of %d and %d deleted, not of %d in all", size, s.expired, s.deleted, s.documents)
	}
	most := s.documents
	if most >= calibrationDocuments {
		most = 0
	}
	if first := int64(len(s.first)); first > most || first < most-s.deleted {
		return fmt.Errorf("the vectors of %d documents, not of the first ones", first)
	}
	if !s.unrelated.valid() {
		return fmt.Errorf("a calibration of %v", s.unrelated)
	}
	return nil
}

// A reader takes values off the front of an encoded state. After an error it
// returns zeros.
type reader struct {
	version byte
	rest    []byte
	err     error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
		r.rest = nil
	}
}

func (r *reader) state() *State {
	s := &State{micros: make(map[birch.ID]*micro), common: new(termSketch)}
	if config := r.bytes(); r.err == nil {
		if err := json.Unmarshal(config, &s.config); err != nil {
			r.fail("reading settings: %w", err)
		}
	}
	s.documents = r.count()
	s.lastID = starling.ClusterID(r.uvarint())
	s.next = r.count()
	s.fadedAt = r.count()
	if s.termAge = r.float64(); !(s.termAge >= 0 && s.termAge < 1) {
		r.fail("terms %v half-lives old", s.termAge)
	}
	if n := int64(r.uint64()); n != math.MinInt64 {
		s.clock = time.Unix(0, n).UTC()
	}
	s.expired = r.count()
	s.deleted = r.count()
	s.edits = r.count()
	if pending := r.bytes(); r.err == nil {
		if err := json.Unmarshal(pending, &s.pending); err != nil {
			r.fail("reading events: %w", err)
		}
	}
	s.unrelated = Calibration{Mean: r.float64(), Deviation: r.float64()}
	for range r.length() {
		s.first = append(s.first, r.vector(s.config.Dim))
	}
	for range r.length() {
		s.groups = append(s.groups, r.group(s))
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

func (r *reader) group(s *State) *group {
	g := &group{
		id:     starling.ClusterID(r.uvarint()),
		micros: make(map[birch.ID]*micro),
	}
	size := r.count()
	flags := r.byte()
	g.faded, g.pinned = flags&flagFaded != 0, flags&flagPinned != 0
	g.name = string(r.bytes())
	if err := checkName(g.name); err != nil {
		r.fail("%w", err)
	}
	if r.version == 3 {
		r.vector(s.config.Dim) // its mean, which follows from the tree
	}
	for range r.length() {
		m := r.micro()
		g.add(m)
		s.micros[m.id] = m
	}
	if size < g.size {
		r.fail("cluster %v of %d documents has micro-clusters of %d", g.id, size, g.size)
	}
	g.size = size
	return g
}

func (r *reader) micro() *micro {
	m := &micro{
		id:         birch.ID(r.uvarint()),
		size:       r.count(),
		duplicates: r.count(),
		text:       exemplar{text: string(r.bytes()), similarity: math.Float32frombits(r.uint32())},
	}
	n := r.length()
	if n > maxTerms {
		r.fail("micro-cluster %v has %d terms", m.id, n)
		n = 0
	}
	for range n {
		m.terms = append(m.terms, termCount{Term: newTerm(string(r.bytes())), count: r.count(), over: r.count()})
	}
	return m
}

// vector reads the values of a vector, all of them finite.
func (r *reader) vector(dim int) []float32 {
	if dim < 0 || dim > len(r.rest)/4 {
		r.fail("cut short")
		return nil
	}
	vector := make([]float32, dim)
	for i := range vector {
		vector[i] = math.Float32frombits(r.uint32())
		if x := float64(vector[i]); x-x != 0 {
			r.fail("a vector with %v", x)
			return nil
		}
	}
	return vector
}

func (r *reader) float64() float64 { return math.Float64frombits(r.uint64()) }

func (r *reader) uint64() uint64 {
	if len(r.rest) < 8 {
		r.fail("cut short")
		return 0
	}
	v := binary.LittleEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return v
}

func (r *reader) byte() byte {
	if len(r.rest) < 1 {
		r.fail("cut short")
		return 0
	}
	v := r.rest[0]
	r.rest = r.rest[1:]
	return v
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
