package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"starling"
)

// The filter never denies a digest that was added, and few others pass, with
// one layer and with several.
func TestFilter(t *testing.T) {
	for _, n := range []int{0, 1000, firstRoom + 100_000} {
		f := filter{complete: true}
		for i := range n {
			f.add([]digest{digestOf(fmt.Sprint(i))})
		}
		for i := range n {
			if !f.mayHave(digestOf(fmt.Sprint(i))) {
				t.Fatalf("%d of %d is denied", i, n)
			}
		}
		passed := 0
		const others = 20_000
		for i := range others {
			if f.mayHave(digestOf(fmt.Sprint("other ", i))) {
				passed++
			}
		}
		if passed > others*3/100 {
			t.Errorf("with %d digests %d of %d others pass", n, passed, others)
		}
	}
}

// Until it is filled, the filter denies nothing.
func TestFilterBeforeItIsFilled(t *testing.T) {
	if f := new(filter); !f.mayHave(digestOf("a")) {
		t.Error("an unfilled filter denies")
	}
}

// idState makes a state whose table has some ids, and opens it again.
func idState(t *testing.T, n int) *Store {
	dir := filepath.Join(t.TempDir(), "state")
	s, err := Create(t.Context(), dir, Identity{Model: "m", Dim: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.writer.indexEvery = 1
	if err := errors.Join(s.Commit(t.Context(), Batch{Records: idRecords(0, n)}), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	s.writer.indexEvery = 1
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func idRecords(last, n int) []Record {
	records := make([]Record, n)
	for i := range records {
		records[i] = Record{
			Update: starling.Update{
				Seq:        int64(last + i + 1),
				Document:   starling.Document{ID: fmt.Sprint(last + i + 1)},
				Assignment: starling.Assignment{Cluster: 1, Micro: 1},
			},
			Embedding: []float32{1},
		}
	}
	return records
}

// An opened state fills its filter with what its table holds, while it works.
func TestFilterIsFilled(t *testing.T) {
	const n = 40_000 // more buckets than are read at once
	s := idState(t, n)
	if err := s.Commit(t.Context(), Batch{Records: idRecords(n, 1000)}); err != nil {
		t.Fatal(err)
	}
	s.writer.filling.Wait()
	if !s.writer.filter.complete {
		t.Fatal("the filter is not complete")
	}
	for i := range n + 1000 {
		if !s.writer.filter.mayHave(digestOf(fmt.Sprint(i + 1))) {
			t.Fatalf("id %d is denied", i+1)
		}
	}
	if s.writer.filter.mayHave(digestOf("another")) && s.writer.filter.mayHave(digestOf("one more")) && s.writer.filter.mayHave(digestOf("a third")) {
		t.Error("the filter denies nothing")
	}
}

// A filter that cannot be filled denies nothing, and whoever looks an id up
// meets the reason.
func TestFilterOfDamagedTable(t *testing.T) {
	s := idState(t, 1000)
	s.writer.filling.Wait()
	if _, err := s.writer.db.Exec("UPDATE ids SET digests = zeroblob(16)"); err != nil {
		t.Fatal(err)
	}
	f := new(filter)
	if err := f.fill(t.Context(), s.readers, s.path); !errors.Is(err, ErrDamaged) {
		t.Errorf("filling it gives the error %v", err)
	}
	if !f.mayHave(digestOf("another")) {
		t.Error("it denies")
	}
	if _, err := s.Known(t.Context(), []string{"1"}); !errors.Is(err, ErrDamaged) {
		t.Errorf("looking up gives the error %v", err)
	}
}

// Filling ends when the state is closed, however far it is.
func TestFilterStopsFilling(t *testing.T) {
	s := idState(t, 1000)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f := new(filter)
	if err := f.fill(ended, s.readers, s.path); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v", err)
	}
	if f.complete {
		t.Error("the filter says that it is complete")
	}
}
