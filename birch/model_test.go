package birch

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A model is a tree and, by what the tree said, the vectors of every entry.
type model struct {
	tree    *Tree
	members map[ID][]weighted
}

// weighted is a vector and what it weighs by now.
type weighted struct {
	x []float32
	n float64
}

// Whatever is done to a tree, every entry is the sum of the vectors that it should
// hold, and a decoded tree is the same one.
func TestEntriesAreTheSumsOfTheirVectors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{mustNew(t, drawConfig(t)), map[ID][]weighted{}}
		t.Repeat(map[string]func(*rapid.T){
			"":             m.check,
			"insert":       func(t *rapid.T) { m.insert(t, drawVector(t, m.tree.config.Dim)) },
			"insert more":  func(t *rapid.T) { m.insertMany(t, 30) },
			"insert entry": m.insertEntry,
			"remove":       m.remove,
			"remove most":  m.removeMost,
			"absorb":       m.absorb,
			"decay":        m.decay,
			"expire":       m.expire,
			"threshold":    m.threshold,
			"readmit":      m.readmit,
			"decode":       m.decode,
		})
	})
}

// drawVector draws a vector that no criterion refuses; some are often the same.
func drawVector(t *rapid.T, dim int) []float32 {
	x := make([]float32, dim)
	if rapid.Bool().Draw(t, "grouped") {
		grouped(x, rapid.IntRange(0, 200).Draw(t, "point"), 8)
	} else {
		x[rapid.IntRange(0, dim-1).Draw(t, "axis")] = rapid.SampledFrom([]float32{-2, 1, 3}).Draw(t, "value")
	}
	return x
}

func (m *model) insert(t *rapid.T, x []float32) {
	in := mustInsert(t, m.tree, x)
	m.merge(t, in.Merges)
	if _, known := m.members[in.Entry]; known == in.Created {
		t.Fatalf("%+v, while the entry is known: %v", in, known)
	}
	m.members[in.Entry] = append(m.members[in.Entry], weighted{x, 1})
}

func (m *model) insertMany(t *rapid.T, most int) {
	for range rapid.IntRange(1, most).Draw(t, "count") {
		m.insert(t, drawVector(t, m.tree.config.Dim))
	}
}

// merge does what the tree said.
func (m *model) merge(t *rapid.T, merges []Merge) {
	for _, merge := range merges {
		from, to := m.members[merge.From], m.members[merge.To]
		if len(from) == 0 || len(to) == 0 {
			t.Fatalf("entry %d went into %d, which hold %d and %d vectors", merge.From, merge.To, len(from), len(to))
		}
		m.members[merge.To] = append(to, from...)
		delete(m.members, merge.From)
	}
}

// insertEntry inserts several vectors as one entry. The mean is given in float32, so
// they are vectors that have such a mean.
func (m *model) insertEntry(t *rapid.T) {
	x := drawVector(t, m.tree.config.Dim)
	apart := make([]float32, len(x))
	apart[0] = 0.25
	ws := []weighted{{plus(x, apart), 1.5}, {minus(x, apart), 1.5}}
	in, err := m.tree.InsertEntry(Entry{N: 3, Mean: x, S: 3 * 0.25 * 0.25})
	if err != nil {
		t.Fatal(err)
	}
	m.merge(t, in.Merges)
	m.members[in.Entry] = append(m.members[in.Entry], ws...)
}

func plus(x, y []float32) []float32 {
	sum := slices.Clone(x)
	for i := range sum {
		sum[i] += y[i]
	}
	return sum
}

func minus(x, y []float32) []float32 {
	difference := slices.Clone(x)
	for i := range difference {
		difference[i] -= y[i]
	}
	return difference
}

// drawMember draws an entry and the place of one of its vectors.
func (m *model) drawMember(t *rapid.T) (ID, int) {
	if len(m.members) == 0 {
		t.Skip("no entries")
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.members))).Draw(t, "entry")
	return id, rapid.IntRange(0, len(m.members[id])-1).Draw(t, "member")
}

func (m *model) remove(t *rapid.T) {
	id, place := m.drawMember(t)
	w := m.members[id][place]
	if err := m.tree.RemoveWeighted(id, w.x, w.n); err != nil {
		if !slices.ContainsFunc(w.x, func(v float32) bool { return v != 0 }) {
			t.Skip("a zero vector, from insertEntry")
		}
		t.Fatal(err)
	}
	m.members[id] = slices.Delete(m.members[id], place, place+1)
	if len(m.members[id]) == 0 {
		delete(m.members, id)
	}
}

func (m *model) removeMost(t *rapid.T) {
	for range rapid.IntRange(1, 50).Draw(t, "count") {
		m.remove(t)
	}
}

func (m *model) absorb(t *rapid.T) {
	other := &model{mustNew(t, m.tree.config), map[ID][]weighted{}}
	other.insertMany(t, 20)
	a, err := m.tree.Absorb(other.tree)
	if err != nil {
		t.Fatal(err)
	}
	// Entries that the rebuilds made and joined again have no vectors yet.
	for _, merge := range a.Merges {
		m.members[merge.To] = append(m.members[merge.To], m.members[merge.From]...)
		delete(m.members, merge.From)
	}
	for _, o := range a.Origins {
		m.members[o.Ours] = append(m.members[o.Ours], other.members[o.Theirs]...)
		delete(other.members, o.Theirs)
	}
	if len(other.members) > 0 {
		t.Fatalf("no word of the entries of %v", other.members)
	}
}

func (m *model) decay(t *rapid.T) {
	factor := rapid.Float64Range(0.5, 1).Draw(t, "factor")
	if err := m.tree.Decay(factor); err != nil {
		t.Fatal(err)
	}
	for _, ws := range m.members {
		for i := range ws {
			ws[i].n *= factor
		}
	}
}

func (m *model) expire(t *rapid.T) {
	floor := rapid.Float64Range(0, 1).Draw(t, "floor")
	expired := m.tree.Expire(floor)
	for _, id := range expired {
		if n := weight(m.members[id]); n >= floor*(1+1e-9) {
			t.Fatalf("entry %d of the weight %g expired, the floor was %g", id, n, floor)
		}
		delete(m.members, id)
	}
	for id, ws := range m.members {
		if n := weight(ws); n < floor*(1-1e-9) {
			t.Fatalf("entry %d of the weight %g did not expire, the floor was %g", id, n, floor)
		}
	}
}

func weight(ws []weighted) (n float64) {
	for _, w := range ws {
		n += w.n
	}
	return n
}

func (m *model) threshold(t *rapid.T) {
	m.merge(t, mustSetThreshold(t, m.tree, rapid.Float64Range(0, 1).Draw(t, "threshold")))
}

func (m *model) readmit(t *rapid.T) {
	m.merge(t, m.tree.Readmit())
	if n := m.tree.spill.len(); n > 0 {
		t.Fatalf("%d entries are left in the spill", n)
	}
}

func (m *model) decode(t *rapid.T) {
	b := encoded(t, m.tree)
	tree, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encoded(t, tree), b) {
		t.Fatal("a decoded tree has other bytes")
	}
	m.tree = tree
}

func (m *model) check(t *rapid.T) {
	checkInvariants(t, m.tree)
	if len(m.members) != m.tree.Len()+m.tree.spill.len() {
		t.Fatalf("%d and %d entries, %d by what the tree said", m.tree.Len(), m.tree.spill.len(), len(m.members))
	}
	for id, ws := range m.members {
		entry, ok := m.tree.Entry(id)
		if !ok {
			t.Fatalf("there is no entry %d", id)
		}
		if err := isSum(entry, ws); err != nil {
			t.Fatalf("entry %d: %v", id, err)
		}
	}
}

// isSum compares an entry of vectors of lengths up to about 3 with its definition.
func isSum(e Entry, ws []weighted) error {
	n := weight(ws)
	var s float64
	for i, v := range e.Mean {
		var mean float64
		for _, w := range ws {
			mean += w.n / n * float64(w.x[i])
		}
		for _, w := range ws {
			s += w.n * (float64(w.x[i]) - mean) * (float64(w.x[i]) - mean)
		}
		if math.Abs(float64(v)-mean) > 1e-5 {
			return errors.New("its mean is not that of its vectors")
		}
	}
	if math.Abs(e.N-n) > 1e-9*(1+n) || math.Abs(e.S-s) > 1e-6*(1+n) {
		return errors.New("its N or S are not those of its vectors")
	}
	return nil
}
