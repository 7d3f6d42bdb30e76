package atlas

import (
	"math"

	"starling"
)

type place struct{ x, y float64 }

// places returns where the landmarks are.
func (a *Atlas) places() map[starling.MicroID]place {
	places := make(map[starling.MicroID]place, len(a.nodes))
	for _, n := range a.nodes {
		places[n.Micro] = place{n.X, n.Y}
	}
	return places
}

// align turns and shifts the map so that its landmarks are as near as they can be to
// where they were, the larger ones first of all: an orthogonal Procrustes problem
// (Schönemann 1966), which in the plane has the angle as its closed form. The map is
// neither mirrored nor scaled.
func (a *Atlas) align(before map[starling.MicroID]place) {
	var now, was place
	weight := 0.0
	for _, n := range a.nodes {
		w, p := float64(n.Size), before[n.Micro]
		now.x, now.y = now.x+w*n.X, now.y+w*n.Y
		was.x, was.y = was.x+w*p.x, was.y+w*p.y
		weight += w
	}
	if weight == 0 {
		return
	}
	now, was = place{now.x / weight, now.y / weight}, place{was.x / weight, was.y / weight}
	var along, across float64
	for _, n := range a.nodes {
		w, p := float64(n.Size), before[n.Micro]
		x, y := n.X-now.x, n.Y-now.y
		along += w * (x*(p.x-was.x) + y*(p.y-was.y))
		across += w * (x*(p.y-was.y) - y*(p.x-was.x))
	}
	sin, cos := math.Sincos(math.Atan2(across, along))
	for _, n := range a.nodes {
		x, y := n.X-now.x, n.Y-now.y
		n.X, n.Y = was.x+cos*x-sin*y, was.y+sin*x+cos*y
	}
}
