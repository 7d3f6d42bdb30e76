package server

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// getMetrics answers with metrics in the text format of Prometheus.
func (s *Server) getMetrics(run *Run, w http.ResponseWriter, r *http.Request) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{s, run},
	)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}).ServeHTTP(w, r)
}

// A collector reads the counts of a run when it is asked.
type collector struct {
	server *Server
	run    *Run
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("starling_"+name, help, labels, nil)
}

// The metrics.
var (
	documentsTotal  = describe("documents_total", "Documents made durable by this process.")
	duplicatesTotal = describe("duplicates_total", "Messages whose document the state had before.")
	lettersTotal    = describe("dead_letters_total", "Messages that could not be processed.")
	receivedTotal   = describe("received_total", "Messages taken from the source.")
	inFlight        = describe("in_flight", "Messages received and not acknowledged yet.")
	rate            = describe("documents_per_second", "Documents made durable a second of late.")
	lag             = describe("lag_seconds", "How long after it was published the newest document was durable.")
	stateDocuments  = describe("state_documents", "Documents of the state.")
	clusterCount    = describe("clusters", "Clusters of the state.")
	microCount      = describe("micro_clusters", "Micro-clusters of the state.")
	threshold       = describe("threshold", "Threshold of the tree in force.")
	eventsTotal     = describe("cluster_events_total", "What happened to clusters since this process began.", "kind")
	readersNow      = describe("event_readers", "Readers of events connected.")
	modelInfo       = describe("model_info", "The model, by its labels.", "model", "dim")
	stageItems      = describe("stage_items_total", "Messages, documents or updates that a stage worked on.", "stage")
	stageBatches    = describe("stage_batches_total", "Batches that a stage worked on.", "stage")
	stageBusy       = describe("stage_busy_seconds_total", "How long a stage was at work; of embed, all workers together.", "stage")
	stageWaiting    = describe("stage_waiting", "What waits for a stage: messages for decode, else batches.", "stage")
	stageRoom       = describe("stage_room", "How many can wait for a stage.", "stage")
)

// Describe says nothing ahead, which a collector may.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads everything.
func (c collector) Collect(to chan<- prometheus.Metric) {
	st := c.server.status(c.run)
	stats := c.run.Pipeline.Stats()
	counter := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter(documentsTotal, float64(stats.Documents))
	counter(duplicatesTotal, float64(stats.Duplicates))
	counter(lettersTotal, float64(stats.DeadLetters))
	counter(receivedTotal, float64(stats.Received))
	gauge(inFlight, float64(stats.InFlight))
	gauge(rate, stats.Rate)
	gauge(lag, stats.Lag.Seconds())
	gauge(stateDocuments, float64(st.Documents))
	gauge(clusterCount, float64(st.Clusters))
	gauge(microCount, float64(st.Micros))
	gauge(threshold, st.Threshold)
	gauge(readersNow, float64(st.Readers))
	gauge(modelInfo, 1, st.Model, strconv.Itoa(st.Dim))
	for kind, n := range c.server.watch.eventCounts() {
		counter(eventsTotal, float64(n), string(kind))
	}
	for _, s := range st.Stages {
		counter(stageItems, float64(s.Items), s.Name)
		counter(stageBatches, float64(s.Batches), s.Name)
		counter(stageBusy, s.Busy, s.Name)
		gauge(stageWaiting, float64(s.Waiting), s.Name)
		gauge(stageRoom, float64(s.Room), s.Name)
	}
}
