package vec

import (
	"encoding/binary"
	"math"
)

// The bit patterns of float32 values that bound half precision (IEEE 754 binary16).
const (
	signBit     = 1 << 31
	droppedBits = 1<<13 - 1   // of the fraction
	leastNormal = 0x3880_0000 // 2^-14
	mostHalf    = 0x477f_e000 // 65504
	rebias      = (127 - 15) << 10
	// halfStep is the distance of values below leastNormal, 2^-24.
	halfStep = 0x1p-24
)

// RoundHalf rounds every value to the nearest one of half precision, to even where
// two are as near. Such as are beyond its range stay as they are. A vector of length
// one is off by less than 2^-11 then.
func RoundHalf(x []float32) {
	for i, v := range x {
		bits := math.Float32bits(v)
		switch abs := bits &^ signBit; {
		case abs < leastNormal:
			small := math.Float32frombits(abs)
			small = float32(small+0.5) - 0.5 // 2^-24 is the last place of 0.5
			x[i] = math.Float32frombits(math.Float32bits(small) | bits&signBit)
		case abs < mostHalf:
			x[i] = math.Float32frombits((bits + droppedBits>>1 + bits>>13&1) &^ droppedBits)
		}
	}
}

// AppendHalf appends the values of x in half precision, little-endian, two bytes
// each, and reports whether that is exact; if not, b comes back as it was.
func AppendHalf(b []byte, x []float32) ([]byte, bool) {
	all := b
	for _, v := range x {
		bits := math.Float32bits(v)
		abs := bits &^ signBit
		half := abs>>13 - rebias
		if abs < leastNormal {
			steps := math.Float32frombits(abs) / halfStep
			half = uint32(steps)
			if float32(half) != steps {
				return b, false
			}
		} else if abs > mostHalf || abs&droppedBits != 0 {
			return b, false
		}
		all = binary.LittleEndian.AppendUint16(all, uint16(bits>>16&0x8000|half))
	}
	return all, true
}

// SetHalf sets x to the values that [AppendHalf] appended, of which data holds as
// many, in two bytes each.
func SetHalf(x []float32, data []byte) {
	data = data[:2*len(x)]
	for i := range x {
		half := uint32(binary.LittleEndian.Uint16(data[2*i:]))
		abs := half &^ 0x8000
		bits := (abs + rebias) << 13
		if abs < 1<<10 {
			bits = math.Float32bits(float32(abs) * halfStep)
		}
		x[i] = math.Float32frombits(bits | half&0x8000<<16)
	}
}
