package static

import (
	"math"
	"testing"
)

// The vectors of the model are pinned, on every platform to the last bit. If
// one changes on purpose, change algorithm too, so that the fingerprint says
// so, and write down the new values.
const pinnedFingerprint = "eaecf53841e4e729066f992bff5f2d29"

var pinned = []struct {
	text  string
	first [4]float32
	// sum is the exclusive or of the bits of all values.
	sum uint32
}{
	{"the train is late again", [4]float32{-0.025201049, 0.049384695, -0.049384695, -0.0041353363}, 0x2cc4fcd4},
	{"Sooooo happy 😂 #blessed @friend https://example.org/x 2015", [4]float32{0.012165175, 0, 0.124348596, 0.026007803}, 0x2c71c0ed},
	{"東京の天気 naïve Ünïcödé", [4]float32{0, 0, 0, 0}, 0x29012358},
	{"?!", [4]float32{0, 0, 0, 0}, 0xab000000},
}

func TestVectorsArePinned(t *testing.T) {
	if got := Describe().Fingerprint; got != pinnedFingerprint {
		t.Errorf("fingerprint %q, want %q", got, pinnedFingerprint)
	}
	for _, test := range pinned {
		row := embedAll(t, test.text)[0]
		var sum uint32
		for i, x := range row {
			sum ^= math.Float32bits(x) * uint32(2*i+1)
		}
		if first := [4]float32(row); first != test.first || sum != test.sum {
			t.Errorf("%q: %#v, %#x, want %#v, %#x", test.text, first, sum, test.first, test.sum)
		}
	}
}

func TestFingerprintDependsOnTheWords(t *testing.T) {
	if fingerprint([]byte("a")) == fingerprint([]byte("b")) {
		t.Error("two tables have one fingerprint")
	}
}
