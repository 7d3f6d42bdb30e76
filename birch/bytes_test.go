package birch

import (
	"runtime"
	"testing"
)

// A full tree, after rebuilds, holds no more memory than leaves room for the two
// others of the next rebuild, and not much less.
func TestMaxBytesBoundsTheMemory(t *testing.T) {
	const dim, most = 32, 12 << 20
	for _, c := range []Config{{}, {Branching: 4}, {SpillLimit: 2000, DelaySplits: true}, {ScanLimit: maxEntries}} {
		c.Dim, c.MaxBytes, c.Threshold = dim, most, 0.001
		before := heap()
		tree := mustNew(t, c)
		x := make([]float32, dim)
		for p := range 3 * tree.config.MaxEntries {
			grouped(x, p, 1<<19)
			if c.ScanLimit > 0 && p == tree.config.MaxEntries/2 {
				break // a scan of everything is slow
			}
			mustInsert(t, tree, x)
			if len(tree.nodes) > tree.config.maxNodes() {
				t.Fatalf("%d nodes, at most %d are allowed", len(tree.nodes), tree.config.maxNodes())
			}
		}
		used := heap() - before
		allowed := (most-int64(c.SpillLimit)*(dim*meanBytes+entryBytes))/atOnce + int64(tree.spill.len())*(dim*meanBytes+entryBytes)
		if used > allowed || tree.config.MaxEntries*dim*meanBytes < most/10 {
			t.Errorf("%+v: the tree takes %d bytes, at most %d are allowed", tree.config, used, allowed)
		}
		runtime.KeepAlive(tree)
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestMaxBytesMakesMaxEntries(t *testing.T) {
	for _, c := range []struct {
		Config
		least, most int
	}{
		{Config{Dim: 768}, 5000, 5000},
		{Config{Dim: 768, MaxBytes: 1 << 30}, 25_000, 36_000},
		{Config{Dim: 768, MaxBytes: 1 << 30, MaxEntries: 1000}, 1000, 1000},
		{Config{Dim: 768, MaxBytes: 1 << 30, SpillLimit: 50_000}, 15_000, 25_000},
		{Config{Dim: 2, MaxBytes: 1 << 50}, maxEntries, maxEntries},
	} {
		if got := mustNew(t, c.Config).Config().MaxEntries; got < c.least || got > c.most {
			t.Errorf("%+v: %d entries, want %d to %d", c.Config, got, c.least, c.most)
		}
	}
}
