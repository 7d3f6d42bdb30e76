package cluster

// A termSketch counts the terms of all documents in fixed space: a count-min
// sketch with conservative update (Cormode and Muthukrishnan 2005; Estan and
// Varghese 2002). A count is never too low.
type termSketch struct {
	// total is the number of terms added.
	total int64
	rows  [sketchDepth][sketchWidth]uint32
}

const (
	sketchDepth = 4
	sketchWidth = 1 << 13
)

func (s *termSketch) add(term Term) {
	s.total++
	cells := sketchCells(term)
	least := s.least(cells)
	if least == 1<<32-1 {
		return
	}
	for row, cell := range cells {
		if s.rows[row][cell] == least {
			s.rows[row][cell]++
		}
	}
}

// count returns how often a term was added, or somewhat more.
func (s *termSketch) count(term Term) int64 { return int64(s.least(sketchCells(term))) }

func (s *termSketch) least(cells [sketchDepth]uint32) uint32 {
	least := s.rows[0][cells[0]]
	for row := 1; row < sketchDepth; row++ {
		least = min(least, s.rows[row][cells[row]])
	}
	return least
}

// halve halves all counts.
func (s *termSketch) halve() {
	s.total = (s.total + 1) / 2
	for row := range s.rows {
		for cell := range s.rows[row] {
			s.rows[row][cell] = s.rows[row][cell]/2 + s.rows[row][cell]%2
		}
	}
}

// sketchCells places a term in every row by combining the halves of its hash
// (Kirsch and Mitzenmacher 2006).
func sketchCells(term Term) [sketchDepth]uint32 {
	low, high := uint32(term.hash), uint32(term.hash>>32)|1
	var cells [sketchDepth]uint32
	for row := range cells {
		cells[row] = (low + uint32(row)*high) % sketchWidth
	}
	return cells
}

// hashTerm returns the 64-bit FNV-1a hash of a term, its bits mixed further.
func hashTerm(term string) uint64 {
	hash := uint64(14695981039346656037)
	for i := range len(term) {
		hash = (hash ^ uint64(term[i])) * 1099511628211
	}
	hash ^= hash >> 33
	hash *= 0xff51afd7ed558ccd
	return hash ^ hash>>33
}
