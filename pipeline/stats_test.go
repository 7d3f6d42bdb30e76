package pipeline_test

import (
	"context"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/pipeline"
)

func TestStatsCountWhatTheStagesDid(t *testing.T) {
	server := startBroker(t)
	url := server.URL("texts")
	publish(t, url, message("a", "the train is late"), message("b", "banana bread"), message("a", "the train is late"), message("c", ""))
	topic, err := broker.OpenTopic(t.Context(), server.URL("updates"))
	if err != nil {
		t.Fatal(err)
	}
	defer topic.Close(context.Background()) //nolint:errcheck // the test is over

	st, err := createState(t.Context(), stateDir(t), benchConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close() //nolint:errcheck // the test is over
	state, err := pipeline.Recover(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	source := openSource(t, url)
	defer source.Close(context.Background()) //nolint:errcheck // the test is over
	var p *pipeline.Pipeline
	during := make(chan pipeline.Stats, 8)
	p = pipeline.New(pipeline.Settings{
		Source: source, Model: builtin(t), Store: st, State: state, Topic: topic, UntilIdle: idle,
		OnUpdates: func([]starling.Update) error { during <- p.Stats(); return nil },
	})
	if got := p.Stats(); got.Rate != 0 || got.Received != 0 || got.Decode.Room == 0 || got.Commit.Room == 0 {
		t.Errorf("before the run: %+v", got)
	}
	summary, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := <-during; s.Documents == 0 || s.Rate <= 0 || s.Newest.IsZero() || s.Lag < 0 || s.Lag > time.Minute {
		t.Errorf("while it ran: %+v", s)
	}

	got := p.Stats()
	if got.Summary != summary || summary != (pipeline.Summary{Documents: 2, Duplicates: 1, DeadLetters: 1}) {
		t.Errorf("the run counted %+v and its stats %+v", summary, got.Summary)
	}
	if got.Received != 4 || got.InFlight != 0 {
		t.Errorf("received %d, of which %d are in flight", got.Received, got.InFlight)
	}
	for name, stage := range map[string]struct {
		got  pipeline.StageStats
		want int64
	}{
		"decode": {got.Decode, 4}, "embed": {got.Embed, 3}, "cluster": {got.Cluster, 3}, "commit": {got.Commit, 2}, "publish": {got.Publish, 2},
	} {
		if s := stage.got; s.Items != stage.want || s.Batches == 0 || s.Busy <= 0 || s.Waiting != 0 {
			t.Errorf("%s: %+v, want %d items", name, s, stage.want)
		}
	}
}
