package vec

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// halves are all finite values of half precision, positive ones rising, by the
// definition: the fraction over 2^10, times a power of two.
func halves() []float64 {
	var all []float64
	for exponent := range 31 {
		for fraction := range 1 << 10 {
			if exponent == 0 {
				all = append(all, math.Ldexp(float64(fraction), -24))
			} else {
				all = append(all, math.Ldexp(1+float64(fraction)/(1<<10), exponent-15))
			}
		}
	}
	return all
}

// Every value of half precision has its own two bytes, in their order, and comes
// back from them.
func TestHalvesAreWrittenExactly(t *testing.T) {
	for i, want := range halves() {
		for sign, x := range []float32{float32(want), float32(math.Copysign(want, -1))} {
			data, exact := AppendHalf([]byte{7}, []float32{x})
			if code := uint16(i | sign<<15); !exact || !slices.Equal(data, binary.LittleEndian.AppendUint16([]byte{7}, code)) {
				t.Fatalf("%v is written as %x, exactly: %v; want %x", x, data, exact, code)
			}
			got := []float32{1}
			if SetHalf(got, data[1:]); math.Float32bits(got[0]) != math.Float32bits(x) {
				t.Fatalf("%v comes back as %v", x, got[0])
			}
			if RoundHalf(got); math.Float32bits(got[0]) != math.Float32bits(x) {
				t.Fatalf("%v is rounded to %v", x, got[0])
			}
		}
	}
}

// A value is rounded to the nearest of half precision, and of two that are as near
// to the one whose last bit is zero.
func TestRoundHalfIsTheNearest(t *testing.T) {
	all := halves()
	near := rapid.Custom(func(t *rapid.T) float32 {
		i := rapid.IntRange(0, len(all)-2).Draw(t, "half")
		share := rapid.SampledFrom([]float64{0.5, 0, 0.25, 0.499999, 0.500001, 0.9}).Draw(t, "share")
		return float32(all[i] + share*(all[i+1]-all[i]))
	})
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(near, rapid.Float32Range(0, 65504)).Draw(t, "value")
		above, _ := slices.BinarySearch(all, float64(x))
		want := all[above]
		if above > 0 {
			low, high := float64(x)-all[above-1], all[above]-float64(x)
			if low < high || low == high && above%2 == 1 {
				want = all[above-1]
			}
		}
		got := []float32{x, -x}
		RoundHalf(got)
		if float64(got[0]) != want || got[1] != -got[0] {
			t.Fatalf("%v is rounded to %v, want %v", x, got, want)
		}
		if _, exact := AppendHalf(nil, []float32{x}); exact != (float64(x) == want) {
			t.Fatalf("%v is written exactly: %v", x, exact)
		}
	})
}

func TestWhatIsBeyondHalfStaysAsItIs(t *testing.T) {
	for _, x := range []float32{65505, 65520, 1e30, float32(math.Inf(1)), float32(math.NaN())} {
		got := []float32{x, -x}
		RoundHalf(got)
		if math.Float32bits(got[0]) != math.Float32bits(x) {
			t.Errorf("%v is rounded to %v", x, got[0])
		}
		if data, exact := AppendHalf([]byte{1}, got); exact || len(data) != 1 {
			t.Errorf("%v is written as %x", x, data)
		}
	}
}
