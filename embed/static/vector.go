package static

import "math"

// A vector is one row of the model.
type vector [Dim]float32

const (
	blocks   = 8
	blockLen = Dim / blocks // 64, so that 6 bits choose a place and 1 its sign
)

// add adds the direction of f, of squared length blocks*w*w. Seven bits of f
// choose the place and the sign in each block.
func (v *vector) add(f feature, w float32) {
	bits := math.Float32bits(w)
	for block := 0; block < Dim; block += blockLen {
		sign := uint32(f) >> 6 << 31
		v[(block|int(f%blockLen))%Dim] += math.Float32frombits(bits ^ sign)
		f >>= 7
	}
}

// normalise scales v to length one and reports whether it could: the zero
// vector has no direction.
func (v *vector) normalise() bool {
	// The square of a float32 is exact in a float64, so that a fused
	// multiply-add gives the same sum.
	var a, b, c, d float64
	for i := 0; i < Dim; i += 4 {
		a += float64(v[i]) * float64(v[i])
		b += float64(v[i+1]) * float64(v[i+1])
		c += float64(v[i+2]) * float64(v[i+2])
		d += float64(v[i+3]) * float64(v[i+3])
	}
	sum := a + b + c + d
	if sum == 0 {
		return false
	}
	scale := 1 / math.Sqrt(sum)
	for i, x := range v {
		v[i] = float32(float64(x) * scale)
	}
	return true
}
