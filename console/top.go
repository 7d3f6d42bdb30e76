package console

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"starling/cluster"
)

// A Glance is what [Top] shows of a run.
type Glance struct {
	Source, Model string
	// Up is how long the run has been going.
	Up                    time.Duration
	Documents             int64
	Clusters, Micros      int
	Rate                  float64 // documents a second of late
	Rates                 []float64
	Lag                   time.Duration
	InFlight, DeadLetters int64
	Memory                uint64 // bytes
	Notice                string
	Stages                []StageGlance
	Order                 string // by what Top is ordered
	Top                   []ClusterGlance
	Events                []string // the newest last
	Unreachable           error    // why what is shown is old, or nil
}

// A StageGlance is one stage: how busy it was, 1 for one core all the time, and how
// full its queue is, from 0 to 1.
type StageGlance struct {
	Name       string
	Busy, Full float64
}

// A ClusterGlance is one cluster, with how many documents came over time.
type ClusterGlance struct {
	cluster.Summary
	Spark []float64
	Trend string
}

// Top returns the lines of a screen of so many rows and columns; with rows 0, of as
// many as there are.
func Top(g Glance, rows, columns int) []string {
	lines := append(heading(g, columns), "")
	table := topTable(g, columns)
	events := g.Events
	if rows > 0 {
		shown := min(len(events), max(0, min(5, rows/6)))
		events = events[len(events)-shown:]
		room := rows - len(lines) - shown - 1
		if shown > 0 {
			room--
		}
		table = table[:max(0, min(len(table), room))]
	}
	lines = append(lines, table...)
	if len(events) > 0 {
		lines = append(lines, "")
	}
	for i := len(events) - 1; i >= 0; i-- {
		lines = append(lines, Clip(events[i], columns))
	}
	return lines
}

// heading is what is known of the run as a whole.
func heading(g Glance, columns int) []string {
	lines := []string{
		Clip(fmt.Sprintf("%s  model %s  up %s", g.Source, g.Model, g.Up.Round(time.Second)), columns),
		Clip(fmt.Sprintf("%s documents  %s/s  lag %s  in flight %s  dead letters %s  memory %s",
			grouped(g.Documents), grouped(int64(math.Round(g.Rate))), brief(g.Lag), grouped(g.InFlight), grouped(g.DeadLetters), size(g.Memory)), columns),
		Clip(fmt.Sprintf("%s clusters, by %s  %s micro-clusters  %s", grouped(int64(g.Clusters)), g.Order, grouped(int64(g.Micros)), stages(g.Stages)), columns),
	}
	if len(g.Rates) > 1 {
		const title = "rate "
		lines = append(lines, title+Spark(last(g.Rates, columns-len(title))))
	}
	if g.Unreachable != nil {
		lines = append(lines, Clip("the run does not answer, this is how it was: "+g.Unreachable.Error(), columns))
	} else if g.Notice != "" {
		lines = append(lines, Clip(g.Notice, columns))
	}
	return lines
}

func stages(all []StageGlance) string {
	var said []string
	for _, s := range all {
		text := fmt.Sprintf("%s %.0f%%", s.Name, 100*s.Busy)
		if s.Full >= 0.5 {
			text += " (queue full)"
		}
		said = append(said, text)
	}
	return strings.Join(said, "  ")
}

const sparkColumns = 16

// topTable is the clusters, below a line of titles.
func topTable(g Glance, columns int) []string {
	const fixed = 6 + 2 + 9 + 2 + sparkColumns + 1 + 1 + 2 // columns before the terms
	terms := min(36, max(12, (columns-fixed)*2/5))
	text := max(0, columns-fixed-terms-2)
	lines := []string{Clip(fmt.Sprintf("%6s  %9s  %s  %s  text", "id", "size", pad("arrivals", sparkColumns+2), pad("terms", terms)), columns)}
	for _, c := range g.Top {
		name := Clip(cmp.Or(c.Name, strings.Join(c.Terms, ", ")), terms)
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%6s  %9s  %s %s  %s  %s", c.ID, grouped(c.Size),
			pad(Spark(gather(c.Spark, sparkColumns)), sparkColumns), trendMark(c.Trend), pad(name, terms), Clip(c.Text, text)), " "))
	}
	return lines
}

func trendMark(trend string) string {
	switch trend {
	case "growing":
		return "▲"
	case "fading":
		return "▽"
	}
	return " "
}

func last(values []float64, n int) []float64 { return values[max(0, len(values)-max(0, n)):] }

// gather adds values up, so many at a time that there are at most n.
func gather(values []float64, n int) []float64 {
	each := (len(values) + n - 1) / n
	var sums []float64
	for i, v := range values {
		if i%max(1, each) == 0 {
			sums = append(sums, 0)
		}
		sums[len(sums)-1] += v
	}
	return sums
}

// Spark draws values of at least 0 as bars, one column each, the largest of them a
// full one.
func Spark(values []float64) string {
	bars := []rune(" ▁▂▃▄▅▆▇█")
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	var b strings.Builder
	for _, v := range values {
		bar := 0
		if most > 0 && v > 0 {
			bar = max(1, int(math.Round(v/most*float64(len(bars)-1))))
		}
		b.WriteRune(bars[bar])
	}
	return b.String()
}

// grouped writes a number with commas between its thousands.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func brief(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "0 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func size(bytes uint64) string { return fmt.Sprintf("%d MiB", bytes>>20) }

// A Screen shows one screen after the other in a terminal, in place of what was
// there, which comes back in the end.
type Screen struct{ w io.Writer }

// NewScreen begins with an empty screen.
func NewScreen(w io.Writer) (*Screen, error) {
	_, err := io.WriteString(w, "\x1b[?1049h\x1b[?25l\x1b[2J")
	return &Screen{w}, err
}

// Show shows lines, which fit the width of the terminal.
func (s *Screen) Show(lines []string) error {
	_, err := io.WriteString(s.w, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[K\x1b[J")
	return err
}

// Close brings back what was there before.
func (s *Screen) Close() error {
	_, err := io.WriteString(s.w, "\x1b[?25h\x1b[?1049l")
	return err
}
