// Package rounds keeps the figures of contenders that are measured in turn, and
// compares them round by round: a disturbance of the machine meets both sides
// of a ratio.
package rounds

import "slices"

// A Series is the figures of one contender at one setting, a round each.
type Series []float64

// Median returns the middle figure, or the mean of the two in the middle.
func (s Series) Median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Min returns the lowest figure.
func (s Series) Min() float64 { return slices.Min(s) }

// Max returns the highest figure.
func (s Series) Max() float64 { return slices.Max(s) }

// A Table holds the series of contenders, each at some settings. More is
// better.
type Table struct {
	names    []string
	settings map[string][]string
	series   map[[2]string]Series
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{settings: map[string][]string{}, series: map[[2]string]Series{}}
}

// Add adds the figure of a round.
func (t *Table) Add(name, setting string, figure float64) {
	key := [2]string{name, setting}
	if _, known := t.settings[name]; !known {
		t.names = append(t.names, name)
	}
	if _, known := t.series[key]; !known {
		t.settings[name] = append(t.settings[name], setting)
	}
	t.series[key] = append(t.series[key], figure)
}

// Names returns the contenders in the order of their first figures.
func (t *Table) Names() []string { return t.names }

// Best returns the setting with the highest median of a contender, and its
// figures.
func (t *Table) Best(name string) (string, Series) {
	var best string
	for _, setting := range t.settings[name] {
		if best == "" || t.series[[2]string{name, setting}].Median() > t.series[[2]string{name, best}].Median() {
			best = setting
		}
	}
	return best, t.series[[2]string{name, best}]
}

// Ratio returns one contender's figures over another's, round by round, each at
// its best setting. It is false where one of them was not measured.
func (t *Table) Ratio(name, over string) (Series, bool) {
	_, a := t.Best(name)
	_, b := t.Best(over)
	n := min(len(a), len(b))
	ratio := make(Series, n)
	for i := range ratio {
		ratio[i] = a[i] / b[i]
	}
	return ratio, n > 0
}
