package cluster

import (
	"errors"
	"math"

	"starling/vec"
)

// A Calibration is a threshold found for a model, and what it was found from.
type Calibration struct {
	// Mean and Deviation describe the cosines of unrelated texts.
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
	// Threshold is what [Config] takes.
	Threshold float64 `json:"threshold"`
}

// calibrationDeviations is how many standard deviations above the mean cosine
// of unrelated texts a document must be like a centroid to join it. Chosen on
// labelled streams of tweets, headlines and questions; see ARCHITECTURE.md.
const calibrationDeviations = 4

// Calibrate finds the threshold for a model from the unit vectors of at least
// two texts, most of them unrelated. Models differ: unrelated texts have a
// cosine near 0 with one and of 0.7 with another, so no fixed threshold fits.
func Calibrate(vectors [][]float32) (Calibration, error) {
	if len(vectors) < 2 {
		return Calibration{}, errors.New("calibrating the threshold needs at least two vectors")
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
	deviation := math.Sqrt(max(0, squares/pairs-mean*mean))
	least := min(0.95, max(0.05, mean+calibrationDeviations*deviation))
	return Calibration{Mean: mean, Deviation: deviation, Threshold: math.Sqrt(1 - least)}, nil
}
