package server

import (
	"iter"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"starling"
	"starling/store"
)

// A shownDocument is a document in a list.
type shownDocument struct {
	Seq        int64              `json:"seq"`
	ID         string             `json:"id"`
	Text       string             `json:"text"`
	Time       time.Time          `json:"time,omitzero"`
	Cluster    starling.ClusterID `json:"cluster"`
	Micro      starling.MicroID   `json:"micro"`
	Similarity float32            `json:"similarity"`
	// Clipped says that the text is longer; the document alone has all of it.
	Clipped    bool              `json:"clipped,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// shownBytes is how much of a text a list shows.
const shownBytes = 2000

// shown is a document as lists show it.
func shown(u starling.Update) shownDocument {
	d := shownDocument{Seq: u.Seq, ID: u.ID, Text: u.Text, Time: u.Time, Cluster: u.Cluster, Micro: u.Micro, Similarity: u.Similarity}
	if len(d.Text) > shownBytes {
		end := shownBytes
		for end > 0 && !utf8.RuneStart(d.Text[end]) {
			end--
		}
		d.Text, d.Clipped = d.Text[:end], true
	}
	return d
}

type documentList struct {
	Documents []shownDocument `json:"documents"`
	// Next is what before or after the next page begins; absent on the last.
	Next int64 `json:"next,omitempty"`
	// Searched is how far back a search by words has read.
	Searched int64 `json:"searched,omitempty"`
}

const documentPage = 50

// getDocuments lists documents, the newest first, with the clusters they are in now.
func (s *Server) getDocuments(run *Run, w http.ResponseWriter, r *http.Request) {
	s.list(run, w, r, func(starling.Update) bool { return true })
}

// list answers with documents that match, reading back from the parameter before. It
// stops after some time, and Next says where to go on.
func (s *Server) list(run *Run, w http.ResponseWriter, r *http.Request, match func(starling.Update) bool) {
	limit, ok := number(w, r, "limit", documentPage, maxPage)
	if !ok {
		return
	}
	before, ok := number(w, r, "before", 1<<62, 1<<62)
	if !ok {
		return
	}
	list := documentList{Documents: []shownDocument{}}
	deadline := time.Now().Add(searchTime)
	for update, err := range s.backwards(run, r, before) {
		if err != nil {
			s.failed(w, err)
			return
		}
		list.Searched = update.Seq
		if match(update) {
			list.Documents = append(list.Documents, shown(update))
		}
		if len(list.Documents) >= int(limit) || time.Now().After(deadline) {
			list.Next = update.Seq
			break
		}
	}
	if list.Next == 1 {
		list.Next = 0
	}
	answer(w, list)
}

// searchTime bounds one search through the documents.
const searchTime = 400 * time.Millisecond

// backwards yields the documents before one, newest first.
func (s *Server) backwards(run *Run, r *http.Request, before int64) iter.Seq2[starling.Update, error] {
	const pieceAtATime = 512
	return func(yield func(starling.Update, error) bool) {
		last, err := run.Store.Last(r.Context())
		first, errFirst := run.Store.First(r.Context())
		if err != nil || errFirst != nil {
			yield(starling.Update{}, err)
			return
		}
		for end := min(last, before-1); end >= first; end -= pieceAtATime {
			start := max(first-1, end-pieceAtATime)
			updates, err := run.Store.Updates(r.Context(), start, int(end-start))
			if err != nil {
				yield(starling.Update{}, err)
				return
			}
			for i := len(updates) - 1; i >= 0; i-- {
				if u := updates[i]; u.Micro != 0 && u.Seq <= end && !yield(s.watch.placed(u), nil) {
					return
				}
			}
		}
	}
}

// placed returns a document with the place that it has now.
func (w *watch) placed(u starling.Update) starling.Update {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.lineage.ClusterOf(u.Micro); now != 0 {
		u.Cluster, u.Micro = now, w.lineage.MicroOf(u.Micro)
	}
	return u
}

func (s *Server) failed(w http.ResponseWriter, err error) {
	s.Log.Warn("answering a request", "error", err)
	problem(w, http.StatusInternalServerError, "failed", "Reading the state failed; the log of the run says more.")
}

// getDocument answers with one document, all of it.
func (s *Server) getDocument(run *Run, w http.ResponseWriter, r *http.Request) {
	seq, err := strconv.ParseInt(r.PathValue("seq"), 10, 64)
	if err != nil || seq < 1 {
		problem(w, http.StatusBadRequest, "bad-request", "A document is asked for by its number in the stream.")
		return
	}
	updates, err := run.Store.Updates(r.Context(), seq-1, 1)
	if err != nil {
		s.failed(w, err)
		return
	}
	if len(updates) == 0 || updates[0].Seq != seq || updates[0].Micro == 0 {
		problem(w, http.StatusNotFound, "no-document", "There is no document of that number, or not any more.")
		return
	}
	u := s.watch.placed(updates[0])
	d := shown(u)
	d.Text, d.Clipped, d.Attributes = u.Text, false, u.Attributes
	answer(w, d)
}

// getClusterDocuments lists the documents of a cluster from the first one on.
func (s *Server) getClusterDocuments(run *Run, w http.ResponseWriter, r *http.Request) {
	item, ok := s.cluster(w, r)
	if !ok {
		return
	}
	limit, ok := number(w, r, "limit", documentPage, maxPage)
	if !ok {
		return
	}
	after, ok := number(w, r, "after", 0, 1<<62)
	if !ok {
		return
	}
	list := documentList{Documents: []shownDocument{}}
	for update, err := range run.Store.Documents(r.Context(), store.Query{Cluster: item.ID, After: after, Limit: int(limit) + 1}) {
		if err != nil {
			s.failed(w, err)
			return
		}
		if len(list.Documents) == int(limit) {
			list.Next = list.Documents[len(list.Documents)-1].Seq
			break
		}
		list.Documents = append(list.Documents, shown(update))
	}
	answer(w, list)
}

// postDocuments hands texts to the source that takes them.
func (s *Server) postDocuments(_ *Run, w http.ResponseWriter, r *http.Request) {
	if s.Documents == nil {
		problem(w, http.StatusNotImplemented, "no-source", "This run does not take documents here; publish them to its source.")
		return
	}
	s.Documents.ServeHTTP(w, r)
}
