package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"starling/broker"
)

// follow reads events until ctx ends, and says that it does.
func follow(ctx context.Context, client *http.Client, url string, begun func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/events", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", answer.Status)
	}
	begun()
	_, _ = io.Copy(io.Discard, answer.Body) // ends with ctx
	return nil
}

// BenchmarkReaders takes 40,000 texts through a run that the page shows, with nobody
// reading its events and with 500 readers, in turn. The readers are in this process
// and take their part of its cores.
func BenchmarkReaders(b *testing.B) {
	for _, readers := range []int{0, 500} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(readersRate(b, readers), "documents/s")
			}
		})
	}
}

func readersRate(b *testing.B, readers int) float64 {
	const n = 40_000
	s := startStream(b)
	addr, stop := serveAt(b, "", s.web.Handler())
	ctx, cancel := context.WithCancel(b.Context())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: readers}}
	var reading, begun sync.WaitGroup
	begun.Add(readers)
	for range readers {
		reading.Go(func() {
			if err := follow(ctx, client, "http://"+addr, begun.Done); err != nil && ctx.Err() == nil {
				b.Error(err)
				begun.Done()
			}
		})
	}
	begun.Wait()
	messages := make([]broker.OutMessage, n)
	texts := sampleTexts(b, 0)
	for i := range messages {
		messages[i] = broker.OutMessage{Body: fmt.Appendf(nil, "%s %d", texts[i%len(texts)], i), Attributes: map[string]string{"id": fmt.Sprint(i)}}
	}
	check(b, s.topic.Publish(b.Context(), messages[:n/4])) // finds the threshold
	await(b, func() bool { return s.pipeline.Stats().Documents >= n/4 })
	began := time.Now()
	check(b, s.topic.Publish(b.Context(), messages[n/4:]))
	await(b, func() bool { return s.pipeline.Stats().Documents >= n })
	rate := float64(n-n/4) / time.Since(began).Seconds()
	cancel()
	reading.Wait()
	stop()
	client.CloseIdleConnections()
	return rate
}

// A narrow listener's connections hold little on its way, so that a reader that does
// not read is noticed soon.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(1)
	}
	return conn, err
}

// TestAReaderThatDoesNotReadIsDropped has one reader of events read nothing, and
// another everything: the stream and the other one go on.
func TestAReaderThatDoesNotReadIsDropped(t *testing.T) {
	s := startStream(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	serving, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.web.Serve(serving, narrow{listener}) }()
	defer func() {
		end()
		check(t, <-served)
	}()
	addr := listener.Addr().String()
	slow, err := net.Dial("tcp", addr)
	check(t, err)
	defer slow.Close() //nolint:errcheck // the server has closed it
	check(t, slow.(*net.TCPConn).SetReadBuffer(1))
	_, err = fmt.Fprintf(slow, "GET /api/events HTTP/1.1\r\nHost: %s\r\n\r\n", addr)
	check(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/api/events", nil)
	check(t, err)
	answer, err := http.DefaultClient.Do(request)
	check(t, err)
	defer answer.Body.Close()
	heard := make(chan string, 1000)
	go func() {
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if id, is := strings.CutPrefix(lines.Text(), "id: "); is {
				heard <- id
			}
		}
	}()
	readers := func() int {
		return decode[struct{ Readers int }](t, ask(t, s.web.Handler(), "GET", "/api/status", "")).Readers
	}
	await(t, func() bool { return readers() == 2 })
	long := strings.Repeat("a long text ", 600)
	for n := 0; readers() == 2; n++ {
		if n > 2000 {
			t.Fatal("the reader that reads nothing is still there")
		}
		s.publish(t, fmt.Sprint(long, n), fmt.Sprint(n, long), fmt.Sprint(n, long, n))
		time.Sleep(50 * time.Millisecond) // some frames
	}
	if readers() != 1 {
		t.Errorf("%d readers are left, want the one that reads", readers())
	}
	last := fmt.Sprint(s.n)
	for deadline := time.After(20 * time.Second); ; {
		select {
		case id := <-heard:
			if id == last {
				return
			}
		case <-deadline:
			t.Fatalf("the other reader has not heard of document %s", last)
		}
	}
}
