package atlas

import (
	"math"
	"math/rand/v2"
	"testing"

	"starling"
)

// field makes n micro-clusters about a few topics, one cluster a topic.
func field(n, topics int) []Micro {
	random := rand.New(rand.NewPCG(1, 2))
	const dim = 32
	centres := make([][]float32, topics)
	for i := range centres {
		centres[i] = make([]float32, dim)
		for j := range centres[i] {
			centres[i][j] = float32(random.NormFloat64())
		}
	}
	micros := make([]Micro, n)
	for i := range micros {
		mean := make([]float32, dim)
		for j := range mean {
			mean[j] = centres[i%topics][j] + 0.5*float32(random.NormFloat64())
		}
		micros[i] = Micro{ID: starling.MicroID(i + 1), Cluster: starling.ClusterID(i%topics + 1), Size: int64(1 + random.IntN(40)), Mean: mean}
	}
	return micros
}

func distance(a, b Landmark) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

func TestAClusterLiesTogether(t *testing.T) {
	a := New()
	a.Update(field(120, 6))
	var inside, outside, pairs, others float64
	for _, l := range a.Landmarks() {
		for _, m := range a.Landmarks() {
			switch {
			case l.Micro == m.Micro:
			case l.Cluster == m.Cluster:
				inside += distance(l, m)
				pairs++
			default:
				outside += distance(l, m)
				others++
			}
		}
	}
	if inside/pairs > 0.6*outside/others {
		t.Errorf("landmarks of a cluster are %.1f apart, of different ones %.1f", inside/pairs, outside/others)
	}
}

func TestLandmarksHardlyOverlap(t *testing.T) {
	a := New()
	a.Update(field(200, 8))
	landmarks := a.Landmarks()
	for i, l := range landmarks {
		for _, m := range landmarks[:i] {
			if overlap := l.Radius + m.Radius - distance(l, m); overlap > 0.5*min(l.Radius, m.Radius) {
				t.Errorf("landmarks %d and %d overlap by %.1f of radii %.1f and %.1f", l.Micro, m.Micro, overlap, l.Radius, m.Radius)
			}
		}
	}
}

// What is there already hardly moves when a few come, nor when many do and all
// similarities are taken anew.
func TestPlacesAreStable(t *testing.T) {
	all := field(160, 6)
	a := New()
	a.Update(all[:100])
	for range 20 {
		a.Update(all[:100]) // comes to rest
	}
	for _, n := range []int{105, 160} {
		before := a.places()
		if due := a.Due(n); due != (n == 160) {
			t.Errorf("taken anew with %d landmarks: %v", n, due)
		}
		a.Update(all[:n])
		moved, extent := 0.0, 0.0
		for _, l := range a.Landmarks()[:100] {
			was := before[l.Micro]
			moved += math.Hypot(l.X-was.x, l.Y-was.y)
			extent += math.Hypot(was.x, was.y)
		}
		if moved > 0.5*extent {
			t.Errorf("with %d landmarks those there were moved by %.0f%% of the map", n, 100*moved/extent)
		}
	}
}

func TestTheSameUpdatesGiveTheSameMap(t *testing.T) {
	all := field(90, 5)
	a, b := New(), New()
	for _, n := range []int{0, 1, 30, 40, 90, 50} {
		a.Update(all[:n])
		b.Update(all[:n])
	}
	for i, l := range a.Landmarks() {
		if l != b.Landmarks()[i] {
			t.Fatalf("landmark %+v is elsewhere: %+v", l, b.Landmarks()[i])
		}
		if math.IsNaN(l.X) || math.IsNaN(l.Y) {
			t.Fatalf("landmark %+v", l)
		}
	}
	if len(a.Landmarks()) != 50 {
		t.Errorf("%d landmarks", len(a.Landmarks()))
	}
}
