package console

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"starling"
	"starling/cluster"
)

func update(seq int64, id, text string, c starling.ClusterID, events ...starling.Event) starling.Update {
	return starling.Update{
		Seq:        seq,
		Document:   starling.Document{ID: id, Text: text},
		Assignment: starling.Assignment{Cluster: c, Micro: starling.MicroID(c), Similarity: 0.5},
		Events:     events,
	}
}

func TestLinesSayWhatHappened(t *testing.T) {
	var out bytes.Buffer
	err := Lines(&out).Print([]starling.Update{
		update(1, "a", "evil \x1b[2J text", 7, starling.Event{Kind: starling.Created, To: 7, Size: 1}),
		update(2, "b", strings.Repeat("long ", 100), 7, starling.Event{Kind: starling.Merged, From: []starling.ClusterID{1, 2, 3, 4, 5}, To: 7}),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\n")
	if len(got) != 3 {
		t.Fatalf("%d lines for two updates", len(got)-1)
	}
	if want := "      1  cluster 7     0.50  evil [2J text  [new]"; got[0] != want {
		t.Errorf("printed %q, want %q", got[0], want)
	}
	if !strings.HasSuffix(got[1], "…  [1, 2, 3, 2 more became part of 7]") || len([]rune(got[1])) > defaultWidth {
		t.Errorf("printed %q", got[1])
	}
}

// Of a regrouping a line says what moved documents to another cluster, the first of
// it by name, and nothing of micro-clusters that only became part of others.
func TestLinesSayOfARegroupingWhatMoved(t *testing.T) {
	joined := starling.Event{Kind: starling.Joined, Micros: []starling.MicroID{1, 2}, Into: 3, To: 8}
	merged := starling.Event{Kind: starling.Merged, From: []starling.ClusterID{4, 5}, To: 8}
	split := starling.Event{Kind: starling.Split, From: []starling.ClusterID{8}, Micros: []starling.MicroID{3}, To: 9}
	grew := starling.Event{Kind: starling.Grew, To: 7, Size: 50}
	for want, events := range map[string][]starling.Event{
		"":                          {joined, {Kind: "faded", To: 7}},
		"  [part of 8 went to 9]":   {joined, split},
		"  [now 50]":                {grew},
		"  [8 is now 5; 9 is new]":  {{Kind: starling.Grew, To: 8, Size: 5}, {Kind: starling.Created, To: 9}},
		"  [4, 5 became part of 8]": {merged},
		"  [4, 5 became part of 8; part of 8 went to 9; now 50]":        {joined, merged, split, grew},
		"  [4, 5 became part of 8; 4, 5 became part of 8; 4 more; new]": {merged, merged, merged, split, split, split, {Kind: starling.Created, To: 7}},
	} {
		if got := describe(update(1, "a", "text", 7, events...)); got != want {
			t.Errorf("%v is described as %q, want %q", events, got, want)
		}
	}
}

func TestJSONLosesNothingAndIsSafe(t *testing.T) {
	var out bytes.Buffer
	text := "a\u202eb <tag> \U000e0041 \u0085 ü"
	if err := JSON(&out).Print([]starling.Update{update(1, "x", text, 2)}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\u202e", "\U000e0041", "\u0085"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%q stands in the output as it is", bad)
		}
	}
	var back map[string]any
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back["text"] != text || back["cluster"] != 2.0 || back["update"] != 1.0 {
		t.Errorf("the line means %v", back)
	}
}

func TestTableFitsItsWidth(t *testing.T) {
	var out bytes.Buffer
	err := Table(&out, []cluster.Summary{
		{ID: 3, Size: 12000, Terms: []string{"train", "late"}, Text: strings.Repeat("the train is late 日本 ", 30)},
		{ID: 1204, Size: 7, Terms: []string{strings.Repeat("x", 90)}, Text: "short"},
		{ID: 5, Size: 2, Name: "delays\u202e", Terms: []string{"bus"}, Text: "the bus is late"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(line)); n > defaultWidth+1 {
			t.Errorf("a line of %d characters: %q", n, line)
		}
	}
	for _, want := range []string{"   3  12000  train, late", "   5      2  delays  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed\n%s", out.String())
		}
	}
}
