package console

import (
	"bytes"
	"encoding/json"
	"iter"
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

func none() iter.Seq2[starling.Update, error] {
	return func(func(starling.Update, error) bool) {}
}

// The Python example prints the number of the update and then all labels with
// the texts and ids of all documents so far.
func TestClassicPrintsEverythingAfterEachMessage(t *testing.T) {
	var out bytes.Buffer
	printer, err := Classic(&out, none())
	if err != nil {
		t.Fatal(err)
	}
	err = printer.Print([]starling.Update{
		update(1, "a", "first", 1),
		update(2, "b", "second\nline", 2),
		update(3, "c", "third", 1, starling.Event{Kind: starling.Merged, From: []starling.ClusterID{2}, To: 1, Size: 2}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `Update Number: 1:::

1: [{"id":"a","text":"first"}]




Update Number: 2:::

1: [{"id":"a","text":"first"}]
2: [{"id":"b","text":"second\nline"}]




Update Number: 3:::

1: [{"id":"a","text":"first"},{"id":"b","text":"second\nline"},{"id":"c","text":"third"}]




`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestClassicBeginsWithWhatTheStateHolds(t *testing.T) {
	var out bytes.Buffer
	earlier := func(yield func(starling.Update, error) bool) { yield(update(1, "a", "old", 4), nil) }
	printer, err := Classic(&out, earlier)
	if err != nil {
		t.Fatal(err)
	}
	if err := printer.Print([]starling.Update{update(2, "b", "new", 4)}); err != nil {
		t.Fatal(err)
	}
	if want := `4: [{"id":"a","text":"old"},{"id":"b","text":"new"}]`; !strings.Contains(out.String(), want) {
		t.Errorf("printed %s, want %s in it", out.String(), want)
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
	})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(line)); n > defaultWidth+1 {
			t.Errorf("a line of %d characters: %q", n, line)
		}
	}
	if !strings.Contains(out.String(), "   3  12000  train, late") {
		t.Errorf("printed\n%s", out.String())
	}
}
