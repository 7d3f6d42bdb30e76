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

// The settings of all thresholds, chosen on labelled streams of tweets, headlines,
// commands and questions, all with one setting: ARCHITECTURE.md has the figures.
const (
	// microShare is what of the way from the cosine of unrelated texts to 1 a
	// document must be like a micro-cluster to join it.
	microShare = 0.43
	// cutDeviations is by how many deviations of the cosines of unrelated texts the
	// documents of two clusters must be more alike than unrelated ones, to be one.
	cutDeviations = 1.4
	// reserveDeviations is what two clusters must be more alike than that for each
	// tenfold of documents.
	reserveDeviations = 0.3
	// evidenceDeviations is by how many deviations two single documents must be
	// more alike than that.
	evidenceDeviations = 2
)

// Threshold is the threshold of the CF-tree that follows from the calibration.
func (c Calibration) Threshold() float64 {
	return math.Sqrt(1 - min(0.98, max(0.02, c.Mean+microShare*(1-c.Mean))))
}

func (c Calibration) linkage() linkage {
	return linkage{
		common: max(0, c.Mean), cut: cutDeviations * c.Deviation,
		evidence: evidenceDeviations * c.Deviation, reserve: reserveDeviations * c.Deviation,
	}
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
