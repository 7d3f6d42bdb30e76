package atlas

import (
	"cmp"
	"math"
	"slices"

	"starling"
)

const (
	// pull draws a landmark to its neighbours, bond to the middle of its cluster, and
	// gravity everything to the middle of the map: shares of the way in one step.
	pull, bond, gravity = 0.03, 0.12, 0.004
	// margin is the room between landmarks of different clusters, and gap that
	// between those of one.
	margin, gap = 2.2, 0.2
	// pushes is how often overlaps are lessened in one step, and lastPushes after the
	// last one.
	pushes, lastPushes = 2, 25
)

// settle puts new landmarks beside the most similar ones that have a place.
func (a *Atlas) settle(fresh []*node) {
	placed := make(map[*node]bool, len(a.nodes))
	for _, n := range a.nodes {
		placed[n] = true
	}
	for _, n := range fresh {
		delete(placed, n)
	}
	for _, n := range fresh {
		sin, cos := math.Sincos(float64(n.Micro) * goldenAngle)
		for _, near := range n.near {
			if placed[near.node] {
				reach := near.node.Radius + n.Radius
				n.X, n.Y = near.node.X+cos*reach, near.node.Y+sin*reach
				break
			}
		}
		if n.X == 0 && n.Y == 0 {
			n.X, n.Y = cos*n.Radius, sin*n.Radius
		}
		placed[n] = true
	}
}

// relax lets the forces act a number of times, the attraction less and less.
func (a *Atlas) relax(steps int) {
	for i := range steps {
		a.attract(1 - float64(i)/float64(steps))
		for range pushes {
			a.collide()
		}
	}
	for range lastPushes {
		a.collide()
	}
}

// attract draws landmarks to their neighbours and the rest of their clusters.
func (a *Atlas) attract(strength float64) {
	middles := a.middles()
	for _, n := range a.nodes {
		dx, dy := -gravity*n.X, -gravity*n.Y
		for _, near := range n.near {
			if near.similarity <= 0 {
				break
			}
			fx, fy := towards(n, near.node)
			dx += pull * near.similarity * fx
			dy += pull * near.similarity * fy
		}
		m := middles[n.Cluster]
		dx += bond * (m.x - n.X)
		dy += bond * (m.y - n.Y)
		n.X += strength * dx
		n.Y += strength * dy
	}
}

// towards returns the way that brings n to where it touches another one.
func towards(n, other *node) (x, y float64) {
	x, y = other.X-n.X, other.Y-n.Y
	distance := math.Hypot(x, y)
	excess := distance - n.Radius - other.Radius
	if excess <= 0 {
		return 0, 0
	}
	return x * excess / distance, y * excess / distance
}

type middle struct{ x, y, weight float64 }

// middles returns the centres of mass of the clusters.
func (a *Atlas) middles() map[starling.ClusterID]middle {
	middles := make(map[starling.ClusterID]middle)
	for _, n := range a.nodes {
		m := middles[n.Cluster]
		w := float64(n.Size)
		m.x, m.y, m.weight = m.x+w*n.X, m.y+w*n.Y, m.weight+w
		middles[n.Cluster] = m
	}
	for id, m := range middles {
		middles[id] = middle{m.x / m.weight, m.y / m.weight, m.weight}
	}
	return middles
}

// collide pushes landmarks apart that overlap, the smaller one further. It sweeps from
// left to right.
func (a *Atlas) collide() {
	a.sweepOrder()
	for i, n := range a.swept {
		end := n.X + n.Radius + margin
		for _, other := range a.swept[i+1:] {
			if other.left > end {
				break
			}
			n.part(other)
		}
	}
}

// sweepOrder sorts the landmarks by their left ends. They are nearly in order from the
// time before, so insertion takes hardly any time.
func (a *Atlas) sweepOrder() {
	if len(a.swept) != len(a.nodes) {
		a.swept = slices.Clone(a.nodes)
		slices.SortStableFunc(a.swept, func(a, b *node) int { return cmp.Compare(a.X-a.Radius, b.X-b.Radius) })
	}
	for i, n := range a.swept {
		n.left = n.X - n.Radius
		j := i
		for ; j > 0 && a.swept[j-1].left > n.left; j-- {
			a.swept[j] = a.swept[j-1]
		}
		a.swept[j] = n
	}
}

// part pushes two landmarks apart where they overlap.
func (n *node) part(other *node) {
	room := margin
	if n.Cluster == other.Cluster {
		room = gap
	}
	x, y := other.X-n.X, other.Y-n.Y
	apart := n.Radius + other.Radius + room
	squared := x*x + y*y
	if squared >= apart*apart {
		return
	}
	distance := math.Sqrt(squared)
	if distance < 1e-6 {
		y, x = math.Sincos(float64(n.Micro^other.Micro) * goldenAngle)
		distance = 1
	}
	push := 0.5 * (apart - distance) / distance
	own := other.Radius * other.Radius / (n.Radius*n.Radius + other.Radius*other.Radius)
	n.X -= 2 * push * own * x
	n.Y -= 2 * push * own * y
	other.X += 2 * push * (1 - own) * x
	other.Y += 2 * push * (1 - own) * y
}
