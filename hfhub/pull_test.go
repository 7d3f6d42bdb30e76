package hfhub

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"starling/backoff"
	"starling/hfhub/hubtest"
)

const secret = "hf_abcdefghijklmnopqrstuvwxyz"

var model = Repository{Models, "org/name"}

// weights are more than fits into the buffers of a connection.
var weights = random(1 << 20)

func random(n int) []byte {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(b)
	return b
}

// start returns a hub with one model and a client of it.
func start(t *testing.T) (*hubtest.Server, *Hub) {
	t.Helper()
	server := hubtest.Start(t)
	server.Put("models/org/name", "config.json", []byte(`{"model_type":"bert"}`))
	server.Put("models/org/name", "1_Pooling/config.json", []byte("{}"))
	server.Put("models/org/name", "model.safetensors", weights)
	return server, &Hub{
		Endpoint: server.URL,
		Cache:    t.TempDir(),
		Retry:    backoff.Policy{Tries: 3, First: time.Millisecond, Most: time.Millisecond},
	}
}

// partOf is where the incomplete weights are.
func partOf(h *Hub) string {
	return filepath.Join(h.Cache, "models--org--name", "blobs", hubtest.Digest("model.safetensors", weights)+".incomplete")
}

func all(files []string) ([]string, error) { return files, nil }

func pull(t *testing.T, h *Hub) (string, error) {
	t.Helper()
	return h.Pull(t.Context(), Request{Repository: model, Choose: all})
}

// wantModel says what differs between the snapshot and the model on the hub.
func wantModel(t *testing.T, dir string) {
	t.Helper()
	for file, want := range map[string][]byte{
		"config.json": []byte(`{"model_type":"bert"}`), "1_Pooling/config.json": []byte("{}"), "model.safetensors": weights,
	} {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v, want %d", file, len(got), err, len(want))
		}
	}
}

// wantNothing says that a failed pull must leave nothing that can be loaded.
func wantNothing(t *testing.T, h *Hub) {
	t.Helper()
	if dir, err := h.Snapshot(model, ""); !errors.Is(err, ErrNotCached) {
		t.Errorf("there is a snapshot %s, %v", dir, err)
	}
}

func TestPullFillsTheCacheAsTheHubsToolsDo(t *testing.T) {
	server, h := start(t)
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	commit := server.Commit("models/org/name")
	repository := filepath.Join(h.Cache, "models--org--name")
	if want := filepath.Join(repository, "snapshots", commit); dir != want {
		t.Errorf("the snapshot is %s, want %s", dir, want)
	}
	wantModel(t, dir)
	if found, err := h.Snapshot(model, "main"); found != dir {
		t.Errorf("found %q, %v", found, err)
	}
	if ref, err := os.ReadFile(filepath.Join(repository, "refs", "main")); string(ref) != commit {
		t.Errorf("refs/main holds %q, %v", ref, err)
	}
	target, err := os.Readlink(filepath.Join(dir, "1_Pooling", "config.json"))
	digest := hubtest.Digest("1_Pooling/config.json", []byte("{}"))
	if want := filepath.Join("..", "..", "..", "blobs", digest); runtime.GOOS != "windows" && target != want {
		t.Errorf("the link leads to %q, %v, want %q", target, err, want)
	}
	if left, _ := filepath.Glob(filepath.Join(repository, "*", "*.*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestPullAgainDownloadsNothing(t *testing.T) {
	server, h := start(t)
	if _, err := pull(t, h); err != nil {
		t.Fatal(err)
	}
	before := len(server.Requests())
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
	for _, r := range server.Requests()[before:] {
		if r.Method == http.MethodGet && !strings.HasPrefix(r.Path, "/api/models/") {
			t.Errorf("asked again: %+v", r)
		}
	}
}

func TestPullRepairsWhatIsDamaged(t *testing.T) {
	for name, damage := range map[string]func(blob string) error{
		"shortened": func(blob string) error { return os.Truncate(blob, 10) },
		"altered":   func(blob string) error { return os.WriteFile(blob, make([]byte, len(weights)), 0o600) },
		"removed":   os.Remove,
	} {
		_, h := start(t)
		dir, err := pull(t, h)
		if err != nil {
			t.Fatal(err)
		}
		blob, err := filepath.EvalSymlinks(filepath.Join(dir, "model.safetensors"))
		if err := errors.Join(err, damage(blob)); err != nil {
			t.Fatal(err)
		}
		if dir, err = pull(t, h); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantModel(t, dir)
	}
}

func TestPullGoesOnAfterEveryCut(t *testing.T) {
	server, h := start(t)
	// More pieces than tries: progress counts.
	server.CutAfter = len(weights)/8 + 1
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
	ranges := 0
	for _, r := range server.Requests() {
		if r.Range != "" && strings.HasPrefix(r.Host, "localhost:") {
			ranges++
		}
	}
	if ranges != 7 {
		t.Errorf("%d requests for a range, want 7", ranges)
	}
}

func TestAServerWithoutRangesThatAlwaysCutsIsGivenUp(t *testing.T) {
	server, h := start(t)
	server.CutAfter, server.NoRanges = len(weights)/2, true
	_, err := pull(t, h)
	if err == nil || !strings.Contains(err.Error(), "connection broke") || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("got %v", err)
	}
	wantNothing(t, h)
}

func TestAServerThatIgnoresTheRangeStartsTheFileAnew(t *testing.T) {
	server, h := start(t)
	server.CutAfter, server.NoRanges = len(weights)/2, true
	if _, err := pull(t, h); err == nil {
		t.Fatal("there was no cut")
	}
	server.CutAfter = 0
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
}

func TestACancelledPullIsNeverFoundAndGoesOn(t *testing.T) {
	server, h := start(t)
	server.CutAfter = len(weights) / 2
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	_, err := h.Pull(ctx, Request{Repository: model, Choose: all, Progress: func(file string, done, _ int64) {
		if file == "model.safetensors" && done > 0 {
			cancel(interrupted)
		}
	}})
	if !errors.Is(err, interrupted) {
		t.Fatalf("got %v", err)
	}
	wantNothing(t, h)
	server.CutAfter = 0
	wantResumed(t, server, h)
}

// wantResumed pulls what has begun before.
func wantResumed(t *testing.T, server *hubtest.Server, h *Hub) {
	t.Helper()
	before := len(server.Requests())
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
	if !slices.ContainsFunc(server.Requests()[before:], func(r hubtest.Request) bool { return r.Range != "" }) {
		t.Error("the second pull began anew")
	}
}

func TestAPartOfAnotherVersionIsNotUsed(t *testing.T) {
	server, h := start(t)
	server.CutAfter, server.NoRanges = len(weights)/2, true
	if _, err := pull(t, h); err == nil {
		t.Fatal("there was no cut")
	}
	server.CutAfter, server.NoRanges = 0, false
	server.Put("models/org/name", "model.safetensors", weights[7:])
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "model.safetensors")); !bytes.Equal(got, weights[7:]) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// A mirror may serve another file than it described.
func TestAFileThatChangesOnTheWayIsStartedAnew(t *testing.T) {
	server, h := start(t)
	server.CutAfter = len(weights) / 2
	storageRequests := 0
	newWeights := append([]byte("new"), weights...)
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		isFile := strings.HasSuffix(r.URL.Path, "model.safetensors")
		if isFile && strings.Contains(r.URL.Path, "/resolve/") {
			content := weights
			if storageRequests > 0 {
				content = newWeights
			}
			w.Header().Set("X-Linked-Etag", hubtest.Digest("model.safetensors", content))
			http.Redirect(w, r, server.Storage+"/models/org/name/model.safetensors", http.StatusFound)
			return true
		}
		if isFile {
			if storageRequests++; storageRequests > 1 {
				_, _ = w.Write(newWeights)
				return true
			}
		}
		return false
	})
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "model.safetensors")); !bytes.Equal(got, newWeights) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestWrongContentIsRefused(t *testing.T) {
	for _, file := range []string{"model.safetensors", "config.json"} {
		server, h := start(t)
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/"+file) || strings.Contains(r.URL.Path, "/resolve/") || strings.Contains(r.URL.Path, "Pooling") {
				return false
			}
			size := len(weights)
			if file == "config.json" {
				size = len(`{"model_type":"bert"}`)
			}
			_, _ = w.Write(make([]byte, size))
			return true
		})
		_, err := pull(t, h)
		if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "digest") {
			t.Errorf("%s: got %v", file, err)
		}
		wantNothing(t, h)
		if left, _ := filepath.Glob(filepath.Join(h.Cache, "*", "blobs", "*.incomplete")); len(left) != 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

func TestADamagedPartIsThrownAwayOnce(t *testing.T) {
	_, h := start(t)
	part := partOf(h)
	blobs := filepath.Dir(part)
	for _, size := range []int{10, len(weights), len(weights) + 10} {
		if err := errors.Join(os.RemoveAll(blobs), os.MkdirAll(blobs, 0o700), os.WriteFile(part, make([]byte, size), 0o600)); err != nil {
			t.Fatal(err)
		}
		dir, err := pull(t, h)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		wantModel(t, dir)
	}
}

func TestMoreThanWasStatedIsRefused(t *testing.T) {
	server, h := start(t)
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/models/org/name/model") {
			return false
		}
		for range 64 {
			_, _ = w.Write(weights)
		}
		return true
	})
	if _, err := pull(t, h); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
	wantNothing(t, h)
}

func TestPullWaitsWhenTheHubIsBusy(t *testing.T) {
	server, h := start(t)
	refused := map[string]bool{}
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		key := r.Method + r.URL.Path
		if refused[key] {
			return false
		}
		refused[key] = true
		w.Header().Set("Retry-After", "0")
		status := []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable}[len(refused)%3]
		hubtest.Refuse(w, status, "", "busy")
		return true
	})
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	server, h := start(t)
	var last time.Time
	server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		if !last.IsZero() {
			if waited := time.Since(last); waited < time.Second {
				t.Errorf("came back after %v", waited)
			}
			return false
		}
		last = time.Now()
		w.Header().Set("Retry-After", "1")
		hubtest.Refuse(w, http.StatusTooManyRequests, "", "too many requests")
		return true
	})
	if _, err := pull(t, h); err != nil {
		t.Fatal(err)
	}
}

func TestASilentHubIsLeft(t *testing.T) {
	server, h := start(t)
	h.stall = 50 * time.Millisecond
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	if _, err := pull(t, h); err == nil || !strings.Contains(err.Error(), "nothing came for 50ms") {
		t.Errorf("got %v", err)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status        int
		code, message string
		token         Token
		is            error
		want          []string
	}{
		{401, "GatedRepo", "Access to model org/name is restricted.", "", ErrDenied, []string{"gated", "Access to model", "accept its terms", "set HF_TOKEN to a token"}},
		{403, "GatedRepo", "You are not in the authorized list.", secret, ErrDenied, []string{"gated", "set HF_TOKEN to another"}},
		{401, "RepoNotFound", "Repository not found", "", ErrNotFound, []string{"no such repository", "if it is private"}},
		{404, "RepoNotFound", "", secret, ErrNotFound, []string{"no such repository"}},
		{404, "RevisionNotFound", "", "", ErrNotFound, []string{"no such revision"}},
		{404, "EntryNotFound", "", "", ErrNotFound, []string{"no such file"}},
		{404, "", "", "", ErrNotFound, []string{"no such repository"}},
		{401, "", "Invalid credentials: " + secret, secret, ErrDenied, []string{"401", "Invalid credentials: (hidden)"}},
		{403, "", "Forbidden\x1b[31m", secret, ErrDenied, []string{"403", "Forbidden"}},
		{410, "", "", "", nil, []string{"410"}},
		{500, "", strings.Repeat("x", 10000), "", nil, []string{"500", "tried 3 times"}},
	} {
		server, h := start(t)
		h.Token = c.token
		server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header()["X-Error-Code"], w.Header()["X-Error-Message"] = []string{c.code}, []string{strings.ReplaceAll(c.message, "\x1b", "\u202e")}
			w.WriteHeader(c.status)
			return true
		})
		_, err := pull(t, h)
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), "org/name") {
			t.Errorf("%d %s: got %v", c.status, c.code, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%d %s: %v does not say %q", c.status, c.code, err, want)
			}
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\u202e") || len(err.Error()) > 600 {
			t.Errorf("%d %s: %v", c.status, c.code, err)
		}
	}
}

func TestTheTokenGoesToTheEndpointAlone(t *testing.T) {
	server, h := start(t)
	server.Token, h.Token = secret, secret
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
	stored := 0
	for _, r := range server.Requests() {
		if strings.HasPrefix(r.Host, "localhost:") {
			stored++
			if r.Authorization != "" {
				t.Errorf("the storage host got the token: %+v", r)
			}
		} else if r.Authorization != "Bearer "+secret {
			t.Errorf("the hub got no token: %+v", r)
		}
	}
	if stored == 0 {
		t.Error("nothing came from the storage host")
	}
}

func TestTheTokenDoesNotComeBackByWayOfAnotherHost(t *testing.T) {
	server, h := start(t)
	h.Token = secret
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasPrefix(r.URL.Path, "/models/org/name/model"):
			http.Redirect(w, r, server.URL+"/elsewhere", http.StatusFound)
		case r.URL.Path == "/elsewhere":
			if r.Header.Get("Authorization") != "" {
				t.Error("the token came with a redirect from another host")
			}
			_, _ = w.Write(weights)
		default:
			return false
		}
		return true
	})
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
}

func TestErrorsHideTokensAndSignatures(t *testing.T) {
	server, h := start(t)
	h.Token = secret
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/models/org/name/model") {
			panic(http.ErrAbortHandler)
		}
		return false
	})
	_, err := pull(t, h)
	if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "Signature") {
		t.Errorf("got %v", err)
	}
}

func TestBadRedirectsAreRefused(t *testing.T) {
	for location, want := range map[string]string{
		"file:///etc/passwd":                 "not a web address",
		"/api/models/org/name/revision/main": "more than 10 redirects",
	} {
		server, h := start(t)
		server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
			return true
		})
		if _, err := pull(t, h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", location, err)
		}
	}
}

// A mirror may redirect to the hub before anything describes the file.
func TestAMirrorsRedirectsAreFollowed(t *testing.T) {
	server, h := start(t)
	mirror := hubtest.Start(t)
	mirror.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, server.URL+r.URL.RequestURI(), http.StatusPermanentRedirect)
		return true
	})
	h.Endpoint, h.Token = mirror.URL, secret
	dir, err := pull(t, h)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, dir)
	for _, r := range server.Requests() {
		if r.Authorization != "" {
			t.Errorf("the mirror's token went on: %+v", r)
		}
	}
}

func TestFileNamesThatLeadAstrayAreRefused(t *testing.T) {
	for _, name := range []string{
		"../config.json", "/etc/config.json", "a/../../config.json", `..\config.json`, "C:/config.json", "./config.json",
		"a//config.json", "config.json/", "a\x00b", "a\nb", "", ".", "..", strings.Repeat("x", 300),
	} {
		server, h := start(t)
		_, err := h.Pull(t.Context(), Request{Repository: model, Choose: func([]string) ([]string, error) { return []string{name}, nil }})
		if err == nil || !strings.Contains(err.Error(), "not safe") {
			t.Errorf("%.20q: got %v", name, err)
		}
		if n := len(server.Requests()); n != 1 {
			t.Errorf("%.20q: %d requests", name, n)
		}
	}
}

func TestNonsenseFromTheHubIsRefused(t *testing.T) {
	for body, want := range map[string]string{
		"<html>":                          "HF_ENDPOINT",
		"{}":                              "no commit",
		`{"sha":"../../x"}`:               "no commit",
		`{"sha":"abc","siblings":[]}`:     "0 of its 0 files",
		`{"sha":"abc","siblings":"x"}`:    "HF_ENDPOINT",
		strings.Repeat(" ", maxListing+1): "longer than",
	} {
		server, h := start(t)
		server.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(body))
			return true
		})
		if _, err := pull(t, h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q in it", body, err, want)
		}
	}
}

func TestAFileWithoutAUsableDescriptionIsRefused(t *testing.T) {
	for want, header := range map[string]http.Header{
		"neither a SHA-256 nor a git blob id": {"Etag": {`"5f-6021"`}},
		"over the limit":                      {"X-Linked-Etag": {strings.Repeat("a", 64)}, "X-Linked-Size": {"99999999999999"}},
		"not a number":                        {"X-Linked-Etag": {strings.Repeat("a", 64)}, "X-Linked-Size": {"-5"}},
	} {
		server, h := start(t)
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/resolve/") {
				return false
			}
			for name, value := range header {
				w.Header()[name] = value
			}
			return true
		})
		if _, err := pull(t, h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestOfflineAsksNothing(t *testing.T) {
	server, h := start(t)
	h.Offline = true
	if _, err := pull(t, h); !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("got %v", err)
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAnUnreachableHubIsNamed(t *testing.T) {
	_, h := start(t)
	h.Endpoint = "http://127.0.0.1:1"
	if _, err := pull(t, h); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}

func TestAFullDiskIsNamed(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	_, h := start(t)
	part := partOf(h)
	if err := errors.Join(os.MkdirAll(filepath.Dir(part), 0o700), os.Symlink("/dev/full", part)); err != nil {
		t.Fatal(err)
	}
	_, err := pull(t, h)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "make room for 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestPullsAtOnceDownloadOnce(t *testing.T) {
	server, h := start(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dir, err := pull(t, h)
			if err != nil {
				t.Error(err)
				return
			}
			wantModel(t, dir)
		})
	}
	wg.Wait()
	downloads := 0
	for _, r := range server.Requests() {
		if r.Method == http.MethodGet && strings.HasPrefix(r.Host, "localhost:") {
			downloads++
		}
	}
	if downloads != 1 {
		t.Errorf("the weights were downloaded %d times", downloads)
	}
}

func TestPullChecksBeforeTheRevisionIsNamed(t *testing.T) {
	_, h := start(t)
	bad := errors.New("not a model")
	_, err := h.Pull(t.Context(), Request{Repository: model, Choose: all, Check: func(dir string) error {
		wantModel(t, dir)
		return bad
	}})
	if !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
	wantNothing(t, h)
}

func TestAbsenceIsNoted(t *testing.T) {
	_, h := start(t)
	dir, err := h.Pull(t.Context(), Request{Repository: model, Choose: all, Optional: []string{"modules.json", "config.json"}})
	if err != nil {
		t.Fatal(err)
	}
	if !KnownAbsent(dir, "modules.json") || KnownAbsent(dir, "config.json") || KnownAbsent(dir, "other.json") {
		t.Error("the absent file is modules.json alone")
	}
	if _, err := os.Stat(filepath.Join(h.Cache, "models--org--name", ".no_exist", filepath.Base(dir), "modules.json")); err != nil {
		t.Error(err)
	}
}

func TestPullOfARevision(t *testing.T) {
	server, h := start(t)
	commit := server.Commit("models/org/name")
	dir, err := h.Pull(t.Context(), Request{Repository: model, Revision: commit, Choose: all})
	if err != nil {
		t.Fatal(err)
	}
	wantNothing(t, h) // main is still unknown
	if found, err := h.Snapshot(model, commit); found != dir {
		t.Errorf("found %q, %v", found, err)
	}
	if _, err := h.Pull(t.Context(), Request{Repository: model, Revision: "v2", Choose: all}); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestProgressEndsWithEveryFileWhole(t *testing.T) {
	server, h := start(t)
	server.CutAfter = len(weights)/3 + 1
	last := map[string][2]int64{}
	_, err := h.Pull(t.Context(), Request{Repository: model, Choose: all, Progress: func(file string, done, total int64) {
		if done > total || done < last[file][0] {
			t.Errorf("%s: %d of %d after %v", file, done, total, last[file])
		}
		last[file] = [2]int64{done, total}
	}})
	if err != nil || len(last) != 3 || last["model.safetensors"] != [2]int64{int64(len(weights)), int64(len(weights))} {
		t.Errorf("%v, %v", last, err)
	}
}

func TestDatasetsHaveAddressesOfTheirOwn(t *testing.T) {
	server, h := start(t)
	server.Put("datasets/org/name", "data/train.parquet", []byte("PAR1"))
	dir, err := h.Pull(t.Context(), Request{Repository: Repository{Datasets, "org/name"}, Choose: all})
	if err != nil || !strings.Contains(dir, "datasets--org--name") {
		t.Fatalf("%s, %v", dir, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "data", "train.parquet")); string(got) != "PAR1" {
		t.Errorf("got %q, %v", got, err)
	}
}
