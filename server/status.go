package server

import (
	"net/http"
	"runtime/metrics"
	"time"

	"starling/pipeline"
)

// A status says how the run is doing.
type status struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Now     time.Time `json:"now"`
	Source  string    `json:"source"`
	Model   string    `json:"model"`
	Dim     int       `json:"dim"`
	// Documents, Clusters and Micros are those of the state.
	Documents int64   `json:"documents"`
	Clusters  int     `json:"clusters"`
	Micros    int     `json:"micros"`
	Threshold float64 `json:"threshold"`
	// Rate is documents a second of late, and Lag how many seconds the newest waited.
	Rate        float64 `json:"rate"`
	Lag         float64 `json:"lag"`
	InFlight    int64   `json:"in_flight"`
	Duplicates  int64   `json:"duplicates"`
	DeadLetters int64   `json:"dead_letters"`
	// Memory is what the process has of the system, in bytes.
	Memory uint64 `json:"memory"`
	Notice string `json:"notice,omitempty"`
	// Loading says that what was before is still being read for map and history.
	Loading bool `json:"loading"`
	// Map is the version of the map and of the lists.
	Map int64 `json:"map"`
	// Readers are those of events.
	Readers int `json:"readers"`
	// Stages are the stages of the pipeline.
	Stages []stage `json:"stages"`
}

type stage struct {
	Name    string  `json:"name"`
	Batches int64   `json:"batches"`
	Items   int64   `json:"items"`
	Busy    float64 `json:"busy"`
	Waiting int     `json:"waiting"`
	Room    int     `json:"room"`
}

func stagesOf(s pipeline.Stats) []stage {
	var stages []stage
	for _, of := range []struct {
		name string
		pipeline.StageStats
	}{{"decode", s.Decode}, {"embed", s.Embed}, {"cluster", s.Cluster}, {"commit", s.Commit}, {"publish", s.Publish}} {
		stages = append(stages, stage{of.name, of.Batches, of.Items, of.Busy.Seconds(), of.Waiting, of.Room})
	}
	return stages
}

func (s *Server) status(run *Run) status {
	v, loading := s.watch.viewAndLoading()
	stats, info := run.Pipeline.Stats(), run.Model.Info()
	st := status{
		Version: s.Version, Started: s.started.UTC(), Now: now(), Source: run.Source, Model: info.Name, Dim: info.Dim,
		Documents: v.documents, Clusters: len(v.clusters), Micros: v.micros, Threshold: v.threshold,
		Rate: round(stats.Rate), Lag: stats.Lag.Seconds(), InFlight: stats.InFlight,
		Duplicates: stats.Duplicates, DeadLetters: stats.DeadLetters,
		Memory: memory(), Loading: loading, Map: v.version, Readers: s.hub.count(), Stages: stagesOf(stats),
	}
	if notice := s.notice.Load(); notice != nil {
		st.Notice = *notice
	}
	return st
}

func (w *watch) viewAndLoading() (*view, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view, w.loading
}

func (s *Server) getStatus(run *Run, w http.ResponseWriter, _ *http.Request) {
	answer(w, s.status(run))
}

// memory returns how many bytes the process has of the system and not given back.
func memory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
