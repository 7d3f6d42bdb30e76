package cluster

import (
	"errors"
	"math"

	"starling/vec"
)

// A Calibration describes how alike unrelated texts are to a model: the cosines
// of their vectors. Models differ: it is near 0 with one and 0.7 with another, so
// no fixed threshold fits.
type Calibration struct {
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// Calibrate describes the cosines of all pairs of at least two unit vectors,
// most of which belong to unrelated texts.
func Calibrate(vectors [][]float32) (Calibration, error) {
	if len(vectors) < 2 {
		return Calibration{}, errors.New("calibrating needs at least two vectors")
	}
	var sum, squares float64
	for i, a := range vectors {
		for _, b := range vectors[:i] {
			cosine := float64(vec.Dot(a, b))
			sum += cosine
			squares += cosine * cosine
		}
	}
	pairs := float64(len(vectors)) * float64(len(vectors)-1) / 2
	mean := sum / pairs
	return Calibration{Mean: mean, Deviation: math.Sqrt(max(0, squares/pairs-mean*mean))}, nil
}

// What of the way from the cosine of unrelated texts to 1 a document must be
// like a micro-cluster to join it, and the documents of two clusters like each
// other to be one. Chosen on labelled streams of tweets, headlines and
// questions, all with one setting: ARCHITECTURE.md has the figures.
const (
	microShare = 0.4
	cutShare   = 0.075
	// reserveShare is what two clusters must be more alike for each tenfold of
	// documents.
	reserveShare = 0.02
	// evidenceDeviations is by how many deviations two single documents must be
	// more alike than that.
	evidenceDeviations = 3
)

// above returns a cosine that lies a share of the way from that of unrelated
// texts to 1.
func (c Calibration) above(share float64) float64 {
	return min(0.98, max(0.02, c.Mean+share*(1-c.Mean)))
}

// Threshold is the threshold of the CF-tree that follows from the calibration.
func (c Calibration) Threshold() float64 { return math.Sqrt(1 - c.above(microShare)) }

func (c Calibration) linkage() linkage {
	return linkage{cut: c.above(cutShare), evidence: evidenceDeviations * c.Deviation, reserve: reserveShare * (1 - c.Mean)}
}

// within keeps a calibration found from a stream near the one that a model has
// with texts known to be unrelated: a stream may be about one thing only, and
// its texts are not unrelated then.
func (c Calibration) within(model Calibration) Calibration {
	return Calibration{
		Mean:      min(c.Mean, model.Mean+2*model.Deviation),
		Deviation: min(max(c.Deviation, model.Deviation/2), 2*model.Deviation),
	}
}

// valid says whether the numbers are what cosines can give.
func (c Calibration) valid() bool {
	return c.Mean >= -1 && c.Mean < 1 && c.Deviation > 0 && c.Deviation <= 1
}
