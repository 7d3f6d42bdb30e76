package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"starling/broker"
	"starling/broker/brokertest"
	"starling/broker/natspubsub/natstest"
)

// TestConformanceOfFiles has one process append to a file that another follows.
func TestConformanceOfFiles(t *testing.T) {
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		dir := t.TempDir()
		path := filepath.Join(dir, "texts.txt")
		publish := func(_ context.Context, messages []broker.OutMessage) error {
			file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			for _, m := range messages {
				if _, err := fmt.Fprintf(file, "%s\n", m.Body); err != nil {
					return err
				}
			}
			return nil
		}
		if err := publish(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		return brokertest.Queue{
			Source: "file:" + path, Options: broker.SourceOptions{Follow: true, Positions: filepath.Join(dir, "files.json")},
			Publish: publish, Ordered: true, Rewinds: true, Lines: true, Bare: true, Sole: true,
			Lease: time.Second, Renewal: time.Second,
		}
	})
}

// TestConformanceOfHTTP has clients that post until they are told that a document
// is durable.
func TestConformanceOfHTTP(t *testing.T) {
	brokertest.Run(t, func(t *testing.T) brokertest.Queue {
		c := newClients(t)
		return brokertest.Queue{
			Source: c.url, Publish: c.publish, Lines: true, Bare: true, Sole: true, Lease: time.Second, Renewal: time.Second,
		}
	})
}

// clients post documents, each one by one of them, again and again until it is
// taken.
type clients struct {
	url   string
	ctx   context.Context // ends with the test
	posts atomic.Int64
	busy  sync.WaitGroup
}

func newClients(t *testing.T) *clients {
	ctx, cancel := context.WithCancel(context.Background())
	c := &clients{url: "http://" + natstest.FreeAddr(t), ctx: ctx}
	t.Cleanup(func() {
		cancel()
		c.busy.Wait()
		http.DefaultClient.CloseIdleConnections()
	})
	return c
}

func (c *clients) publish(_ context.Context, messages []broker.OutMessage) error {
	for _, m := range messages {
		key := fmt.Sprint(c.posts.Add(1))
		c.busy.Go(func() {
			for !c.post(key, m.Body) && c.ctx.Err() == nil {
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	return nil
}

// post says whether the document was taken.
func (c *clients) post(key string, body []byte) bool {
	request, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.url+"/api/documents", bytes.NewReader(body))
	if err != nil {
		return false
	}
	request.Header.Set("Content-Type", "text/plain")
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
