package httpsource

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"starling"
	"starling/broker/feed"
)

// A post is the documents of one request.
type post struct {
	messages []*feed.Message

	mu       sync.Mutex
	outcomes []*feed.Outcome // nil is not known, or not stored
	open     int             // how many are not settled
	settled  chan struct{}   // closed when none are
}

func newPost(documents []document, name string) *post {
	p := &post{
		messages: make([]*feed.Message, len(documents)),
		outcomes: make([]*feed.Outcome, len(documents)),
		open:     len(documents),
		settled:  make(chan struct{}),
	}
	now := time.Now().UTC()
	for i, d := range documents {
		p.messages[i] = &feed.Message{
			ID:         fmt.Sprintf("%s/%d", name, i),
			Body:       d.body,
			Attributes: map[string]string{feed.FormatAttribute: d.format},
			Time:       now,
			Settle:     func(o *feed.Outcome) { p.settle(i, o) },
		}
	}
	return p
}

func (p *post) settle(i int, o *feed.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outcomes[i] = o
	if p.open--; p.open == 0 {
		close(p.settled)
	}
}

// A status is what an answer says of a document.
type status struct {
	ID     string `json:"id,omitempty"`
	Status string `json:"status"`
	// Update is the number of the document's update; it and the assignment are
	// there for one that was clustered.
	Update int64 `json:"update,omitempty"`
	*starling.Assignment
	// Reason is why it was put aside.
	Reason string `json:"reason,omitempty"`
}

func statusOf(o *feed.Outcome) status {
	switch {
	case o == nil:
		return status{Status: "not stored"}
	case o.Reason != "":
		return status{ID: o.Document, Status: "put aside", Reason: o.Reason}
	case o.Seq == 0:
		return status{ID: o.Document, Status: "known"}
	}
	return status{ID: o.Document, Status: "clustered", Update: o.Seq, Assignment: &o.Assignment}
}

// answer answers the request once everything is settled.
func (p *post) answer(w http.ResponseWriter) {
	var answer struct {
		Documents []status `json:"documents"`
	}
	stored := true
	for _, o := range p.outcomes {
		answer.Documents = append(answer.Documents, statusOf(o))
		stored = stored && o != nil
	}
	if !stored {
		w.Header().Set("Retry-After", retryAfter)
		respond(w, http.StatusServiceUnavailable, answer)
		return
	}
	respond(w, http.StatusOK, answer)
}

func refuse(w http.ResponseWriter, status int, reason string) {
	respond(w, status, struct {
		Error string `json:"error"`
	}{reason})
}

func refuseLater(w http.ResponseWriter, reason string) {
	w.Header().Set("Retry-After", retryAfter)
	refuse(w, http.StatusServiceUnavailable, reason)
}

// answerTime is how long an answer may take to be read.
const answerTime = time.Minute

func respond(w http.ResponseWriter, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil { // strings and numbers only
		panic(err)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // where that can be done
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // who does not read the answer sends again
}
