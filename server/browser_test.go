package server_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browse opens a browser with an empty profile.
func browse(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	if testing.Short() {
		t.Skip("-short")
	}
	profile, err := os.MkdirTemp("", "starling-browser")
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // the browser may still be writing
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(profile), chromedp.WindowSize(1360, 860))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// becomes waits until an expression of the page is true. It asks from outside: the
// page's policy forbids what chromedp.Poll does inside.
func becomes(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			var is bool
			if err := chromedp.Evaluate("!!("+expression+")", &is).Do(ctx); err == nil && is {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return fmt.Errorf("never true: %s", expression)
	})
}

// serveAt serves a handler at an address, "" for any, until the test calls what is
// returned.
func serveAt(t testing.TB, addr string, handler http.Handler) (string, func()) {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	return listener.Addr().String(), func() {
		_ = s.Close() // Serve says what came of it
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

const rows = "document.querySelectorAll('.row').length"

// Whoever looks sees the clusters of the stream, finds them by words and meaning,
// and has the same page after a reload, and after the server went away and came back.
func TestThePageShowsTheStream(t *testing.T) {
	ctx := browse(t)
	stream := startStream(t)
	addr, stop := serveAt(t, "", stream.web.Handler())
	do(t, ctx, chromedp.Navigate("http://"+addr+"/"), becomes("document.querySelector('.state:not(.none)')?.textContent.includes('No documents')"))
	stream.publish(t, sampleTexts(t, 900)...)
	do(t, ctx,
		becomes("document.querySelector('footer').textContent.includes('900 documents')"),
		becomes(rows+" > 20"),
		becomes("Number(document.querySelector('.map').dataset.points) > 500"),
		becomes("document.querySelector('.link').textContent == 'live'"),
	)
	// The list leads to the cluster, and its address holds it.
	do(t, ctx, chromedp.Click(".row", chromedp.ByQuery), becomes("document.querySelector('.detail h2')"), becomes("location.hash.startsWith('#cluster=')"))
	var before, after string
	do(t, ctx, chromedp.Location(&before), chromedp.Reload(), becomes("document.querySelector('.detail h2')"), chromedp.Location(&after))
	if before != after {
		t.Errorf("reloaded from %s to %s", before, after)
	}
	// A name given here is in the list.
	do(t, ctx, chromedp.SetValue("input[name=name]", "my name", chromedp.ByQuery), chromedp.Click(".edits form button", chromedp.ByQuery),
		becomes("document.querySelector('.detail h2').textContent == 'my name'"), chromedp.Click(".back", chromedp.ByQuery), becomes("[...document.querySelectorAll('.row .name')].some(n => n.textContent.includes('my name'))"))
	do(t, ctx, chromedp.Click("#tab-search", chromedp.ByQuery), chromedp.SetValue("input[name=q]", "landlord", chromedp.ByQuery), chromedp.Click("[role=search] button", chromedp.ByQuery),
		becomes("document.querySelectorAll('.matches .row').length > 0"), becomes("document.querySelector('.results li')?.textContent.toLowerCase().includes('landlord')"))
	// A click on the map finds a cluster too, and the list shows which.
	do(t, ctx, chromedp.Click("#tab-clusters", chromedp.ByQuery), clickOnTheMap(), becomes("document.querySelector('.detail h2')"),
		becomes("location.hash.startsWith('#cluster=')"), chromedp.Click(".back", chromedp.ByQuery))
	stop()
	do(t, ctx, becomes("document.querySelector('.link').textContent.includes('disconnected')"))
	_, stop = serveAt(t, addr, stream.web.Handler())
	defer stop()
	do(t, ctx, becomes("document.querySelector('.link').textContent == 'live'"))
	checkAccessible(t, ctx)
}

// clickOnTheMap clicks here and there until a cluster is hit, which the page's address
// tells before what is known of it has come.
func clickOnTheMap() chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var box struct{ X, Y, Width, Height float64 }
		if err := chromedp.Evaluate("(r => ({X: r.x, Y: r.y, Width: r.width, Height: r.height}))(document.querySelector('.map').getBoundingClientRect())", &box).Do(ctx); err != nil {
			return err
		}
		end := time.Now().Add(60 * time.Second)
		for i := 0; time.Now().Before(end); i++ {
			x, y := box.X+box.Width*(0.1+0.8*float64(i*37%100)/100), box.Y+box.Height*(0.1+0.8*float64(i*61%100)/100)
			var hit bool
			err := chromedp.Run(ctx, chromedp.MouseClickXY(x, y), chromedp.Sleep(50*time.Millisecond),
				chromedp.Evaluate("location.hash.startsWith('#cluster=')", &hit))
			if err != nil || hit {
				return err
			}
		}
		return errors.New("no click on the map hits a cluster")
	})
}

// Texts of strangers are texts, whatever they say.
func TestThePageShowsTextsAsTexts(t *testing.T) {
	ctx := browse(t)
	stream := startStream(t)
	addr, stop := serveAt(t, "", stream.web.Handler())
	defer stop()
	evil := []string{
		"<script>document.title='owned'</script> a script",
		"<img src=x onerror=\"alert(7)\"> an image",
		"sour \u202e lemons",
		strings.Repeat("long ", 13_000),
	}
	stream.publish(t, evil...)
	do(t, ctx, chromedp.Navigate("http://"+addr+"/"), becomes(rows+" == 4"))
	var title, text string
	var scripts, images int
	do(t, ctx, chromedp.Title(&title), chromedp.Text("main", &text, chromedp.ByQuery),
		chromedp.Evaluate("document.querySelectorAll('main script').length", &scripts), chromedp.Evaluate("document.querySelectorAll('main img').length", &images))
	if title != "Starling" || scripts != 0 || images != 0 {
		t.Errorf("title %q, %d scripts, %d images", title, scripts, images)
	}
	for _, want := range []string{"<script>", "<img src=x", "⟨U+202E⟩"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	var wide bool
	do(t, ctx, chromedp.Evaluate("document.documentElement.scrollWidth > innerWidth", &wide))
	if wide {
		t.Error("the page is wider than the window")
	}
}

// checkAccessible has axe-core look at the page in both colours, where `make ui` has
// installed it.
func checkAccessible(t *testing.T, ctx context.Context) {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join("ui", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Log("axe-core is not installed: npm ci in server/ui")
		return
	}
	var ignored any
	for _, theme := range []string{"light", "dark"} {
		var faults []string
		do(t, ctx, chromedp.Evaluate("document.documentElement.dataset.theme='"+theme+"'", nil), chromedp.Evaluate(string(axe)+";1", &ignored),
			chromedp.Evaluate(`axe.run().then(r => r.violations.filter(v => v.impact == 'serious' || v.impact == 'critical').map(v => v.id + ': ' + v.nodes[0].html))`, &faults, chromedp.EvalAsValue, awaitPromise))
		for _, f := range faults {
			t.Errorf("%s: %s", theme, f)
		}
	}
}

// STARLING_SCREENSHOTS names the folder where pictures for the documentation go.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("STARLING_SCREENSHOTS")
	if dir == "" {
		t.Skip("STARLING_SCREENSHOTS is not set")
	}
	ctx := browse(t)
	stream := startStream(t)
	addr, stop := serveAt(t, "", stream.web.Handler())
	defer stop()
	stream.publish(t, sampleTexts(t, 0)...)
	for _, shot := range []struct {
		name, theme   string
		width, height int64
		hash          string
	}{{"light", "light", 1360, 860, ""}, {"dark", "dark", 1360, 860, ""}, {"detail", "dark", 1360, 860, "8"}, {"phone", "light", 390, 844, ""}} {
		var picture []byte
		do(t, ctx, emulation.SetDeviceMetricsOverride(shot.width, shot.height, 1, false), chromedp.Navigate("http://"+addr+"/"),
			chromedp.Evaluate("localStorage.setItem('theme','"+shot.theme+"')", nil), chromedp.Reload(), becomes(rows+" > 20"))
		if shot.hash != "" {
			do(t, ctx, chromedp.Click(".row", chromedp.ByQuery), becomes("document.querySelector('.detail h2')"))
		}
		do(t, ctx, chromedp.Sleep(4*time.Second), chromedp.CaptureScreenshot(&picture))
		if err := os.WriteFile(filepath.Join(dir, "page-"+shot.name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
