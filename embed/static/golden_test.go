package static

import (
	"math"
	"testing"
)

// The vectors of the model are pinned, on every platform to the last bit. If
// one changes on purpose, change algorithm too, so that the fingerprint says
// so, and write down the new values.
const goldenFingerprint = ""

var golden = []struct {
	text  string
	first [4]float32
	// sum is the exclusive or of the bits of all values.
	sum uint32
}{
	{"the train is late again", [4]float32{}, 0},
	{"Sooooo happy 😂 #blessed @friend https://example.org/x 2015", [4]float32{}, 0},
	{"東京の天気 naïve Ünïcödé", [4]float32{}, 0},
	{"?!", [4]float32{}, 0},
}

func TestGolden(t *testing.T) {
	if got := Describe().Fingerprint; got != goldenFingerprint {
		t.Errorf("fingerprint %q, want %q", got, goldenFingerprint)
	}
	for _, test := range golden {
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
