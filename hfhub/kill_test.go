package hfhub

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// killEndpoint makes the test binary a process that pulls and is to be killed.
const killEndpoint, killCache = "STARLING_TEST_ENDPOINT", "STARLING_TEST_CACHE"

func pullUntilKilled() {
	h := &Hub{Endpoint: os.Getenv(killEndpoint), Cache: os.Getenv(killCache)}
	dir, err := h.Pull(context.Background(), Request{Repository: model, Choose: all})
	fmt.Println("the pull was to be killed, not to end:", dir, err)
	os.Exit(1)
}

func TestAKilledPullIsNeverFoundAndGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process")
	}
	server, h := start(t)
	half := make(chan struct{})
	var killed atomic.Bool
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if killed.Load() || !strings.HasPrefix(r.URL.Path, "/models/org/name/model") {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(weights)))
		_, _ = w.Write(weights[:len(weights)/2])
		_ = http.NewResponseController(w).Flush()
		close(half)
		<-r.Context().Done()
		return true
	})
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), killEndpoint+"="+h.Endpoint, killCache+"="+h.Cache)
	child.Stdout, child.Stderr = os.Stderr, os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	<-half
	// What was sent is to be written first, so that there is a part to resume.
	waitForPart(t, h)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	wantNothing(t, h)
	killed.Store(true)
	wantResumed(t, server, h)
}

func waitForPart(t *testing.T, h *Hub) {
	t.Helper()
	for range 1000 {
		if info, err := os.Stat(partOf(h)); err == nil && info.Size() > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nothing was written")
}
