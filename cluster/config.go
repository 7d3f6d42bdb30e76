package cluster

import (
	"errors"
	"fmt"
	"time"

	"starling/birch"
)

// Config says how a stream is clustered. A state keeps the one it began with.
type Config struct {
	// Dim is the length of the vectors.
	Dim int `json:"dim"`
	// Threshold bounds how wide a micro-cluster may be: a document joins the
	// nearest one when the cosine to its centroid is at least 1 - Threshold².
	// On unit vectors this is the scale of BIRCH's radius, whose square is one
	// minus the mean cosine of all pairs, so scikit-learn's thresholds keep
	// their meaning. It is above 0 and at most 1; 0 means that it follows from
	// Unrelated and, after the first documents, from the stream.
	Threshold float64 `json:"threshold"`
	// Unrelated says how alike unrelated texts are to the model; [Calibrate]
	// finds it. The zero value stands for a model to which they are as good as
	// orthogonal.
	Unrelated Calibration `json:"unrelated"`
	// Branching is the number of entries a node of the CF-tree may hold; at
	// least 2. Zero means 50.
	Branching int `json:"branching"`
	// HalfLife is after how many documents, and HalfLifeTime after how much time
	// in the stream, a document weighs half; zero means that it never does. What
	// has become light expires, see [starling.Expired].
	HalfLife     int64         `json:"half_life,omitempty"`
	HalfLifeTime time.Duration `json:"half_life_time,omitempty"`
	// MaxMicros bounds the micro-clusters and with them the memory; at least
	// 2. When there would be more, the threshold rises and the closest are
	// joined. Zero means 2,000.
	MaxMicros int `json:"max_micros"`
}

// orthogonal stands in for a zero Unrelated in a [Config].
var orthogonal = Calibration{Mean: 0, Deviation: 0.06}

// DefaultBranching and DefaultMaxMicros stand in for zeros in a [Config].
const (
	DefaultBranching = 50
	DefaultMaxMicros = 2000
)

func (c Config) withDefaults() Config {
	if c.Branching == 0 {
		c.Branching = DefaultBranching
	}
	if c.MaxMicros == 0 {
		c.MaxMicros = DefaultMaxMicros
	}
	if c.Unrelated == (Calibration{}) {
		c.Unrelated = orthogonal
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Dim < 1:
		return fmt.Errorf("dimension %d: must be at least 1", c.Dim)
	case !(c.Threshold >= 0 && c.Threshold <= 1):
		return fmt.Errorf("threshold %v: must be above 0 and at most 1, or 0 for one that is found", c.Threshold)
	case !c.Unrelated.valid():
		return fmt.Errorf("cosines of unrelated texts with mean %v and deviation %v: must be below 1, and above 0 and at most 1",
			c.Unrelated.Mean, c.Unrelated.Deviation)
	case c.Branching < 2:
		return fmt.Errorf("branching factor %d: must be at least 2", c.Branching)
	case c.HalfLife < 0 || c.HalfLifeTime < 0:
		return fmt.Errorf("half-lives of %d documents and %v: must not be negative", c.HalfLife, c.HalfLifeTime)
	case c.MaxMicros < 2:
		return errors.New("the bound on micro-clusters must be at least 2")
	}
	return nil
}

// newTree makes the CF-tree of a configuration. Absorption goes by cosine: on
// short texts it keeps clusters apart that the radius joins, because the radius
// of two unrelated unit vectors is never above sqrt(1/2).
func (c Config) newTree() (*birch.Tree, error) {
	threshold := c.Threshold
	if threshold == 0 {
		threshold = c.Unrelated.Threshold()
	}
	return birch.New(birch.Config{
		Dim:        c.Dim,
		Threshold:  threshold,
		Criterion:  birch.Cosine,
		Branching:  c.Branching,
		MaxEntries: c.MaxMicros,
		ScanLimit:  c.MaxMicros,
	})
}
