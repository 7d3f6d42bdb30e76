// Package server shows a run: a live web page, an HTTP API, events and metrics.
//
//	web := server.New(server.Settings{})
//	settings.OnRecords = web.Records // of the pipeline
//	web.Attach(ctx, server.Run{Pipeline: p, Store: store, Model: model})
//	err := web.Serve(ctx, listener)
//
// It answers from aggregates that it keeps itself, refreshed at most once a second
// and less often where that costs more, so that what looks at a stream hardly slows
// it down; memory is bounded. Before Attach it serves the page and says that the run
// begins.
//
// Whatever comes in is checked: the Host against DNS rebinding, the Origin, a token
// where one is set, and the size and time of requests.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"starling/embed"
	"starling/pipeline"
	"starling/store"
)

// Settings say what is served to whom.
type Settings struct {
	// Token is what requests for data must show; empty for none, on loopback alone.
	Token string
	// Hosts are names besides those of loopback by which the server may be asked for.
	Hosts []string
	// Version is that of the program.
	Version string
	// Documents takes POST /api/documents; nil where the run has no such source.
	Documents http.Handler
	// Export writes documents, clusters or events as jsonl, csv or parquet; nil for
	// no export.
	Export func(ctx context.Context, st *store.Store, w io.Writer, what, format string) error
	// Log gets warnings; nil means slog.Default.
	Log *slog.Logger
}

// A Run is what is shown.
type Run struct {
	Pipeline *pipeline.Pipeline
	Store    *store.Store
	Model    embed.Embedder
	// Source says where messages come from, without credentials.
	Source string
}

// A Server shows one run. Close ends what Attach began.
type Server struct {
	Settings
	started time.Time
	run     atomic.Pointer[Run]
	watch   *watch
	hub     *hub
	// viewing lets one view be taken at a time.
	viewing sync.Mutex
	handler http.Handler
	stop    context.CancelFunc
	working sync.WaitGroup
	notice  atomic.Pointer[string]
	// following counts the readers of every update.
	following chan struct{}
}

// New returns a server that shows nothing yet.
func New(settings Settings) *Server {
	if settings.Log == nil {
		settings.Log = slog.Default()
	}
	s := &Server{Settings: settings, started: time.Now(), watch: newWatch(), hub: newHub(), stop: func() {}, following: make(chan struct{}, maxFollowing)}
	s.handler = s.guard(s.routes())
	return s
}

// Handler returns what serves HTTP.
func (s *Server) Handler() http.Handler { return s.handler }

// Records takes in documents that became durable. It is a hook of the pipeline's.
func (s *Server) Records(records []store.Record) { s.watch.records(records, time.Now()) }

// Notice takes in what people should know of the clusters as a whole.
func (s *Server) Notice(text string) { s.notice.Store(&text) }

// Attach shows a run, which has not begun: what its state holds, and from then on
// what Records brings. Reading what was before goes on after it returns.
func (s *Server) Attach(ctx context.Context, run Run) error {
	places, err := run.Store.Places(ctx)
	if err != nil {
		return fmt.Errorf("reading the state for the page: %w", err)
	}
	s.watch.begin(places)
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.run.Store(&run)
	s.refresh(&run)
	s.working.Go(func() {
		if err := s.watch.readBack(ctx, run.Store); err != nil && ctx.Err() == nil {
			s.Log.Warn("reading what was before, for the page", "error", err)
		}
	})
	s.working.Go(func() { s.keep(ctx, &run) })
	return nil
}

// Close ends what Attach began, and all streams of events. The store may be closed
// after that.
func (s *Server) Close() {
	s.stop()
	s.hub.close()
	s.working.Wait()
	s.run.Store(nil)
}

const (
	// headerTime, readTime and writeTime bound a request; idleTime a connection
	// between two. Streams of events have no end, but each write to them has.
	headerTime = 5 * time.Second
	readTime   = 30 * time.Second
	writeTime  = 60 * time.Second
	idleTime   = 2 * time.Minute
	// maxHeaderBytes and maxBodyBytes bound what is read of a request.
	maxHeaderBytes = 16 << 10
	maxBodyBytes   = 1 << 20
)

// Serve serves HTTP until the context ends.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelInfo),
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // Serve says what came of it
	err := server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the page: %w", err)
}

const (
	// frameEvery is how often readers of events hear of what is new.
	frameEvery = 250 * time.Millisecond
	// refreshEvery is how often the clusters are looked at. Looking at the state holds
	// up the stream, so it is left alone for idleShare times as long at least; and
	// the rest, which takes a core, waits for layShare times as long as all of it took.
	refreshEvery        = time.Second
	idleShare, layShare = 50, 5
)

// keep tells readers what is new and refreshes the aggregates.
func (s *Server) keep(ctx context.Context, run *Run) {
	tick := time.NewTicker(frameEvery)
	defer tick.Stop()
	next, seen := time.Now().Add(refreshEvery), int64(-1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if changes := s.watch.changes(); time.Now().After(next) && changes != seen {
			seen = changes
			started := time.Now()
			held := s.refresh(run)
			next = time.Now().Add(max(refreshEvery, idleShare*held, layShare*time.Since(started)))
		}
		s.hub.send(s.watch.frame(s.status(run)))
	}
}
