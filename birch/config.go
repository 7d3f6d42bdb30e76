package birch

import (
	"errors"
	"fmt"
	"math"
)

// A Criterion says which leaf entry is nearest to a vector and when it absorbs
// the vector. Inner nodes are chosen by the same measure.
type Criterion uint8

const (
	// Radius takes the entry that is nearest by Config.Distance and absorbs when
	// the radius sqrt(S/n) of the merged entry is at most the threshold. With D0 it
	// does as scikit-learn.
	Radius Criterion = iota
	// Cosine takes the entry whose centroid has the greatest cosine and absorbs
	// when that cosine is at least 1 - threshold^2. The length of a vector
	// matters only for its weight in the centroid.
	Cosine
	// Diameter takes the same entry as Radius and absorbs when the diameter of the
	// merged entry, the root mean squared distance of two of its vectors, is at most
	// the threshold.
	Diameter
)

// String returns the criterion's name in lower case.
func (c Criterion) String() string {
	names := [...]string{"radius", "cosine", "diameter"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("criterion %d", uint8(c))
}

// A Distance says which of several entries is nearest with Criterion Radius and
// Diameter. The names, and the definitions by all pairs of vectors, are those of
// Zhang, Ramakrishnan and Livny 1996, section 3; the formulas that do not cancel are
// those of Lang and Schubert 2020. It compares squares where that makes no difference.
type Distance uint8

const (
	// D0 is the Euclidean distance of the centroids: |m1-m2|.
	D0 Distance = iota
	// D1 is the Manhattan distance of the centroids. The lookup costs much more than
	// with the others, which follow from a dot product.
	D1
	// D2 is the average inter-cluster distance, the root mean squared distance of
	// a vector of one and a vector of the other: S1/n1 + S2/n2 + |m1-m2|^2.
	D2
	// D3 is the average intra-cluster distance, the diameter of the merged entry:
	// 2*S/(n-1).
	D3
	// D4 is the increase of variance, by which the sum of squares of the merged entry
	// exceeds those of the two: n1*n2/(n1+n2) * |m1-m2|^2.
	D4
)

// String returns the distance's name: D0 to D4.
func (d Distance) String() string { return fmt.Sprintf("D%d", uint8(d)) }

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
	// Distance is D0 unless set, and stays so with Cosine.
	Distance Distance
	// MinCosine guards heavy entries against vectors far off, which hardly change
	// their radius (scikit-learn issue 27819): Insert, InsertEntry and Absorb put
	// nothing into an entry with whose centroid it has a lower cosine, unless they
	// are equal. It is over 0 and up to 1; 0 means no guard. A rebuild, which has to
	// make room, goes by the threshold alone.
	MinCosine float64
	// Branching is the most children of an inner node, 2 to 1,024; 0 means 50.
	Branching int
	// LeafCapacity is the most entries of a leaf, 2 to 1,024; 0 means Branching.
	LeafCapacity int
	// MaxEntries is the most leaf entries the tree ever holds, 2 to 2^24; 0
	// means 5,000, or with MaxBytes what fits. A leaf entry takes 12 bytes per
	// dimension and some 250 more.
	MaxEntries int
	// MaxBytes, unless 0, is the most memory that the tree holds: New lowers MaxEntries
	// to as many entries as fit three times, since a rebuild needs that for a moment, so
	// between rebuilds it is a third of it; and a tree of nodes so sparsely filled that
	// they take more than their share is rebuilt.
	MaxBytes int64
	// SpillLimit is the most entries that are kept beside the tree, 0 to 2^24: those
	// that OutlierShare and DelaySplits put there, see [Tree.Spilled].
	SpillLimit int
	// OutlierShare, unless 0, makes a rebuild first move entries out of the tree whose
	// weight is below this share of the mean weight, up to 1, until the spill is full
	// (Zhang, Ramakrishnan and Livny 1996, section 5.1.3). The threshold rises only if
	// that does not make enough room. At the end of every rebuild what is spilled is
	// tried again: what an entry absorbs or is heavy enough by now returns.
	OutlierShare float64
	// DelaySplits puts off rebuilds: while the spill has room, a vector that would
	// be one entry too many becomes a spilled entry, so that the tree makes the most
	// of its threshold (section 5.1.4).
	DelaySplits bool
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
	switch {
	case c.MaxBytes > 0 && c.MaxEntries == 0:
		c.MaxEntries = c.fitting()
	case c.MaxBytes > 0:
		c.MaxEntries = min(c.MaxEntries, c.fitting())
	case c.MaxEntries == 0:
		c.MaxEntries = defaultMaxEntries
	}
	return c
}

// validate says which field is out of its bounds. The defaults are filled in.
func (c Config) validate() error {
	if err := c.validateSizes(); err != nil {
		return err
	}
	switch {
	case c.Criterion > Diameter:
		return fmt.Errorf("the Criterion is %d, want Radius, Cosine or Diameter", c.Criterion)
	case c.Distance > D4:
		return fmt.Errorf("the Distance is %v, want D0 to D4", c.Distance)
	case c.Distance != D0 && c.Criterion == Cosine:
		return fmt.Errorf("the Distance is %v, want D0 with Criterion Cosine", c.Distance)
	case !(c.MinCosine >= 0 && c.MinCosine <= 1):
		return fmt.Errorf("the MinCosine is %g, want 0 to 1", c.MinCosine)
	case !(c.OutlierShare >= 0 && c.OutlierShare <= 1):
		return fmt.Errorf("the OutlierShare is %g, want 0 to 1", c.OutlierShare)
	case c.SpillLimit == 0 && (c.OutlierShare > 0 || c.DelaySplits):
		return errors.New("the SpillLimit is 0, want at least 1 with OutlierShare or DelaySplits")
	}
	return c.validateThreshold(c.Threshold)
}

func (c Config) validateSizes() error {
	if c.MaxBytes < 0 {
		return fmt.Errorf("MaxBytes is %d, want at least 0", c.MaxBytes)
	}
	if least := max(2, c.MaxEntries); c.MaxBytes > 0 && least > c.fitting() {
		return fmt.Errorf("MaxBytes is %d, too few for %d entries of %d values and the spill", c.MaxBytes, least, c.Dim)
	}
	for _, f := range []struct {
		name           string
		value, low, up int
	}{
		{"Dim", c.Dim, 1, maxDim},
		{"Branching", c.Branching, 2, maxBranching},
		{"LeafCapacity", c.LeafCapacity, 2, maxBranching},
		{"SpillLimit", c.SpillLimit, 0, maxEntries},
		{"MaxEntries", c.MaxEntries, 2, maxEntries},
		{"ScanLimit", c.ScanLimit, 0, math.MaxInt32},
	} {
		if f.value < f.low || f.value > f.up {
			return fmt.Errorf("%s is %d, want %d to %d", f.name, f.value, f.low, f.up)
		}
	}
	return nil
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
