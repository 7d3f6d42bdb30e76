package eval

import (
	"fmt"
	"math"
	"strings"
)

// Charts are drawn in SVG's units, which a browser scales to the page.
const (
	chartWidth, chartHeight = 760.0, 220.0
	// chartLeft and chartBottom leave room for the numbers of the axes.
	chartLeft, chartBottom, chartTop = 44.0, 24.0, 10.0
)

// A chart is what the template draws.
type chart struct {
	Width, Height float64
	Ticks         []tick
	Lines         []chartLine
	Bars          []bar
	// Left and Right are where the lines of the ticks begin and end, Base is
	// where the bars stand.
	Left, Right, Base float64
}

// A tick is a number at the vertical axis.
type tick struct {
	Y     float64
	Label string
}

// A chartLine is one measure over the windows.
type chartLine struct {
	Name, Class string
	// Points is as SVG's polyline takes it.
	Points string
	Dots   []dot
}

// A dot is one window's value.
type dot struct {
	X, Y  float64
	Title string
}

// A bar is one cluster: Pure is the height of the part with its commonest label.
type bar struct {
	X, Width        float64
	Y, Height       float64
	PureY, PureHigh float64
	Title           string
}

func newChart() chart {
	return chart{
		Width: chartWidth, Height: chartHeight,
		Left: chartLeft, Right: chartWidth - chartTop, Base: chartHeight - chartBottom,
	}
}

// y returns where a share of the full height lies. Below 0 is drawn as 0.
func (c chart) y(share float64) float64 {
	return round(c.Base - min(1, max(0, share))*(c.Base-chartTop))
}

// windowChart draws measures over the windows of a stream.
func windowChart(windows []Window) chart {
	c := newChart()
	for _, share := range []float64{0, 0.25, 0.5, 0.75, 1} {
		c.Ticks = append(c.Ticks, tick{c.y(share), fmt.Sprintf("%.2f", share)})
	}
	for _, measure := range []struct {
		name, class string
		of          func(Window) float64
	}{
		{"NMI", "first", func(w Window) float64 { return w.NMI }},
		{"ARI", "second", func(w Window) float64 { return w.ARI }},
		{"purity", "third", func(w Window) float64 { return w.Purity }},
	} {
		line := chartLine{Name: measure.name, Class: measure.class}
		var points strings.Builder
		for i, w := range windows {
			value := measure.of(w)
			d := dot{c.windowX(i, len(windows)), c.y(value), fmt.Sprintf("window %d: %s %.3f", i+1, measure.name, value)}
			line.Dots = append(line.Dots, d)
			fmt.Fprintf(&points, "%v,%v ", d.X, d.Y)
		}
		line.Points = strings.TrimSpace(points.String())
		c.Lines = append(c.Lines, line)
	}
	return c
}

func (c chart) windowX(i, n int) float64 {
	return round(c.Left + (float64(i)+0.5)/float64(n)*(c.Right-c.Left))
}

// sizeChart draws the sizes of clusters, the largest first.
func sizeChart(clusters []Cluster) chart {
	c := newChart()
	if len(clusters) == 0 {
		return c
	}
	largest := float64(clusters[0].Size)
	for _, size := range tickSizes(clusters[0].Size) {
		c.Ticks = append(c.Ticks, tick{c.y(float64(size) / largest), thousands(size)})
	}
	step := (c.Right - c.Left) / float64(len(clusters))
	for i, cluster := range clusters {
		commonest := cluster.Labels[0]
		b := bar{X: round(c.Left + (float64(i)+0.1)*step), Width: round(min(0.8*step, 40))}
		b.Y, b.PureY = c.y(float64(cluster.Size)/largest), c.y(float64(commonest.Count)/largest)
		b.Height, b.PureHigh = round(c.Base-b.Y), round(c.Base-b.PureY)
		b.Title = fmt.Sprintf("cluster %v: %s documents, %s of them %q",
			cluster.ID, thousands(cluster.Size), thousands(commonest.Count), clip(commonest.Label))
		c.Bars = append(c.Bars, b)
	}
	return c
}

// tickSizes returns 0 and some round numbers up to most.
func tickSizes(most int) []int {
	step := 1
	for i := 0; most/step > 5; i++ {
		step = [3]int{1, 2, 5}[i%3] * int(math.Pow10(i/3))
	}
	sizes := []int{0}
	for size := step; size <= most; size += step {
		sizes = append(sizes, size)
	}
	return sizes
}

// round leaves one decimal, which is finer than a screen shows.
func round(v float64) float64 { return math.Round(v*10) / 10 }
