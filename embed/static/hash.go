package static

import (
	"encoding/binary"
	"math/bits"
)

// A feature is the 64-bit hash of a word, a character n-gram or another
// property of a text.
type feature uint64

// golden is 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// hash returns the feature of data. Eight bytes at a time, the last ones padded
// with zeros, are mixed into a state that begins with the seed and the length;
// the mix is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast
// splittable pseudorandom number generators", 2014). Equal lengths of at most
// eight bytes never collide. The function is part of the model: it must not
// change.
func hash(seed uint64, data []byte) feature {
	h := seed + golden*uint64(len(data))
	for len(data) >= 8 {
		h = mix(bits.RotateLeft64(h, 29) ^ binary.LittleEndian.Uint64(data))
		data = data[8:]
	}
	var tail uint64
	for i, b := range data {
		tail |= uint64(b) << (8 * i)
	}
	return feature(mix(bits.RotateLeft64(h, 29) ^ tail))
}

func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
