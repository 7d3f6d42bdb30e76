// Package httpsource takes documents over HTTP and answers when they are durable.
// It is a feed, and a handler that feeds it:
//
//	posts := httpsource.NewHandler()
//	mux.Handle("/api/documents", posts)
//	source := broker.NewSource(posts) // whoever reads it settles what was posted
//
// or, with a server of its own,
//
//	source, err := httpsource.Listen(httpsource.Config{Address: "127.0.0.1:8080"})
//
// # Requests
//
// POST one document or many: a JSON object, an array of them, JSON lines, or plain
// lines of text. What an object holds is read as package broker's Decoder says, by
// default the text in "text" and the id in "id"; a JSON string is a text. The
// Content-Type says which it is: application/json, application/x-ndjson,
// application/jsonl or text/plain. With another one, such as curl's, a body that
// begins as an object or an array is JSON, and any other lines of text.
//
// A document without an id gets one from the field Idempotency-Key of the request
// and its place in it, or else a random one: so a request with a key, or whose
// documents have ids, may be sent again and counts once.
//
// # Answers
//
// 200 says that all documents are dealt with and durable, and has a JSON object
// that says of each, in the order of the request, what became of it:
//
//	{"documents":[
//	  {"id":"a","status":"clustered","update":7,"cluster":3,"micro":12,"similarity":0.81},
//	  {"id":"b","status":"known"},
//	  {"id":"c","status":"put aside","reason":"the text is empty"}]}
//
// Known is what the state held before; what was put aside is a dead letter. 503
// with Retry-After says that some are not stored, for nobody takes them now, and
// has the same object, if there is anything to say; the request may be sent again.
// 400, 413 and 415 say that nothing was taken and why, in {"error": ...}.
package httpsource

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"starling/broker/feed"
)

const (
	// maxBody bounds the body of a request, and maxDocuments what is in it.
	maxBody      = 8 << 20
	maxDocuments = 10_000
	// maxBodies bounds the bodies that are being read or wait for their answer.
	maxBodies = 64 << 20
	// bodyTime is how long a body may take to arrive.
	bodyTime = time.Minute
	// retryAfter is when a request that found no room may come again, in seconds.
	retryAfter = "1"
)

// A Handler takes requests and hands out their documents as messages. While nobody
// receives them it takes as many as it has room for, and tells others to come
// again later. It does not know who may post: that is for the server around it.
type Handler struct {
	messages chan *feed.Message
	room     *semaphore.Weighted
	patience time.Duration // how long a request waits for room
	origins  *http.CrossOriginProtection

	stopped  chan struct{}
	stopOnce sync.Once
}

// NewHandler returns a handler that nobody receives from yet.
func NewHandler() *Handler {
	return &Handler{
		messages: make(chan *feed.Message),
		room:     semaphore.NewWeighted(maxBodies),
		patience: 5 * time.Second,
		origins:  http.NewCrossOriginProtection(),
		stopped:  make(chan struct{}),
	}
}

var errStopped = errors.New("the source is closed")

// Receive implements [feed.Feed].
func (h *Handler) Receive(ctx context.Context) (*feed.Message, error) {
	select {
	case m := <-h.messages:
		return m, nil
	case <-h.stopped:
		return nil, errStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Backlog implements [feed.Feed]: what waits is with those who sent it.
func (h *Handler) Backlog(context.Context) (int64, bool, error) { return 0, false, nil }

// Stop implements [feed.Feed]: it takes nothing any more, and answers the requests
// whose documents nobody has received.
func (h *Handler) Stop(context.Context) { h.stopOnce.Do(func() { close(h.stopped) }) }

// Close implements [feed.Feed].
func (h *Handler) Close(ctx context.Context) error {
	h.Stop(ctx)
	return nil
}

// ServeHTTP takes the documents of a request and answers when it is known what
// became of all of them.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "POST documents here")
		return
	}
	if err := h.origins.Check(r); err != nil {
		refuse(w, http.StatusForbidden, "a page of another site may not post here")
		return
	}
	release, ok := h.enter(w, r)
	if !ok {
		return
	}
	defer release()
	documents, err := read(w, r)
	if err != nil {
		err.answer(w)
		return
	}
	p := newPost(documents, requestName(r))
	h.hand(r.Context(), p)
	select {
	case <-p.settled:
		p.answer(w)
	case <-r.Context().Done(): // there is nobody to answer
	}
}

// enter waits for room for the body of a request. It answers the request where
// there is none.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request) (release func(), ok bool) {
	size := r.ContentLength
	if size > maxBody {
		errTooLarge.answer(w)
		return nil, false
	}
	if size < 0 {
		size = maxBody
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.patience)
	defer cancel()
	select {
	case <-h.stopped:
		refuseLater(w, "this source takes no more documents")
		return nil, false
	default:
	}
	if err := h.room.Acquire(ctx, size); err != nil {
		refuseLater(w, "too many documents wait to be clustered")
		return nil, false
	}
	return func() { h.room.Release(size) }, true
}

// hand hands out the documents of a post until it is done or there is no use in
// it any more; the rest is not stored.
func (h *Handler) hand(ctx context.Context, p *post) {
	for i, m := range p.messages {
		select {
		case h.messages <- m:
			continue
		case <-h.stopped:
		case <-ctx.Done():
		}
		for _, left := range p.messages[i:] {
			left.Settle(nil)
		}
		return
	}
}

// requestName returns what the ids of documents without one begin with.
func requestName(r *http.Request) string {
	if key := r.Header.Get("Idempotency-Key"); key != "" && len(key) <= 256 {
		return key
	}
	return rand.Text()
}
