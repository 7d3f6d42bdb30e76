package console

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"starling"
	"starling/cluster"
)

func glance(texts ...string) Glance {
	g := Glance{
		Source: "nats://broker/texts", Model: "small", Up: 90 * time.Second, Documents: 1_234_567, Clusters: 321, Micros: 1000,
		Rate: 12_345.6, Rates: []float64{1, 4, 8}, Lag: 42 * time.Millisecond, InFlight: 12, DeadLetters: 3, Memory: 300 << 20,
		Notice: "a notice", Order: "size", Events: []string{"older", "newer"},
		Stages: []StageGlance{{"embed", 0.5, 0.1}, {"cluster", 1.02, 1}},
	}
	for i, text := range texts {
		g.Top = append(g.Top, ClusterGlance{
			Summary: cluster.Summary{ID: starling.ClusterID(i + 1), Size: int64(1000 * i), Terms: []string{text, "and"}, Text: text},
			Spark:   []float64{0, 1, 2, 8}, Trend: "growing",
		})
	}
	return g
}

func TestTop(t *testing.T) {
	const want = `nats://broker/texts  model small  up 1m30s
1,234,567 documents  12,346/s  lag 42 ms  in flight 12  dead letters 3  memory 300 MiB
321 clusters, by size  1,000 micro-clusters  embed 50%  cluster 102% (queue full)
rate ▁▄█
a notice

    id       size  arrivals            terms                   text
     1          0   ▁▂█             ▲  parcel, and             parcel
     2      1,000   ▁▂█             ▲  sour lemons, and        sour lemons

newer
older`
	if got := strings.Join(Top(glance("parcel", "sour lemons"), 0, 96), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	g := glance("parcel")
	g.Unreachable = errors.New("refused")
	if got := strings.Join(Top(g, 0, 72), "\n"); !strings.Contains(got, "does not answer, this is how it was: refused") || strings.Contains(got, "notice") {
		t.Errorf("while the run does not answer it shows\n%s", got)
	}
}

// TestTopFitsTheScreen shows texts of strangers on screens of any size: no line is
// too wide, there are not too many, and nothing takes over the terminal.
func TestTopFitsTheScreen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := glance(rapid.SliceOf(rapid.String()).Draw(t, "texts")...)
		g.Source, g.Notice = rapid.String().Draw(t, "source"), rapid.String().Draw(t, "notice")
		g.Events = rapid.SliceOf(rapid.String()).Draw(t, "events")
		g.Rates = rapid.SliceOfN(rapid.Float64Range(0, 1e6), 0, 500).Draw(t, "rates")
		rows, columns := rapid.IntRange(8, 60).Draw(t, "rows"), rapid.IntRange(60, 200).Draw(t, "columns")
		lines := Top(g, rows, columns)
		if len(lines) > rows {
			t.Errorf("%d lines on %d rows", len(lines), rows)
		}
		for _, line := range lines {
			if width := uniseg.StringWidth(line); width > columns {
				t.Errorf("%q takes %d of %d columns", line, width, columns)
			}
			if line != strings.ReplaceAll(Safe(line), "\ufffd", "") && strings.ContainsAny(line, "\x1b\x07\n\r\u202e") {
				t.Errorf("%q is not safe", line)
			}
		}
	})
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 ms", 1500 * time.Microsecond: "1 ms", 1500 * time.Millisecond: "1.5 s", 90 * time.Second: "1m30s"} {
		if got := brief(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestAScreenBringsBackWhatWasThere(t *testing.T) {
	var out strings.Builder
	screen, err := NewScreen(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(screen.Show([]string{"a", "b"}), screen.Close()); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J\x1b[?25h\x1b[?1049l"; out.String() != want {
		t.Errorf("it wrote %q", out.String())
	}
	if got := fmt.Sprint(gather([]float64{1, 2, 3, 4, 5}, 3), gather(nil, 3)); got != "[3 7 5] []" {
		t.Errorf("gathered to %s", got)
	}
	if got := fmt.Sprint(Spark(nil), "|", Spark([]float64{0, 0})); got != "|  " {
		t.Errorf("sparks of nothing are %q", got)
	}
}
