package server

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"starling"
	"starling/cluster"
)

// getSearch finds documents that have all words of q, the newest first.
func (s *Server) getSearch(run *Run, w http.ResponseWriter, r *http.Request) {
	words := strings.Fields(strings.ToLower(r.URL.Query().Get("q")))
	if len(words) == 0 {
		problem(w, http.StatusBadRequest, "bad-request", "The parameter q has the words to look for.")
		return
	}
	s.list(run, w, r, func(u starling.Update) bool { return containsAll(strings.ToLower(u.Text), words) })
}

// postAssign says which clusters a text is most like. It learns nothing.
func (s *Server) postAssign(run *Run, w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Text string `json:"text"`
	}
	if !readJSON(w, r, &asked) {
		return
	}
	if t := strings.TrimSpace(asked.Text); t == "" || len(t) > starling.MaxTextBytes || !utf8.ValidString(t) {
		problem(w, http.StatusBadRequest, "bad-request", "The text must be UTF-8, not empty and at most 64 KiB long.")
		return
	}
	vectors, err := run.Model.Embed(r.Context(), []string{asked.Text})
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, "no-embedding", "The model has no embedding of that text: "+err.Error())
		return
	}
	var matches []cluster.Match
	run.Pipeline.View(func(state *cluster.State) {
		if state.Len() > 0 {
			matches, err = state.Assign(vectors[0], 8)
		}
	})
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, "no-embedding", err.Error())
		return
	}
	if matches == nil {
		matches = []cluster.Match{}
	}
	answer(w, map[string]any{"matches": matches})
}

// postEdit merges, splits, renames, pins and unpins clusters.
func (s *Server) postEdit(run *Run, w http.ResponseWriter, r *http.Request) {
	var edit starling.Edit
	if !readJSON(w, r, &edit) {
		return
	}
	events, err := run.Pipeline.Edit(r.Context(), edit)
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, "edit-refused", err.Error())
		return
	}
	s.watch.edited(events, now())
	s.refresh(run)
	if events == nil {
		events = []starling.Event{}
	}
	answer(w, map[string]any{"events": events})
}

// getExport writes the state out.
func (s *Server) getExport(run *Run, w http.ResponseWriter, r *http.Request) {
	what, format := r.URL.Query().Get("what"), r.URL.Query().Get("format")
	if what == "" {
		what = "documents"
	}
	if format == "" {
		format = "jsonl"
	}
	types := map[string]string{"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
	switch {
	case s.Export == nil:
		problem(w, http.StatusNotImplemented, "no-export", "This run exports nothing.")
		return
	case types[format] == "", what != "documents" && what != "clusters" && what != "events":
		problem(w, http.StatusBadRequest, "bad-request", "The parameter what must be documents, clusters or events, and format jsonl, csv or parquet.")
		return
	}
	w.Header().Set("Content-Type", types[format])
	w.Header().Set("Content-Disposition", `attachment; filename="starling-`+what+"."+format+`"`)
	unhurried(w)
	if err := s.Export(r.Context(), run.Store, w, what, format); err != nil && r.Context().Err() == nil {
		s.Log.Warn("exporting", "error", err)
		panic(http.ErrAbortHandler) // so that half an export does not pass for a whole one
	}
}
