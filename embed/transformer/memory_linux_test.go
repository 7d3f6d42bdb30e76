package transformer

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"starling/embed/modeltest"
	"starling/embed/transformer/kernel"
)

// TestAModelTakesLittleMoreMemoryThanItsWeights loads a model of the size of
// all-MiniLM-L6-v2.
func TestAModelTakesLittleMoreMemoryThanItsWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: needs a model of 90 MB")
	}
	dir := t.TempDir()
	shape := modeltest.Shape{Type: "bert", Layers: 6, Heads: 12, Dim: 384, Hidden: 1536, Positions: 512, Vocabulary: modeltest.Words(30522)}
	if err := shape.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, dtype := range []string{"f32", "bf16", "int8"} {
		debug.FreeOSMemory()
		before := resident(t)
		m := load(t, dir, Options{DType: dtype}, kernel.Best())
		grown, packed := resident(t)-before, m.encoder.bytes()
		t.Logf("%s: %d bytes more resident for %d of weights", dtype, grown, packed)
		if float64(grown) > 1.3*float64(packed) {
			t.Errorf("%s: loading took %d bytes for %d of weights", dtype, grown, packed)
		}
		runtime.KeepAlive(m)
	}
}

// bytes returns the size of the packed weights.
func (e *encoder) bytes() int {
	total := len(e.places) * 4
	total += e.words.Len() * map[string]int{"F32": 4, "F16": 2, "BF16": 2}[string(e.words.DType)]
	for _, l := range e.layers {
		for _, m := range []*kernel.Matrix{l.qkv, l.attention, l.up, l.down} {
			total += m.Bytes()
		}
	}
	return total
}

// resident returns the bytes of memory that this process has in use.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, after, found := bytes.Cut(status, []byte("VmRSS:"))
	fields := bytes.Fields(after)
	if !found || len(fields) == 0 {
		t.Skip("/proc/self/status has no VmRSS")
	}
	kilobytes, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
