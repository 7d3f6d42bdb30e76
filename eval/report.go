package eval

import (
	_ "embed" // for the template
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Report is a result and what it is about.
type Report struct {
	// Input is the labelled stream, and Model the model or file that its
	// vectors are from.
	Input string `json:"input"`
	Model string `json:"model"`
	// PutAside counts the documents that no stream can hold, such as those
	// with a blank text. They are not scored.
	PutAside int `json:"put_aside"`
	Result
}

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"clip":      clip,
	"measure":   Decimal,
	"percent":   percent,
	"thousands": thousands,
}).Parse(page))

// WriteHTML writes the report as one page that needs nothing else: no scripts,
// no fonts, no network. Texts and labels of the stream are escaped.
func (r Report) WriteHTML(w io.Writer) error {
	return pageTemplate.Execute(w, struct {
		Report
		Measures []measureRow
		Windows  chart
		Sizes    chart
		Rest     rest
	}{r, r.measures(), windowChart(r.Windows), sizeChart(r.Largest), r.rest()})
}

// A measureRow is a measure at the end and on arrival.
type measureRow struct{ Name, End, Arrival, Meaning string }

func (r Report) measures() []measureRow {
	end, arrival := r.Scoring, r.Arrival
	row := func(name, meaning string, value func(Scoring) string) measureRow {
		return measureRow{Name: name, End: value(end), Arrival: value(arrival), Meaning: meaning}
	}
	number := func(of func(Scoring) float64) func(Scoring) string {
		return func(s Scoring) string { return Decimal(of(s)) }
	}
	return []measureRow{
		row("Clusters", "all of them", func(s Scoring) string { return thousands(s.Clusters) }),
		row("Large clusters", fmt.Sprintf("those with %d documents or more; there are %s such labels", LargeSize, thousands(end.LargeLabels)),
			func(s Scoring) string { return thousands(s.LargeClusters) }),
		row("NMI", "mutual information of clusters and labels, over the arithmetic mean of their entropies",
			number(func(s Scoring) float64 { return s.NMI })),
		row("AMI", "the same, adjusted for chance", number(func(s Scoring) float64 { return s.AMI })),
		row("ARI", "pairs of documents that clusters and labels agree on, adjusted for chance",
			number(func(s Scoring) float64 { return s.ARI })),
		row("Homogeneity", "1 when every cluster has one label", number(func(s Scoring) float64 { return s.Homogeneity })),
		row("Completeness", "1 when every label is in one cluster", number(func(s Scoring) float64 { return s.Completeness })),
		row("V-measure", "harmonic mean of the two", number(func(s Scoring) float64 { return s.VMeasure })),
		row("Purity", "documents with the commonest label of their cluster", number(func(s Scoring) float64 { return s.Purity })),
		row("Silhouette", "how well clusters stand apart, from -1 to 1, by their centroids alone", silhouetteOf),
		row("Churn", "documents whose cluster changed without an event that explains it",
			number(func(s Scoring) float64 { return s.Churn })),
	}
}

func silhouetteOf(s Scoring) string {
	if s.Silhouette == nil {
		return "–"
	}
	return Decimal(*s.Silhouette)
}

// rest counts what is in clusters that the report does not show.
type rest struct{ Clusters, Documents int }

func (r Report) rest() rest {
	left := rest{Clusters: r.Clusters - len(r.Largest), Documents: r.Documents}
	for _, c := range r.Largest {
		left.Documents -= c.Size
	}
	return left
}

// Decimal writes a measure with three decimals, and no sign at a zero.
func Decimal(measure float64) string {
	text := fmt.Sprintf("%.3f", measure)
	if text == "-0.000" {
		return "0.000"
	}
	return text
}

// percent says 0 and 100 of what is exactly that only.
func percent(part, whole int) string {
	share := 100 * float64(part) / float64(whole)
	switch {
	case part > 0 && share < 1:
		return "<1%"
	case part < whole && share > 99:
		return ">99%"
	}
	return fmt.Sprintf("%.0f%%", share)
}

// clipRunes is how much of a text a report shows.
const clipRunes = 240

func clip(text string) string {
	if utf8.RuneCountInString(text) <= clipRunes {
		return text
	}
	return string([]rune(text)[:clipRunes]) + "…"
}

// thousands writes a number with spaces between groups of three digits.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	var b strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(digit)
	}
	return b.String()
}
