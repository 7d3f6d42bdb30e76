package cluster

import (
	"fmt"
	"testing"
	"time"

	"starling"
)

// kinds returns the kinds of events that name a cluster, in order.
func kinds(updates []starling.Update, id starling.ClusterID) []starling.EventKind {
	var found []starling.EventKind
	for _, u := range updates {
		for _, e := range u.Events {
			if e.To == id {
				found = append(found, e.Kind)
			}
		}
	}
	return found
}

// days makes a stream of documents about x, then y for some days, then x again.
func days(t *testing.T, s *State, quiet int) []starling.Update {
	t.Helper()
	x, y := []float32{1, 0}, []float32{0, 1}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var updates []starling.Update
	add := func(vector []float32) {
		u, err := s.Apply(starling.Document{ID: fmt.Sprint(len(updates)), Text: "word", Time: now}, vector)
		if err != nil {
			t.Fatal(err)
		}
		updates = append(updates, u)
	}
	for range 20 {
		add(x)
	}
	for range quiet {
		now = now.Add(24 * time.Hour)
		for range 40 {
			add(y)
		}
	}
	add(x)
	return updates
}

func TestAClusterFadesAndWakes(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.5, HalfLifeTime: 24 * time.Hour})
	got := kinds(days(t, s, 7), 1) // 20 documents weigh less than 1 after five days, and enough for eight
	want := []starling.EventKind{starling.Created, starling.Grew, starling.Grew, starling.Grew, starling.Faded, starling.Reactivated}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("cluster 1 saw %v, want %v", got, want)
	}
	if c, ok := s.Cluster(1); !ok || c.Size != 21 {
		t.Errorf("the cluster is %+v", c)
	}
}

func TestAClusterExpires(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.5, HalfLifeTime: 24 * time.Hour})
	updates := days(t, s, 20)
	got := kinds(updates, 1)
	if got[len(got)-1] != starling.Expired {
		t.Errorf("cluster 1 saw %v", got)
	}
	if last := updates[len(updates)-1].Cluster; last == 1 || last == 2 {
		t.Errorf("the document came to cluster %v", last)
	}
	if b := encode(t, s); len(b) == 0 {
		t.Error("no encoding")
	} else if _, err := Decode(b); err != nil {
		t.Error(err)
	}
}

func TestWithoutHalfLifeNothingFades(t *testing.T) {
	s := newState(t, Config{Dim: 2, Threshold: 0.5})
	for _, k := range kinds(days(t, s, 40), 1) {
		if k != starling.Created && k != starling.Grew {
			t.Errorf("cluster 1 %s", k)
		}
	}
}

// A cluster is named by what it is about now.
func TestTermsFade(t *testing.T) {
	say := func(s *State, text string, times int) {
		for range times {
			if _, err := s.Apply(starling.Document{ID: fmt.Sprint(s.Documents()), Text: text}, []float32{1, 0}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for halfLife, want := range map[int64]string{0: "winter", 100: "spring"} {
		s := newState(t, Config{Dim: 2, Threshold: 0.5, HalfLife: halfLife})
		say(s, "winter", 700)
		say(s, "spring", 600)
		if got := s.Clusters(1)[0].Terms; got[0] != want {
			t.Errorf("with a half-life of %d the terms are %q", halfLife, got)
		}
	}
}
