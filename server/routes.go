package server

import (
	"net/http"

	"starling/server/ui"
)

// endpoints says who answers what of a run. openapi.json describes the same.
func (s *Server) endpoints() map[string]func(*Run, http.ResponseWriter, *http.Request) {
	return map[string]func(*Run, http.ResponseWriter, *http.Request){
		"GET /api/status":                  s.getStatus,
		"GET /api/clusters":                s.getClusters,
		"GET /api/clusters/{id}":           s.getCluster,
		"GET /api/clusters/{id}/documents": s.getClusterDocuments,
		"GET /api/documents":               s.getDocuments,
		"GET /api/documents/{seq}":         s.getDocument,
		"POST /api/documents":              s.postDocuments,
		"POST /api/assign":                 s.postAssign,
		"GET /api/search":                  s.getSearch,
		"GET /api/map":                     s.getMap,
		"GET /api/map/points":              s.getPoints,
		"GET /api/timeline":                s.getTimeline,
		"GET /api/events":                  s.getEvents,
		"POST /api/edits":                  s.postEdit,
		"GET /api/export":                  s.getExport,
		"GET /metrics":                     s.getMetrics,
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range s.endpoints() {
		mux.HandleFunc(pattern, s.attached(handle))
	}
	mux.HandleFunc("POST /api/session", s.signIn)
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI) // the client has gone
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /readyz", s.getReady)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "not-found", "There is nothing of that path and method; GET /api/openapi.json lists what there is.")
	})
	mux.Handle("/", ui.Handler())
	return mux
}

// attached refuses what needs a run while there is none.
func (s *Server) attached(handle func(*Run, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		run := s.run.Load()
		if run == nil {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "starting", "The run is beginning or ending: source, model and state are being opened or closed.")
			return
		}
		handle(run, w, r)
	}
}

// getReady says whether source, model and state are open.
func (s *Server) getReady(w http.ResponseWriter, _ *http.Request) {
	if s.run.Load() == nil {
		problem(w, http.StatusServiceUnavailable, "starting", "Source, model and state are not open yet.")
		return
	}
	answer(w, map[string]string{"status": "ready"})
}
