package server_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"starling/broker"
	"starling/pipeline"
	"starling/server"
)

// soakSetting runs the tests that take minutes.
const soakSetting = "STARLING_TEST_SOAK"

// TestTheStateOfAMillionDocuments opens such a state, which it makes first, and says
// how long the page and each answer of the API take, what is sent and what memory
// that takes.
func TestTheStateOfAMillionDocuments(t *testing.T) {
	if os.Getenv(soakSetting) == "" {
		t.Skip("it takes minutes; set " + soakSetting)
	}
	file := filepath.Join(t.TempDir(), "texts.txt")
	const n = 1_000_000
	check(t, os.WriteFile(file, []byte(textsAbout(n)), 0o600))
	dir := filepath.Join(t.TempDir(), "state")
	fill(t, dir, file)

	before := resident(t)
	s := &stream{web: server.New(server.Settings{})}
	opened := time.Now()
	s.open(t, dir, "")
	await(t, func() bool { return ask(t, s.web.Handler(), "GET", "/readyz", "").Code == http.StatusOK })
	t.Logf("%v until the page is ready", time.Since(opened))
	await(t, func() bool {
		return !decode[struct{ Loading bool }](t, ask(t, s.web.Handler(), "GET", "/api/status", "")).Loading
	})
	t.Logf("%v until all of it is there, history and map included; %d MiB more are resident", time.Since(opened), resident(t)-before)
	took := map[string][]time.Duration{}
	largest := decode[clusters](t, ask(t, s.web.Handler(), "GET", "/api/clusters?limit=1", "")).Clusters[0].ID
	paths := []string{
		"/api/status", "/api/clusters", "/api/clusters?sort=growth&q=a", fmt.Sprint("/api/clusters/", largest),
		fmt.Sprint("/api/clusters/", largest, "/documents"), "/api/documents", "/api/search?q=parcel", "/api/map", "/api/map/points", "/api/timeline", "/metrics",
	}
	for range 21 {
		for _, path := range paths {
			began := time.Now()
			w := ask(t, s.web.Handler(), "GET", path, "")
			took[path] = append(took[path], time.Since(began))
			if w.Code != http.StatusOK {
				t.Fatalf("%s: %d, %s", path, w.Code, w.Body)
			}
		}
	}
	for _, path := range paths {
		slices.Sort(took[path])
		t.Logf("%-40s %8.2f ms in the median, %8.2f at most, %d bytes", path,
			took[path][10].Seconds()*1000, took[path][20].Seconds()*1000, ask(t, s.web.Handler(), "GET", path, "").Body.Len())
	}

	ctx := browse(t)
	addr, stop := serveAt(t, "", s.web.Handler())
	defer stop()
	do(t, ctx, chromedp.Navigate("about:blank"))
	began := time.Now()
	do(t, ctx, chromedp.Navigate("http://"+addr+"/"), becomes(rows+" > 20"))
	t.Logf("%v until the list is there in a browser", time.Since(began))
	measureFrames(t, ctx, 1000)

	// As many documents come as the map holds points.
	var more []broker.OutMessage
	for text := range strings.Lines(textsAbout(100_000)) {
		more = append(more, broker.OutMessage{Body: []byte(text), Attributes: map[string]string{"id": fmt.Sprint("more ", len(more))}})
	}
	check(t, s.topic.Publish(t.Context(), more))
	await(t, func() bool { return s.pipeline.Stats().Documents == int64(len(more)) })
	do(t, ctx, chromedp.Reload())
	measureFrames(t, ctx, 60_000)
}

// measureFrames zooms the map, once it has so many points, and tells how many frames
// a second that makes.
func measureFrames(t *testing.T, ctx context.Context, least int) {
	t.Helper()
	do(t, ctx, becomes(fmt.Sprintf("Number(document.querySelector('.map')?.dataset.points) > %d", least)))
	var points, frames float64
	do(t, ctx, chromedp.Evaluate("Number(document.querySelector('.map').dataset.points)", &points),
		chromedp.Evaluate(`new Promise(done => { let n = 0; const began = performance.now(); const map = document.querySelector('.map');
			const step = () => { n++; map.dispatchEvent(new WheelEvent('wheel', {deltaY: n % 20 < 10 ? -20 : 20, clientX: 300, clientY: 300, bubbles: true, cancelable: true}));
				performance.now() - began < 2000 ? requestAnimationFrame(step) : done(n / 2) }; step() })`, &frames, awaitPromise))
	t.Logf("%.0f points on the map, %.0f frames a second while zooming, drawn without a graphics card", points, frames)
}

// textsAbout returns n texts about a thousand things, of twenty words each.
func textsAbout(n int) string {
	var b strings.Builder
	random := uint64(1)
	next := func(n int) int {
		random = random*6364136223846793005 + 1442695040888963407
		return int(random>>33) % n
	}
	for range n {
		topic := next(1000)
		for range 5 + next(10) {
			word := topic*20 + next(20)
			if next(4) == 0 {
				word = next(20_000)
			}
			fmt.Fprintf(&b, "%c%c%c%c%c ", 'a'+word%26, 'a'+word/26%26, 'a'+word/676%26, 'a'+word*7%26, 'a'+word*11/26%26)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// fill clusters a file into a new state.
func fill(t *testing.T, dir, file string) {
	t.Helper()
	st, model := createState(t, dir)
	state, err := pipeline.Recover(t.Context(), st)
	check(t, err)
	source, err := broker.OpenSource(t.Context(), "file:"+file, broker.SourceOptions{})
	check(t, err)
	began := time.Now()
	summary, err := pipeline.New(pipeline.Settings{Source: source, Model: model, Store: st, State: state}).Run(t.Context())
	check(t, err)
	t.Logf("%d documents from a file in %v", summary.Documents, time.Since(began))
	check(t, source.Close(context.Background()))
	check(t, st.Close())
}

// resident returns how many MiB of this process are in memory.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("memory is read on Linux only")
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib int
	_, err = fmt.Sscan(rest, &kib)
	check(t, err)
	return kib / 1024
}
