package birch

import (
	"fmt"
	"math"
)

// A Criterion says which leaf entry is nearest to a vector and when it absorbs
// the vector. Inner nodes are chosen by the same measure.
type Criterion uint8

const (
	// Radius takes the entry whose centroid is nearest by Euclidean distance
	// (D0 of the BIRCH paper) and absorbs when the radius sqrt(S/n) of the
	// merged entry is at most the threshold, as scikit-learn does.
	Radius Criterion = iota
	// Cosine takes the entry whose centroid has the greatest cosine and absorbs
	// when that cosine is at least 1 - threshold^2. The length of a vector
	// matters only for its weight in the centroid.
	Cosine
)

// String returns the criterion's name in lower case.
func (c Criterion) String() string {
	switch c {
	case Radius:
		return "radius"
	case Cosine:
		return "cosine"
	default:
		return fmt.Sprintf("criterion %d", uint8(c))
	}
}

// Config holds what a tree is made with.
type Config struct {
	// Dim is the length of a vector, 1 to 65,536.
	Dim int
	// Threshold is how far an entry may spread; see the criteria. It is where
	// the tree begins: rebuilds raise it, SetThreshold sets it. With Cosine it is
	// at most sqrt(2), at which an entry absorbs everything.
	Threshold float64
	// Criterion is Radius unless set.
	Criterion Criterion
	// Branching is the most children of an inner node, 2 to 1,024; 0 means 50.
	Branching int
	// LeafCapacity is the most entries of a leaf, 2 to 1,024; 0 means Branching.
	LeafCapacity int
	// MaxEntries is the most leaf entries the tree ever holds, 2 to 2^24; 0
	// means 5,000. A leaf entry takes 12 bytes per dimension.
	MaxEntries int
	// ScanLimit chooses the lookup of the nearest entry: while there are at most
	// this many entries, all of them are compared, which is exact and makes
	// fewer, larger entries; beyond, the tree is descended. 0 means always
	// descend. Both lookups grow the same kind of tree.
	ScanLimit int
}

// The bounds of Config, and its defaults.
const (
	maxDim            = 1 << 16
	maxBranching      = 1 << 10
	maxEntries        = 1 << 24
	defaultBranching  = 50
	defaultMaxEntries = 5000
	// maxCosineThreshold is the threshold at which every cosine will do.
	maxCosineThreshold = math.Sqrt2
)

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	if c.Branching == 0 {
		c.Branching = defaultBranching
	}
	if c.LeafCapacity == 0 {
		c.LeafCapacity = c.Branching
	}
	if c.MaxEntries == 0 {
		c.MaxEntries = defaultMaxEntries
	}
	return c
}

// validate says which field is out of its bounds. The defaults are filled in.
func (c Config) validate() error {
	for _, f := range []struct {
		name           string
		value, low, up int
	}{
		{"Dim", c.Dim, 1, maxDim},
		{"Branching", c.Branching, 2, maxBranching},
		{"LeafCapacity", c.LeafCapacity, 2, maxBranching},
		{"MaxEntries", c.MaxEntries, 2, maxEntries},
		{"ScanLimit", c.ScanLimit, 0, math.MaxInt32},
	} {
		if f.value < f.low || f.value > f.up {
			return fmt.Errorf("%s is %d, want %d to %d", f.name, f.value, f.low, f.up)
		}
	}
	if c.Criterion > Cosine {
		return fmt.Errorf("the Criterion is %d, want Radius or Cosine", c.Criterion)
	}
	return c.validateThreshold(c.Threshold)
}

func (c Config) validateThreshold(t float64) error {
	if !(t >= 0) || math.IsInf(t, 1) {
		return fmt.Errorf("the Threshold is %g, want a number from 0 upwards", t)
	}
	if c.Criterion == Cosine && t > maxCosineThreshold {
		return fmt.Errorf("the Threshold is %g, want at most the square root of 2 with Criterion Cosine", t)
	}
	return nil
}
