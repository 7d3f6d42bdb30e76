package safetensors

import (
	"math"
	"testing"
)

// halfValue is the value of a binary16 number as IEEE 754-2008, section 3.4,
// defines it.
func halfValue(half uint16) float64 {
	sign := 1 - 2*float64(half>>15)
	exponent := int(half >> 10 & 31)
	fraction := float64(half & 1023)
	switch {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		return math.Inf(int(sign))
	case exponent == 0:
		return sign * math.Ldexp(fraction, -24)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

func TestEveryHalfIsExact(t *testing.T) {
	for bits := range 1 << 16 {
		got, want := fromF16(uint16(bits)), halfValue(uint16(bits))
		if math.IsNaN(want) {
			if got == got {
				t.Fatalf("%#04x is %v, want NaN", bits, got)
			}
			continue
		}
		if float64(got) != want {
			t.Fatalf("%#04x is %v, want %v", bits, got, want)
		}
		if math.Signbit(float64(got)) != (bits>>15 == 1) {
			t.Fatalf("%#04x has lost its sign", bits)
		}
	}
}

func TestBF16IsTheUpperHalfOfAFloat32(t *testing.T) {
	for bits := range 1 << 16 {
		got := make([]float32, 1)
		decodeBF16(got, []byte{byte(bits), byte(bits >> 8)})
		if math.Float32bits(got[0]) != uint32(bits)<<16 {
			t.Fatalf("%#04x is %v", bits, got[0])
		}
	}
}
