// Package atlas lays clusters out on a map.
//
// The landmarks of the map are micro-clusters: discs as large as they have documents.
// Those of one cluster lie together, those that are alike near each other, and no two
// overlap for long. The places are stable: a new landmark begins beside its most
// similar neighbour and the others make room, little by little; when the similarities
// are taken anew the map is turned back onto the one before.
//
//	a := atlas.New()
//	a.Update(micros) // now and then
//	for _, l := range a.Landmarks() { ... }
//
// It has no clock and no randomness: the same updates give the same map.
package atlas

import (
	"cmp"
	"math"
	"slices"

	"starling"
)

// A Micro is a micro-cluster to be laid out.
type Micro struct {
	ID      starling.MicroID
	Cluster starling.ClusterID
	Size    int64
	// Mean is the mean of its documents' vectors. The atlas keeps it.
	Mean []float32
}

// A Landmark is where a micro-cluster lies: a disc. A document takes about the area
// of a circle with the radius 1.
type Landmark struct {
	Micro        starling.MicroID
	Cluster      starling.ClusterID
	Size         int64
	X, Y, Radius float64
}

// An Atlas is a map. It is not safe for use by several goroutines.
type Atlas struct {
	nodes []*node
	byID  map[starling.MicroID]*node
	// measured is the number of nodes when all similarities were taken last.
	measured int
	// swept holds the nodes from left to right.
	swept []*node
}

type node struct {
	Landmark
	mean []float32
	// near are the most similar ones, best first.
	near []neighbour
	// order is where it is among nodes.
	order int
	// left is its left end when it was last sorted by that.
	left float64
}

const (
	// firstSteps, refitSteps and steps are how often the forces act on a map that
	// begins, on one whose similarities were taken anew, and on one that goes on.
	firstSteps, refitSteps, steps = 300, 60, 12
	// growth is by how much the landmarks grow in number until all similarities are
	// taken anew.
	growth = 1.5
)

// New returns an empty map.
func New() *Atlas { return &Atlas{byID: make(map[starling.MicroID]*node)} }

// Knows says whether a micro-cluster is on the map: then its mean may be left out of
// an update, which keeps the one it came with.
func (a *Atlas) Knows(id starling.MicroID) bool { return a.byID[id] != nil }

// Due says whether the next update of n micro-clusters takes all similarities anew,
// and so wants all means.
func (a *Atlas) Due(n int) bool { return float64(n) > growth*float64(a.measured) }

// Update has the map show these micro-clusters and no others.
func (a *Atlas) Update(micros []Micro) {
	due := a.Due(len(micros))
	a.forget(micros)
	a.sort()
	var fresh []*node
	for _, m := range micros {
		if n := a.take(m); n != nil {
			fresh = append(fresh, n)
		}
	}
	a.sort()
	switch {
	case due && a.measured == 0:
		a.measure()
		a.begin()
		a.relax(firstSteps)
	case due:
		a.measure()
		a.settle(fresh)
		before := a.places()
		a.relax(refitSteps)
		a.align(before)
	default:
		a.link(fresh)
		a.settle(fresh)
		a.relax(steps)
	}
}

// Landmarks returns where everything lies, by rising id.
func (a *Atlas) Landmarks() []Landmark {
	landmarks := make([]Landmark, len(a.nodes))
	for i, n := range a.nodes {
		landmarks[i] = n.Landmark
	}
	return landmarks
}

// forget drops what is no more.
func (a *Atlas) forget(micros []Micro) {
	there := make(map[starling.MicroID]bool, len(micros))
	for _, m := range micros {
		there[m.ID] = true
	}
	a.nodes = slices.DeleteFunc(a.nodes, func(n *node) bool {
		if there[n.Micro] {
			return false
		}
		delete(a.byID, n.Micro)
		return true
	})
	for _, n := range a.nodes {
		n.near = slices.DeleteFunc(n.near, func(near neighbour) bool { return !there[near.node.Micro] })
	}
}

// take notes what a micro-cluster is like now, and returns its node if it is new.
func (a *Atlas) take(m Micro) *node {
	n, known := a.byID[m.ID]
	if !known {
		n = &node{Landmark: Landmark{Micro: m.ID}}
		a.byID[m.ID] = n
		a.nodes = append(a.nodes, n)
	}
	if m.Mean != nil {
		n.mean = m.Mean
	}
	n.Cluster, n.Size = m.Cluster, m.Size
	n.Radius = 1.15 * math.Sqrt(float64(max(1, m.Size)))
	if known {
		return nil
	}
	return n
}

func (a *Atlas) sort() {
	slices.SortFunc(a.nodes, func(a, b *node) int { return cmp.Compare(a.Micro, b.Micro) })
	for i, n := range a.nodes {
		n.order = i
	}
	a.swept = nil
}
