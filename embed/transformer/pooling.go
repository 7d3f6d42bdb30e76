package transformer

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"starling/embed/internal/jsonfile"
	"starling/embed/transformer/kernel"
)

// A pooling makes one vector of a text's hidden states. Where several modes
// are set, their vectors follow each other in this order.
type pooling struct {
	cls  bool // the first token's
	max  bool // the largest of each value
	mean bool
	sqrt bool // the sum divided by the square root of the number of tokens
}

// meanPooling is what a folder without modules.json gets.
var meanPooling = pooling{mean: true}

// readPooling reads the configuration of a Pooling module for hidden states of
// dim values.
func readPooling(dir string, dim int) (pooling, error) {
	path := filepath.Join(dir, configName)
	object, err := jsonfile.Read(path, maxConfigBytes)
	if err != nil {
		return pooling{}, err
	}
	p, err := parsePooling(object, dim)
	if err != nil {
		return pooling{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return p, nil
}

func parsePooling(object jsonfile.Object, dim int) (pooling, error) {
	p := meanPooling
	width := dim
	var weighted, last bool
	err := errors.Join(
		object.Get("word_embedding_dimension", &width),
		object.Get("pooling_mode_cls_token", &p.cls),
		object.Get("pooling_mode_max_tokens", &p.max),
		object.Get("pooling_mode_mean_tokens", &p.mean),
		object.Get("pooling_mode_mean_sqrt_len_tokens", &p.sqrt),
		object.Get("pooling_mode_weightedmean_tokens", &weighted),
		object.Get("pooling_mode_lasttoken", &last),
	)
	switch {
	case err != nil:
		return p, err
	case width != dim:
		return p, fmt.Errorf("word_embedding_dimension is %d, but the model has %d", width, dim)
	case weighted:
		return p, errors.New("pooling_mode_weightedmean_tokens is not known")
	case last:
		return p, errors.New("pooling_mode_lasttoken is not known")
	case p.modes() == 0:
		return p, errors.New("no pooling_mode is set")
	}
	return p, nil
}

func (p pooling) modes() int { return len(p.names()) }

func (p pooling) names() []string {
	var names []string
	for _, mode := range []struct {
		set  bool
		name string
	}{{p.cls, "cls"}, {p.max, "max"}, {p.mean, "mean"}, {p.sqrt, "mean_sqrt_len"}} {
		if mode.set {
			names = append(names, mode.name)
		}
	}
	return names
}

// String names the modes.
func (p pooling) String() string { return strings.Join(p.names(), " and ") }

// pool sets dst, of modes()*dim values, to the pooled vector of a text, whose
// hidden states are the rows of states.
func (p pooling) pool(dst, states []float32, dim int) {
	tokens := len(states) / dim
	next := func() []float32 {
		part := dst[:dim]
		dst = dst[dim:]
		return part
	}
	if p.cls {
		copy(next(), states)
	}
	if p.max {
		maxRows(next(), states)
	}
	if p.mean {
		sumRows(next(), states, 1/float64(tokens))
	}
	if p.sqrt {
		sumRows(next(), states, 1/math.Sqrt(float64(tokens)))
	}
}

func maxRows(dst, rows []float32) {
	copy(dst, rows)
	for rows = rows[len(dst):]; len(rows) > 0; rows = rows[len(dst):] {
		for i, x := range rows[:len(dst)] {
			dst[i] = max(dst[i], x)
		}
	}
}

// sumRows sets dst to the sum of rows, scaled.
func sumRows(dst, rows []float32, scale float64) {
	kernel.SumRows(dst, rows)
	for i := range dst {
		dst[i] *= float32(scale)
	}
}
