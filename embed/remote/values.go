package remote

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// maxDim is more values than any vector has.
const maxDim = 1 << 16

// values is a vector as a server gives it. In JSON a number that is not one may
// be null, and one may be too big for a float32: both are read as such.
type values []float32

// UnmarshalJSON reads an array of numbers.
func (v *values) UnmarshalJSON(data []byte) error {
	inner, ok := bytes.CutPrefix(data, []byte("["))
	if !ok {
		return fmt.Errorf("an embedding is an array of numbers, not %.20q", data)
	}
	inner = bytes.TrimSpace(bytes.TrimSuffix(inner, []byte("]")))
	*v = make(values, 0, bytes.Count(inner, []byte(","))+1)
	for field := range bytes.SplitSeq(inner, []byte(",")) {
		field = bytes.TrimSpace(field)
		if string(field) == "null" {
			*v = append(*v, float32(math.NaN()))
			continue
		}
		x, err := strconv.ParseFloat(string(field), 32)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("an embedding is an array of numbers: %.20q is none", field)
		}
		*v = append(*v, float32(x))
	}
	return nil
}

// unit scales a vector to length one.
func (v values) unit() ([]float32, error) {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) || sum == 0 {
		return nil, errors.New("the server's vector for it has no direction: it is zero, or has values that are infinite or not numbers")
	}
	scale := 1 / math.Sqrt(sum)
	for i, x := range v {
		v[i] = float32(float64(x) * scale)
	}
	return v, nil
}
