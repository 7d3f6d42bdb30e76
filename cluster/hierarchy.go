package cluster

import (
	"cmp"
	"math"
	"slices"

	"starling"
)

// A Hierarchy is the micro-clusters of a state, joined two by two until all are
// one: the dendrogram of average link. It is a picture of one moment.
type Hierarchy struct {
	state  *State
	micros []*micro
	joins  []merging // falling similarity
}

// A merging is one step of an agglomeration: group j became part of group i.
type merging struct {
	i, j       int
	similarity float64
}

// Hierarchy returns the hierarchy of the micro-clusters as they are now. It takes
// time with the square of their number; cutting it takes hardly any. It is valid
// until the next document is applied.
func (s *State) Hierarchy() *Hierarchy {
	h := &Hierarchy{state: s}
	f := features{dim: s.config.Dim}
	for entry := range s.tree.Entries() {
		h.micros = append(h.micros, s.micros[entry.ID])
		f.add(entry.N, entry.Mean)
	}
	if len(h.micros) == 0 {
		return h
	}
	a := newAgglomeration(linkage{cut: math.Inf(-1)}, f, new(room))
	lowest := math.Inf(1)
	for a.step() {
		// Rounding must not put a join before those it is made of.
		lowest = min(lowest, a.last.similarity)
		h.joins = append(h.joins, merging{a.last.i, a.last.j, lowest})
	}
	return h
}

// A Branch is a part of a hierarchy: micro-clusters that belong together at some
// similarity. What describes it is put together as for a cluster.
type Branch struct {
	Size  int64    `json:"size"`
	Terms []string `json:"terms"`
	Text  string   `json:"text"`
	Texts []string `json:"texts"`
	// Clusters are the clusters that the branch has documents of, rising.
	Clusters []starling.ClusterID `json:"clusters"`
	// Micros are its micro-clusters, rising.
	Micros []starling.MicroID `json:"micros"`
}

// Cut returns the parts whose documents have a mean cosine of at least a
// similarity with each other as they were joined, largest first. A low similarity
// gives few large parts, a high one many small ones.
func (h *Hierarchy) Cut(similarity float64) []Branch {
	parents := make([]int, len(h.micros))
	for i := range parents {
		parents[i] = i
	}
	for _, join := range h.joins {
		if join.similarity < similarity {
			break
		}
		parents[join.j] = join.i
	}
	parts := make(map[int][]*micro)
	for i, m := range h.micros {
		top := i
		for parents[top] != top {
			top = parents[top]
		}
		parts[top] = append(parts[top], m)
	}
	branches := make([]Branch, 0, len(parts))
	for _, micros := range parts {
		branches = append(branches, h.state.branch(micros))
	}
	slices.SortFunc(branches, func(a, b Branch) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Micros[0], b.Micros[0]))
	})
	return branches
}

func (s *State) branch(micros []*micro) Branch {
	sortBySize(micros)
	b := Branch{Terms: termsOf(micros, s.common), Texts: representatives(micros), Micros: idsOf(micros)}
	b.Text = b.Texts[0]
	for _, m := range micros {
		b.Size += m.size
		b.Clusters = append(b.Clusters, m.group.id)
	}
	slices.Sort(b.Clusters)
	b.Clusters = slices.Compact(b.Clusters)
	return b
}
