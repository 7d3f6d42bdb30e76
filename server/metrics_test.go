package server_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTheDashboardShowsMetricsThatThereAre looks for each metric of the dashboard in
// what a run tells, with the labels that it is grouped by.
func TestTheDashboardShowsMetricsThatThereAre(t *testing.T) {
	s := startStream(t)
	s.publish(t, sampleTexts(t, 40)...)
	told := ask(t, s.web.Handler(), "GET", "/metrics", "").Body.String()
	data, err := os.ReadFile("../deploy/grafana-dashboard.json")
	check(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	check(t, json.Unmarshal(data, &dashboard))
	names := regexp.MustCompile(`\b(starling|process|go)_[a-z_]+`)
	by := regexp.MustCompile(`by \(([a-z]+)\)`)
	seen := map[string]bool{}
	for _, panel := range dashboard.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("%s shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			found := names.FindAllString(target.Expr, -1)
			for _, name := range found {
				seen[name] = true
				if !regexp.MustCompile(`(?m)^` + name + `[ {]`).MatchString(told) {
					t.Errorf("%s: a run tells of no %s", panel.Title, name)
				}
			}
			for _, label := range by.FindAllStringSubmatch(target.Expr, -1) {
				if !strings.Contains(told, label[1]+`="`) {
					t.Errorf("%s: no metric of %v has the label %s", panel.Title, found, label[1])
				}
			}
		}
	}
	for _, line := range strings.Split(told, "\n") {
		if name, is := strings.CutPrefix(line, "# TYPE starling_"); is && !seen["starling_"+strings.Fields(name)[0]] {
			t.Errorf("the dashboard does not show starling_%s", strings.Fields(name)[0])
		}
	}
}
