package pipeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/cluster"
	"starling/dataset"
	"starling/pipeline"
	"starling/store"
)

// emotionMessages returns the 20,000 tweets of the emotion collection.
func emotionMessages(b *testing.B) []broker.OutMessage {
	b.Helper()
	const dir = "../../shared/data/emotion"
	if _, err := os.Stat(dir); err != nil {
		b.Skip("the emotion collection is missing: ", dir)
	}
	c, err := dataset.Open(b.Context(), dataset.Options{Name: dataset.Emotion, Dir: dir, Split: dataset.All, Classes: []string{dataset.All}})
	if err != nil {
		b.Fatal(err)
	}
	var messages []broker.OutMessage
	for item, err := range c.Items() {
		if err != nil {
			b.Fatal(err)
		}
		messages = append(messages, message(fmt.Sprint(len(messages)), item.Text))
	}
	return messages
}

// syntheticMessages returns n texts of 5 to 14 words about a thousand topics of
// twenty words each, drawn from ten thousand words.
func syntheticMessages(n int) []broker.OutMessage {
	random := uint64(1)
	next := func(n int) int {
		random = random*6364136223846793005 + 1442695040888963407
		return int(random>>33) % n
	}
	messages := make([]broker.OutMessage, n)
	for i := range messages {
		topic := next(1000)
		var text strings.Builder
		for range 5 + next(10) {
			word := topic*20 + next(20)
			if next(4) == 0 {
				word = next(10_000)
			}
			text.WriteString(syntheticWord(word % 10_000))
			text.WriteByte(' ')
		}
		messages[i] = message(fmt.Sprint(i), text.String())
	}
	return messages
}

// syntheticWord returns six letters that look like no other word's.
func syntheticWord(n int) string {
	letters := make([]byte, 6)
	random := uint64(n)*0x9e3779b97f4a7c15 + 1
	for i := range letters {
		random = random*6364136223846793005 + 1442695040888963407
		letters[i] = 'a' + byte(random>>33%26)
	}
	return string(letters)
}

// benchConfig is what the command line makes for the built-in model by default: the
// threshold is found from the stream.
var benchConfig = cluster.Config{Dim: 512, Unrelated: cluster.Calibration{Mean: 0.032, Deviation: 0.054}}

// measure clusters messages from the embedded broker into a new state and
// returns how long after the first commit each tenth of them was durable.
func measure(b *testing.B, messages []broker.OutMessage) (tenths [11]time.Duration) {
	b.Helper()
	url := startBroker(b).URL("texts")
	publish(b, url, messages...)
	st, err := createState(b.Context(), stateDir(b), benchConfig)
	if err != nil {
		b.Fatal(err)
	}
	state, err := pipeline.Recover(b.Context(), st)
	if err != nil {
		b.Fatal(err)
	}
	source := openSource(b, url)
	started := time.Now()
	seen := 0
	_, err = pipeline.New(pipeline.Settings{
		Source: source, Model: builtin(b), Store: st, State: state, UntilIdle: idle, Log: slog.New(slog.DiscardHandler),
		OnDeadLetters: func(letters []store.DeadLetter) { b.Fatalf("dead letters: %+v", letters) },
		OnUpdates: func(updates []starling.Update) error {
			before := seen * 10 / len(messages)
			seen += len(updates)
			for tenth := before + 1; tenth <= seen*10/len(messages); tenth++ {
				tenths[tenth] = time.Since(started)
			}
			return nil
		},
	}).Run(b.Context())
	if err != nil || seen != len(messages) {
		b.Fatal(seen, err)
	}
	b.ReportMetric(float64(state.Len()), "clusters")
	if err := source.Close(context.Background()); err != nil {
		b.Error(err)
	}
	if err := st.Close(); err != nil {
		b.Error(err)
	}
	return tenths
}

// BenchmarkEmotion takes 20,000 tweets through the broker, the built-in model,
// the clustering and a durable commit.
func BenchmarkEmotion(b *testing.B) {
	messages := emotionMessages(b)
	for b.Loop() {
		tenths := measure(b, messages)
		b.ReportMetric(float64(len(messages))/tenths[10].Seconds(), "documents/s")
	}
	b.ReportMetric(peakMemory(b)/(1<<20), "MiB-peak")
}

// BenchmarkGrowth takes 200,000 synthetic documents along the same path and
// compares the speed at the end with that at the beginning.
func BenchmarkGrowth(b *testing.B) {
	messages := syntheticMessages(200_000)
	for b.Loop() {
		tenths := measure(b, messages)
		first, last := tenths[1], tenths[10]-tenths[9]
		b.ReportMetric(float64(len(messages))/10/first.Seconds(), "documents/s-first-tenth")
		b.ReportMetric(float64(len(messages))/10/last.Seconds(), "documents/s-last-tenth")
		b.ReportMetric(first.Seconds()/last.Seconds(), "last/first")
	}
}

// peakMemory returns the most memory that this process had resident, in bytes;
// 0 where the operating system does not say.
func peakMemory(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); err == nil {
			return kilobytes * 1024
		}
	}
	return 0
}
