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

// The binary forms of a Shard and of a Merger, in the notation of encode.go; a list is
// preceded by its length:
//
//	magic "STSH" | version byte | config JSON | number | shards | documents | reported | sampled
//	| first vectors | unsaid, by rising id: id, documents, sum of vectors
//	| new micro-clusters | joined: from, into | sample vectors | tree | CRC-32C of all before
//
//	magic "STME" | version byte | config JSON | shards | number | documents | lastID | next
//	| calibrated byte | calibration: mean, deviation | sample vectors
//	| clusters as in a State, each followed by its mean | features: id, told, mean
//	| joined, by rising id: from, into | CRC-32C of all before
const (
	shardMagic    = "STSH"
	mergerMagic   = "STME"
	mergerVersion = 1
)

// AppendBinary appends the shard's binary form to b. Equal shards give equal bytes.
func (s *Shard) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b, err := appendHead(b, shardMagic, s.config)
	if err != nil {
		return nil, err
	}
	for _, n := range []int64{int64(s.number), int64(s.shards), s.documents, s.reported, int64(s.sampled)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = appendVectors(b, s.first)
	b = binary.AppendUvarint(b, uint64(len(s.unsaid)))
	for _, id := range slices.Sorted(maps.Keys(s.unsaid)) {
		f := s.unsaid[id]
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(id)), uint64(f.N))
		b = appendVector(b, f.Mean)
	}
	b = binary.AppendUvarint(b, uint64(len(s.fresh)))
	for _, id := range s.fresh {
		b = binary.AppendUvarint(b, uint64(id))
	}
	b = binary.AppendUvarint(b, uint64(len(s.joined)))
	for _, j := range s.joined {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(j.From)), uint64(j.Into))
	}
	b = appendVectors(b, s.sample)
	b = binary.AppendUvarint(b, uint64(s.tree.BinarySize()))
	if b, err = s.tree.AppendBinary(b); err != nil {
		return nil, fmt.Errorf("encoding the CF-tree: %w", err)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// AppendBinary appends the merger's binary form to b. Equal mergers give equal bytes.
func (m *Merger) AppendBinary(b []byte) ([]byte, error) {
	start, s := len(b), m.clusters
	b, err := appendHead(b, mergerMagic, s.config)
	if err != nil {
		return nil, err
	}
	for _, n := range []int64{int64(m.shards), m.number, s.documents, int64(s.lastID), s.next} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	calibrated := byte(0)
	if m.calibrated {
		calibrated = 1
	}
	b = append(b, calibrated)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.unrelated.Mean))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.unrelated.Deviation))
	b = appendVectors(b, m.sample)
	b = binary.AppendUvarint(b, uint64(len(s.groups)))
	for _, g := range s.groups {
		b = appendVector(g.appendBinary(b), m.means[g])
	}
	b = binary.AppendUvarint(b, uint64(len(m.features)))
	for _, f := range m.features {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(f.micro.id)), uint64(f.told))
		b = appendVector(b, f.mean)
	}
	b = binary.AppendUvarint(b, uint64(len(m.joined)))
	for _, from := range slices.Sorted(maps.Keys(m.joined)) {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(from)), uint64(m.joined[from]))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

func appendHead(b []byte, magic string, config Config) ([]byte, error) {
	settings, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("encoding clustering settings: %w", err)
	}
	return appendBytes(append(append(b, magic...), mergerVersion), settings), nil
}

func appendVectors(b []byte, vectors [][]float32) []byte {
	b = binary.AppendUvarint(b, uint64(len(vectors)))
	for _, v := range vectors {
		b = appendVector(b, v)
	}
	return b
}

// DecodeShard reads a shard from its binary form; damage of any kind is an error.
func DecodeShard(b []byte) (*Shard, error) {
	r, config, err := openForm(b, shardMagic)
	if err != nil {
		return nil, fmt.Errorf("decoding a shard: %w", err)
	}
	s := r.shard(config)
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("decoding a shard: %w", err)
	}
	return s, nil
}

// DecodeMerger reads a merger from its binary form; damage of any kind is an error.
func DecodeMerger(b []byte) (*Merger, error) {
	r, config, err := openForm(b, mergerMagic)
	if err != nil {
		return nil, fmt.Errorf("decoding a merger: %w", err)
	}
	m := r.merger(config)
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("decoding a merger: %w", err)
	}
	return m, nil
}

// openForm checks the frame of a binary form and returns a reader of what follows the
// settings.
func openForm(b []byte, magic string) (*reader, Config, error) {
	var config Config
	frame := len(magic) + 1
	if len(b) < frame+crc32.Size || string(b[:len(magic)]) != magic {
		return nil, config, errors.New("it is something else")
	}
	if version := b[len(magic)]; version != mergerVersion {
		return nil, config, fmt.Errorf("version %d, this build reads %d", version, mergerVersion)
	}
	body := b[:len(b)-crc32.Size]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, config, errors.New("the checksum does not match: damaged or cut short")
	}
	r := &reader{rest: body[frame:]}
	settings := r.bytes()
	if r.err != nil {
		return nil, config, r.err
	}
	if err := json.Unmarshal(settings, &config); err != nil {
		return nil, config, fmt.Errorf("reading settings: %w", err)
	}
	config, err := shardConfig(config)
	return r, config, err
}

func (r *reader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("bytes left over")
	}
	return r.err
}

func (r *reader) vectors(dim int) (vectors [][]float32) {
	for range r.length() {
		vectors = append(vectors, r.vector(dim))
	}
	return vectors
}

func (r *reader) shard(config Config) *Shard {
	s := &Shard{config: config, unsaid: make(map[birch.ID]*Feature)}
	s.number, s.shards, s.documents = int(r.count()), int(r.count()), r.count()
	s.reported, s.sampled = r.count(), int(r.count())
	if s.number < 0 || s.number >= s.shards {
		r.fail("shard %d of %d", s.number, s.shards)
		return s
	}
	s.first = r.vectors(config.Dim)
	for range r.length() {
		id := birch.ID(r.uvarint())
		s.unsaid[id] = &Feature{Micro: s.global(id), N: r.count(), Mean: r.vector(config.Dim)}
	}
	for range r.length() {
		s.fresh = append(s.fresh, birch.ID(r.uvarint()))
	}
	s.joined = r.joinings()
	s.sample = r.vectors(config.Dim)
	if tree := r.bytes(); r.err == nil {
		var err error
		if s.tree, err = birch.Decode(tree); err != nil {
			r.fail("%w", err)
		} else if s.tree.Config().Dim != config.Dim {
			r.fail("%d dimensions, the tree has %d", config.Dim, s.tree.Config().Dim)
		}
	}
	for _, id := range s.fresh {
		if s.unsaid[id] == nil {
			r.fail("micro-cluster %d is new and has no documents", id)
		}
	}
	return s
}

func (r *reader) joinings() (all []Joining) {
	for range r.length() {
		all = append(all, Joining{From: starling.MicroID(r.uvarint()), Into: starling.MicroID(r.uvarint())})
	}
	return all
}

func (r *reader) merger(config Config) *Merger {
	s := &State{config: config, micros: make(map[birch.ID]*micro), common: new(termSketch)}
	m := &Merger{clusters: s, byMicro: make(map[birch.ID]*feature), means: make(map[*group][]float32), joined: make(map[birch.ID]birch.ID)}
	m.shards, m.number, s.documents = int(r.count()), r.count(), r.count()
	s.lastID, s.next = starling.ClusterID(r.uvarint()), r.count()
	m.calibrated = r.byte() == 1
	if s.unrelated = (Calibration{Mean: r.float64(), Deviation: r.float64()}); !s.unrelated.valid() {
		r.fail("a calibration of %v", s.unrelated)
	}
	m.sample = r.vectors(config.Dim)
	var last starling.ClusterID
	for range r.length() {
		g := r.group(s)
		if g.id <= last || g.id > s.lastID || len(g.micros) == 0 {
			r.fail("cluster %v is empty or out of place", g.id)
		}
		last = g.id
		s.groups, m.means[g] = append(s.groups, g), r.vector(config.Dim)
	}
	for range r.length() {
		r.feature(m)
	}
	if len(m.byMicro) != len(s.micros) {
		r.fail("%d features of %d micro-clusters", len(m.byMicro), len(s.micros))
	}
	for range r.length() {
		m.joined[birch.ID(r.uvarint())] = birch.ID(r.uvarint())
	}
	for id := range m.joined {
		r.checkEnd(m, id)
	}
	return m
}

// checkEnd checks that what a micro-cluster became part of does not lead in a circle.
func (r *reader) checkEnd(m *Merger, id birch.ID) {
	for range len(m.joined) + 1 {
		into, ok := m.joined[id]
		if !ok {
			return
		}
		id = into
	}
	r.fail("micro-cluster %d is part of itself", id)
}

func (r *reader) feature(m *Merger) {
	id := birch.ID(r.uvarint())
	f := &feature{micro: m.clusters.micros[id], told: starling.ClusterID(r.uvarint()), mean: r.vector(m.clusters.config.Dim)}
	if f.micro == nil || m.byMicro[id] != nil {
		r.fail("a feature of micro-cluster %d, which is in no cluster or has two", id)
		return
	}
	m.features = append(m.features, f)
	m.byMicro[id] = f
}
