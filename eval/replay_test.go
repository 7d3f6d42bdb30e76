package eval

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/cluster"
)

// A labelledText is a document of a small stream.
type labelledText struct {
	label, text string
	vector      []float32
}

// replayed replays a stream through a state with room for maxMicros.
func replayed(t testing.TB, stream []labelledText, maxMicros int) Result {
	t.Helper()
	return replay(t, stream, maxMicros).Result(time.Second)
}

func replay(t testing.TB, stream []labelledText, maxMicros int) *Replay {
	t.Helper()
	state, err := cluster.New(cluster.Config{Dim: len(stream[0].vector), Threshold: 0.5, MaxMicros: maxMicros})
	if err != nil {
		t.Fatal(err)
	}
	r := NewReplay(state)
	for i, d := range stream {
		documents := []starling.Document{{ID: fmt.Sprint(i), Text: d.text}}
		if err := r.Add(documents, []string{d.label}, [][]float32{d.vector}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// axes returns n documents a label, each label along an axis of its own.
func axes(labels, n int) (stream []labelledText) {
	for i := range labels * n {
		vector := make([]float32, labels)
		vector[i%labels] = 1
		stream = append(stream, labelledText{fmt.Sprintf("label %d", i%labels), fmt.Sprintf("text %d", i), vector})
	}
	return stream
}

func TestAStreamThatFallsApartByItselfScoresOne(t *testing.T) {
	r := replayed(t, axes(8, 10), 0)
	if r.Documents != 80 || r.Clusters != 8 || r.LargeClusters != 8 || r.Labels != 8 || r.NMI != 1 || r.ARI != 1 || r.Churn != 0 {
		t.Errorf("at the end: %+v", r.Scoring)
	}
	if r.Arrival.NMI != 1 || r.Arrival.Churn != 0 || r.Arrival.Seconds != 1 || r.Seconds != 1 {
		t.Errorf("on arrival: %+v", r.Arrival)
	}
	if len(r.Windows) != WindowCount || r.Windows[0].Documents != 5 || r.Windows[0].NMI != 1 {
		t.Errorf("windows: %+v", r.Windows)
	}
	if r.Silhouette == nil || *r.Silhouette != 1 || r.Windows[3].Silhouette == nil {
		t.Errorf("identical vectors in a cluster have a silhouette of 1, not %v", r.Silhouette)
	}
}

func TestMergesSetArrivalAndEndApart(t *testing.T) {
	// Eight directions do not fit into four micro-clusters: some are merged.
	r := replayed(t, axes(8, 10), 4)
	if r.Clusters > 4 || r.Arrival.Clusters <= r.Clusters {
		t.Errorf("%d clusters on arrival, %d at the end", r.Arrival.Clusters, r.Clusters)
	}
	if r.Churn != 0 || r.Arrival.Churn != 0 {
		t.Errorf("churn %v at the end, %v on arrival; events explain everything", r.Churn, r.Arrival.Churn)
	}
	documents := 0
	for _, c := range r.Largest {
		documents += c.Size
	}
	if documents != r.Documents {
		t.Errorf("the clusters have %d of %d documents", documents, r.Documents)
	}
}

func TestAClusterThatEventsDoNotExplainIsChurn(t *testing.T) {
	r := replay(t, axes(8, 10), 0)
	// As if an event had said so, which the state knows nothing of.
	r.events.Place(r.micros[3], 99)
	if result := r.Result(time.Second); result.Churn != 0.125 || result.Arrival.Churn != 0 || result.NMI != 1 {
		t.Errorf("churn %v of one cluster in eight, %v on arrival; NMI %v", result.Churn, result.Arrival.Churn, result.NMI)
	}
}

func TestOfNoDocumentsNothingIsSaid(t *testing.T) {
	state, err := cluster.New(cluster.Config{Dim: 2, Threshold: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	r := NewReplay(state).Result(0)
	if r.Documents != 0 || r.Churn != 0 || r.Silhouette != nil || len(r.Windows) != 0 || len(r.Largest) != 0 {
		t.Errorf("%+v", r)
	}
	var page bytes.Buffer
	if err := (Report{Result: r}).WriteHTML(&page); err != nil {
		t.Errorf("its page: %v", err)
	}
}

func TestWhatCannotBeAddedIsAnError(t *testing.T) {
	state, err := cluster.New(cluster.Config{Dim: 2, Threshold: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	r := NewReplay(state)
	documents := []starling.Document{{ID: "a", Text: "text"}}
	if err := r.Add(documents, nil, [][]float32{{1, 0}}); err == nil || !strings.Contains(err.Error(), "1 documents with 0 labels") {
		t.Errorf("no label: %v", err)
	}
	if err := r.Add(documents, []string{"x"}, [][]float32{{1, 0, 0}}); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("a vector that is too long: %v", err)
	}
}

func TestThePageEscapesWhatStrangersWrote(t *testing.T) {
	const attack = `</title><script>alert(1)</script><img src=x onerror="alert(1)">'"&`
	stream := append(axes(3, 6), labelledText{label: attack, text: attack, vector: []float32{-1, 0, 0}})
	var page bytes.Buffer
	report := Report{Input: attack, Model: attack, PutAside: 3, Result: replayed(t, stream, 0)}
	if err := report.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	html := page.String()
	for _, markup := range []string{"<script", "<img", "onerror=\""} {
		if strings.Contains(html, markup) {
			t.Errorf("%s is in the page", markup)
		}
	}
	if !strings.Contains(html, "&lt;script&gt;") {
		t.Error("the text itself is not in the page")
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	var page bytes.Buffer
	if err := (Report{Input: "in", Result: replayed(t, axes(9, 100), 0)}).WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?i)https?:|<script|<link|@import|url\(|\ssrc=`).FindString(page.String()); found != "" {
		t.Errorf("the page has %q", found)
	}
	for _, want := range []string{
		"<td class=\"number\">9</td>", "NMI", "1.000", "label 8", "text 4", "@media (prefers-",
		"window 16: NMI 1.000", "cluster 1: 100 documents, 100 of them", "900 documents with 9 labels",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if circles := strings.Count(page.String(), "<circle"); circles != 3*WindowCount {
		t.Errorf("%d dots in the chart, want one for each window and measure", circles)
	}
	if bars := strings.Count(page.String(), `class="pure"`); bars != 9 {
		t.Errorf("%d bars, want 9", bars)
	}
}

func TestAxesHaveFewRoundNumbers(t *testing.T) {
	for _, most := range []int{1, 2, 3, 5, 6, 9, 10, 11, 77, 100, 999, 1234567} {
		sizes := tickSizes(most)
		if len(sizes) < 2 || len(sizes) > 6 || sizes[0] != 0 || sizes[len(sizes)-1] > most || 2*sizes[len(sizes)-1] < most {
			t.Errorf("up to %d: %v", most, sizes)
		}
	}
}

func TestPercentRoundsNothingToAllOrNothing(t *testing.T) {
	for want, parts := range map[string][2]int{"0%": {0, 7}, "<1%": {1, 1000}, "50%": {1, 2}, ">99%": {999, 1000}, "100%": {7, 7}} {
		if got := percent(parts[0], parts[1]); got != want {
			t.Errorf("%d of %d is %s, want %s", parts[0], parts[1], got, want)
		}
	}
}

func TestAZeroHasNoSign(t *testing.T) {
	for measure, want := range map[float64]string{-0.0004: "0.000", 0: "0.000", -0.0006: "-0.001", 0.9996: "1.000"} {
		if got := Decimal(measure); got != want {
			t.Errorf("%v is written %q, want %q", measure, got, want)
		}
	}
}

func TestNumbersAreGroupedInThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is written %q", n, got)
		}
	}
}
