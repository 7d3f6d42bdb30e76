package atlas

import (
	"cmp"
	"math"
	"slices"

	"starling/vec"
)

// neighbours is how many of the most similar ones a landmark is drawn to.
const neighbours = 6

type neighbour struct {
	node       *node
	similarity float64
}

// offer adds to the neighbours of n one that may be nearer than those it has.
func (n *node) offer(other *node, similarity float64) {
	if len(n.near) == neighbours && similarity <= n.near[neighbours-1].similarity {
		return
	}
	at, _ := slices.BinarySearchFunc(n.near, similarity, func(a neighbour, s float64) int { return cmp.Compare(s, a.similarity) })
	n.near = slices.Insert(n.near, at, neighbour{other, similarity})
	if len(n.near) > neighbours {
		n.near = n.near[:neighbours]
	}
}

// measure finds the neighbours of all landmarks.
func (a *Atlas) measure() {
	for _, n := range a.nodes {
		n.near = n.near[:0]
	}
	for i, n := range a.nodes {
		length := norm(n.mean)
		for _, other := range a.nodes[:i] {
			a.introduce(n, other, length)
		}
	}
	a.measured = len(a.nodes)
}

// link finds the neighbours of new landmarks.
func (a *Atlas) link(fresh []*node) {
	isNew := make(map[*node]bool, len(fresh))
	for _, n := range fresh {
		isNew[n] = true
	}
	for _, n := range fresh {
		length := norm(n.mean)
		for _, other := range a.nodes {
			if other != n && (!isNew[other] || other.order < n.order) {
				a.introduce(n, other, length)
			}
		}
	}
}

func (a *Atlas) introduce(n, other *node, length float64) {
	similarity := float64(vec.Dot(n.mean, other.mean)) / max(length*norm(other.mean), 1e-9)
	n.offer(other, similarity)
	other.offer(n, similarity)
}

func norm(v []float32) float64 { return math.Sqrt(float64(vec.Dot(v, v))) }

// begin gives all landmarks their first places: by the two directions in which their
// means differ most (principal components), spread so that all have room.
func (a *Atlas) begin() {
	if len(a.nodes) == 0 {
		return
	}
	rows := centred(a.nodes)
	x := component(rows, nil)
	y := component(rows, x)
	area := 0.0
	for _, n := range a.nodes {
		area += n.Radius * n.Radius
	}
	px, py := projections(rows, x), projections(rows, y)
	for i, n := range a.nodes {
		// The golden angle keeps those apart that the components do not tell apart.
		sin, cos := math.Sincos(float64(i) * goldenAngle)
		n.X = math.Sqrt(area) * (px[i] + 0.05*cos)
		n.Y = math.Sqrt(area) * (py[i] + 0.05*sin)
	}
}

const goldenAngle = 2.399963229728653

// centred returns the means less their mean.
func centred(nodes []*node) [][]float32 {
	mean := make([]float32, len(nodes[0].mean))
	for _, n := range nodes {
		vec.AddScaled(mean, n.mean, 1/float32(len(nodes)))
	}
	rows := make([][]float32, len(nodes))
	for i, n := range nodes {
		rows[i] = slices.Clone(n.mean)
		vec.AddScaled(rows[i], mean, -1)
	}
	return rows
}

// component returns the direction in which rows differ most, at right angles to
// another one, by power iteration.
func component(rows [][]float32, other []float32) []float32 {
	direction := slices.Clone(rows[0])
	for i := range direction {
		direction[i] += float32(i%7) * 1e-3
	}
	for range 20 {
		next := make([]float32, len(direction))
		for _, row := range rows {
			vec.AddScaled(next, row, vec.Dot(row, direction))
		}
		if other != nil {
			vec.AddScaled(next, other, -vec.Dot(next, other))
		}
		length := norm(next)
		if length < 1e-12 {
			break
		}
		clear(direction)
		vec.AddScaled(direction, next, float32(1/length))
	}
	return direction
}

// projections returns where rows lie along a direction, the deviation being 1.
func projections(rows [][]float32, direction []float32) []float64 {
	p := make([]float64, len(rows))
	sum := 0.0
	for i, row := range rows {
		p[i] = float64(vec.Dot(row, direction))
		sum += p[i] * p[i]
	}
	deviation := max(math.Sqrt(sum/float64(len(rows))), 1e-9)
	for i := range p {
		p[i] /= deviation
	}
	return p
}
