package server

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"starling"
	"starling/store"
)

// maxPoints is how many documents are on the map: all of a small stream, and of a
// large one every second, fourth and so on of the older half.
const maxPoints = 100_000

// A point is a document on the map: a place on the disc of its micro-cluster.
type point struct {
	seq   int64
	micro starling.MicroID
	// time is in milliseconds since 1970, 0 for none.
	time int64
	// x and y are shares of the disc's radius.
	x, y, similarity float32
}

// A scatter finds the places of documents on their discs. How far from the middle is
// by rank of dissimilarity, so that discs are evenly filled; in which direction, by the
// projection of the embedding, less the mean of those before, on a fixed random plane.
type scatter struct {
	plane [2][]float32
	means map[starling.MicroID]*planeMean
	// similarities counts documents by similarity.
	similarities [256]float64
	counted      float64
}

type planeMean struct {
	x, y, n float64
}

func newScatter() *scatter { return &scatter{means: make(map[starling.MicroID]*planeMean)} }

func (s *scatter) place(micro starling.MicroID, vector []float32, similarity float32) (x, y float32) {
	px, py := s.project(vector)
	mean := s.means[micro]
	if mean == nil {
		mean = new(planeMean)
		s.means[micro] = mean
	}
	dx, dy := px-mean.x, py-mean.y
	mean.n++
	mean.x += dx / mean.n
	mean.y += dy / mean.n
	radius := math.Sqrt(s.rank(similarity))
	length := math.Hypot(dx, dy)
	if mean.n == 1 || length < 1e-9 {
		return 0, 0
	}
	return float32(radius * dx / length), float32(radius * dy / length)
}

// rank returns the share of documents that are more similar.
func (s *scatter) rank(similarity float32) float64 {
	bin := min(255, max(0, int(similarity*255)))
	s.similarities[bin]++
	s.counted++
	above := s.similarities[bin] / 2
	for _, n := range s.similarities[bin+1:] {
		above += n
	}
	return above / s.counted
}

func (s *scatter) project(vector []float32) (x, y float64) {
	for s.plane[0] == nil || len(s.plane[0]) != len(vector) {
		s.plane = randomPlane(len(vector))
	}
	for i, v := range vector {
		if v != 0 {
			x += float64(s.plane[0][i] * v)
			y += float64(s.plane[1][i] * v)
		}
	}
	return x, y
}

// randomPlane returns two directions of random signs (Achlioptas 2003), always the
// same.
func randomPlane(dim int) (plane [2][]float32) {
	state := uint64(0x9e3779b97f4a7c15)
	for axis := range plane {
		plane[axis] = make([]float32, dim)
		for i := range plane[axis] {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
			plane[axis][i] = float32(int(state>>40&1)*2 - 1)
		}
	}
	return plane
}

func (s *scatter) join(from, to starling.MicroID) {
	if s.means[to] == nil {
		s.means[to] = s.means[from]
	}
	delete(s.means, from)
}

func (s *scatter) point(r store.Record) point {
	p := point{seq: r.Seq, micro: r.Micro, similarity: r.Similarity}
	if !r.Time.IsZero() {
		p.time = r.Time.UnixMilli()
	}
	p.x, p.y = s.place(r.Micro, r.Embedding, r.Similarity)
	return p
}

// thin drops every second point of the older half.
func thin(points []point) []point {
	kept := points[:0]
	for i, p := range points {
		if i >= len(points)/2 || i%2 == 0 {
			kept = append(kept, p)
		}
	}
	return kept
}

// mergePoints adds older points to newer ones.
func mergePoints(points, older []point) []point {
	points = append(points, older...)
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.seq, b.seq) })
	points = slices.CompactFunc(points, func(a, b point) bool { return a.seq == b.seq })
	for len(points) > maxPoints {
		points = thin(points)
	}
	return points
}

// pointBytes is the size of a point on the wire: seq and micro-cluster as uint32, the
// time in milliseconds as a float64, x and y as int16 of 1/32767, the similarity as
// uint16 of 1/65535, and two bytes of nothing; all little-endian. Numbers above 32 bits
// are cut to them.
const pointBytes = 24

func appendPoint(b []byte, p point) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(p.seq))
	b = binary.LittleEndian.AppendUint32(b, uint32(p.micro))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(p.time)))
	b = binary.LittleEndian.AppendUint16(b, uint16(int16(p.x*32767)))
	b = binary.LittleEndian.AppendUint16(b, uint16(int16(p.y*32767)))
	b = binary.LittleEndian.AppendUint16(b, uint16(max(0, min(1, p.similarity))*65535))
	return append(b, 0, 0)
}
