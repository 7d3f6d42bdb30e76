package birch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDecodedTreeCarriesOnBitForBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		xs := drawVectors(t, c.Dim)
		cut := rapid.IntRange(0, len(xs)).Draw(t, "cut")
		straight := mustNew(t, c)
		for _, x := range xs[:cut] {
			mustInsert(t, straight, x)
		}
		resumed, err := Decode(encoded(t, straight))
		if err != nil {
			t.Fatal(err)
		}
		checkInvariants(t, resumed)
		if !bytes.Equal(encoded(t, resumed), encoded(t, straight)) {
			t.Fatal("a decoded tree has other bytes")
		}
		for _, x := range xs[cut:] {
			got, want := mustInsert(t, resumed, x), mustInsert(t, straight, x)
			if got.Entry != want.Entry || got.Created != want.Created || len(got.Merges) != len(want.Merges) {
				t.Fatalf("a decoded tree did %+v, want %+v", got, want)
			}
		}
		if !bytes.Equal(encoded(t, resumed), encoded(t, straight)) {
			t.Fatal("a decoded tree went another way")
		}
	})
}

// The checksums were taken once; that they hold on every CPU, with every set of
// kernels (GODEBUG=cpu.avx512f=off, the build tag purego) is the promise.
func TestSameBytesOnEveryCPU(t *testing.T) {
	for criterion, want := range map[Criterion]uint32{Radius: 0x07d117cf, Cosine: 0x66288985} {
		tree := mustNew(t, Config{Dim: 100, Threshold: 0.2, Criterion: criterion, MaxEntries: 300, ScanLimit: 150})
		x := make([]float32, 100)
		for p := range 5000 {
			grouped(x, p, 400)
			mustInsert(t, tree, x)
		}
		if tree.Threshold() == 0.2 {
			t.Errorf("%v: no rebuild took part", criterion)
		}
		if got := crc32.ChecksumIEEE(encoded(t, tree)); got != want {
			t.Errorf("%v: the tree's bytes have the checksum %#08x, want %#08x", criterion, got, want)
		}
	}
}

func TestAppendBinaryAppends(t *testing.T) {
	tree := smallTree(t)
	b, err := tree.AppendBinary([]byte("before"))
	if err != nil || !bytes.Equal(b, append([]byte("before"), encoded(t, tree)...)) {
		t.Errorf("appended to %q, error %v", b[:6], err)
	}
}

// smallTree has several levels, splits and rebuilds behind it.
func smallTree(t rapid.TB) *Tree {
	tree := mustNew(t, Config{Dim: 3, Threshold: 0.01, Branching: 3, MaxEntries: 30})
	x := make([]float32, 3)
	for p := range 200 {
		grouped(x, p, 20)
		mustInsert(t, tree, x)
	}
	return tree
}

// spillingTree has entries beside it and weights that are no whole numbers.
func spillingTree(t rapid.TB) *Tree {
	tree := mustNew(t, Config{Dim: 3, Threshold: 0.01, Branching: 3, MaxEntries: 20, MaxBytes: 1 << 20,
		SpillLimit: 10, OutlierShare: 0.5, DelaySplits: true, Criterion: Diameter, Distance: D2, MinCosine: 0.1})
	x := make([]float32, 3)
	for p := range 200 {
		grouped(x, p, 20+p)
		mustInsert(t, tree, x)
		if err := tree.Decay(0.99); err != nil {
			t.Fatal(err)
		}
	}
	if tree.spill.len() == 0 {
		t.Fatal("nothing is spilled")
	}
	return tree
}

func TestDamagedBytesAreRefused(t *testing.T) {
	whole := encoded(t, smallTree(t))
	for i := range whole {
		if _, err := Decode(whole[:i]); err == nil {
			t.Fatalf("the first %d of %d bytes are a tree", i, len(whole))
		}
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x10
		if _, err := Decode(damaged); err == nil {
			t.Fatalf("a tree with byte %d damaged is a tree", i)
		}
	}
	if _, err := Decode(append(bytes.Clone(whole), 0)); err == nil {
		t.Fatal("a tree with a byte more is a tree")
	}
	for _, version := range []byte{1, 3} {
		other := bytes.Clone(whole)
		other[7] = version
		want := fmt.Sprintf("in version %d of the format, and this program reads version 2", version)
		if _, err := Decode(other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %d gives the error %v", version, err)
		}
	}
}

// sealed wraps a body as AppendBinary does, so that its contents are looked at.
func sealed(body []byte) []byte {
	b := append([]byte(magic), make([]byte, 8)...)
	binary.LittleEndian.PutUint64(b[len(magic):], uint64(len(body)))
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func bodyOf(b []byte) []byte { return bytes.Clone(b[headerSize : len(b)-crcSize]) }

// Whatever single byte of a body is changed, the result is an error or a whole
// tree that can carry on.
func TestAlteredBodiesAreRefusedOrWhole(t *testing.T) {
	for _, tree := range []*Tree{smallTree(t), spillingTree(t)} {
		body := bodyOf(encoded(t, tree))
		for i := range body {
			for _, change := range []byte{0x01, 0x40, 0xff} {
				altered := bytes.Clone(body)
				altered[i] ^= change
				carryOn(t, sealed(altered))
			}
		}
	}
}

// carryOn decodes b and, if it is a tree, uses it.
func carryOn(t *testing.T, b []byte) {
	t.Helper()
	tree, err := Decode(b)
	if err != nil {
		return
	}
	if again := encoded(t, tree); !bytes.Equal(again, b) {
		t.Fatalf("%d bytes are a tree whose bytes are others, %d of them", len(b), len(again))
	}
	if tree.config.Dim > 1000 {
		return
	}
	x := make([]float32, tree.config.Dim)
	for i := range 20 {
		x[0] = float32(i + 1)
		in := mustInsert(t, tree, x)
		if _, err := tree.Nearest(x, 3); err != nil {
			t.Fatal(err)
		}
		if err := tree.Decay(0.9); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			_ = tree.RemoveWeighted(in.Entry, x, 0.9) // an error where the mean was absurd
		}
	}
	tree.Readmit()
	tree.Expire(1)
	tree.Expire(math.Inf(1))
	if tree.Len() != 0 {
		t.Fatalf("%d entries do not expire", tree.Len())
	}
}

func TestDecodeDoesNotBelieveSizes(t *testing.T) {
	s := mustNew(t, Config{Dim: 4, MaxEntries: maxEntries}).settings(0)
	s.Dim, s.ScanLimit, s.Entries = 1<<16, 1<<16, 1<<16
	body, err := binary.Append(nil, binary.LittleEndian, s)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Decode(sealed(body)); err == nil {
		t.Error("65,536 entries fit in no bytes")
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("decoding %d bytes took %d bytes of memory", len(body), used)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(bodyOf(encoded(f, smallTree(f))))
	f.Add(bodyOf(encoded(f, spillingTree(f))))
	empty := mustNew(f, Config{Dim: 2, Criterion: Cosine, Threshold: 1})
	f.Add(bodyOf(encoded(f, empty)))
	mustInsert(f, empty, []float32{1, 2})
	f.Add(bodyOf(encoded(f, empty)))
	f.Fuzz(func(t *testing.T, body []byte) {
		carryOn(t, sealed(body))
		carryOn(t, body)
	})
}
