package dataset

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"starling/hfhub"
	"starling/hfhub/hubtest"
)

// emotionHub serves the emotion collection on a local hub.
func emotionHub(t *testing.T) *hubtest.Server {
	t.Helper()
	server := hubtest.Start(t)
	for i, split := range splits {
		server.Put("datasets/dair-ai/emotion", "split/"+split+"-00000-of-00001.parquet", splitParquet(t, i))
	}
	server.Put("datasets/dair-ai/emotion", "README.md", []byte("---\n"))
	for _, name := range []string{"HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("HF_ENDPOINT", server.URL)
	return server
}

// splitParquet makes files that differ, lest they be one in the cache.
func splitParquet(t *testing.T, i int) []byte {
	t.Helper()
	return emotionParquet(t, slices.Concat(fewEmotions[i:], fewEmotions[:i]))
}

func downloads(server *hubtest.Server) (paths []string) {
	for _, r := range server.Requests() {
		if r.Method == http.MethodGet && strings.HasSuffix(r.Path, ".parquet") && !strings.Contains(r.Path, "/resolve/") {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

func TestEmotionIsDownloadedOnceAndSplitBySplit(t *testing.T) {
	server := emotionHub(t)
	for _, c := range []struct {
		split     string
		items     int
		downloads int
	}{{"validation", 6, 1}, {"validation", 6, 1}, {All, 18, 3}, {"test", 6, 3}} {
		items, bad, err := read(t, Options{Name: "emotion", Split: c.split, Classes: []string{All}})
		if err != nil || bad != nil || len(items) != c.items {
			t.Errorf("%s: %d items, %v, %v", c.split, len(items), bad, err)
		}
		if got := downloads(server); len(got) != c.downloads {
			t.Errorf("%s: downloaded %q", c.split, got)
		}
	}
	// What is there needs no hub.
	t.Setenv("HF_HUB_OFFLINE", "1")
	if _, _, err := read(t, Options{Name: "emotion", Split: All}); err != nil {
		t.Error(err)
	}
}

func TestEmotionReportsTheBytesOfAllFiles(t *testing.T) {
	emotionHub(t)
	var totals []int64
	var last int64
	_, _, err := read(t, Options{Name: "emotion", Split: All, Progress: func(done, total int64) {
		if done > total || done < last {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last, totals = done, append(totals, total)
	}})
	want := int64(len(splitParquet(t, 0)) + len(splitParquet(t, 1)) + len(splitParquet(t, 2)))
	if err != nil || last != want || slices.Max(totals) != want {
		t.Errorf("%d bytes of %v, want %d, %v", last, totals, want, err)
	}
}

func TestEmotionThatCannotBeDownloadedSaysWhatToDo(t *testing.T) {
	server := emotionHub(t)
	t.Setenv("HF_HUB_OFFLINE", "1")
	_, _, err := read(t, Options{Name: "emotion"})
	if !errors.Is(err, hfhub.ErrOffline) || !strings.Contains(err.Error(), "--data") {
		t.Errorf("got %v", err)
	}
	t.Setenv("HF_HUB_OFFLINE", "")
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			return false
		}
		_, _ = w.Write([]byte(`{"sha":"abc","siblings":[{"rfilename":"README.md"}]}`))
		return true
	})
	if _, _, err := read(t, Options{Name: "emotion"}); err == nil || !strings.Contains(err.Error(), "no file split/train") {
		t.Errorf("got %v", err)
	}
}
