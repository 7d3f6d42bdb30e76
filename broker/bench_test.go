package broker

import (
	"bytes"
	"testing"
)

// The benchmarks move messages of 100 bytes, with an id, through a server in this
// process.

func BenchmarkPublish(b *testing.B) {
	topic := openTopic(b, startEmbedded(b, b.TempDir(), "").URL("texts"))
	b.ResetTimer()
	publishSmall(b, topic, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkReceive(b *testing.B) {
	url := startEmbedded(b, b.TempDir(), "").URL("texts")
	publishSmall(b, openTopic(b, url), b.N)
	source := openSource(b, url)
	b.ResetTimer()
	for range b.N {
		m, err := source.Receive(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		m.Ack()
	}
	closeSource(b, source) // sends the last acknowledgements
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// publishSmall publishes n messages, in batches as `starling ingest` sends them.
func publishSmall(b *testing.B, topic *Topic, n int) {
	b.Helper()
	batch := make([]OutMessage, 500)
	for i := range batch {
		batch[i].Body = bytes.Repeat([]byte{'x'}, 100)
		batch[i].Attributes = map[string]string{"id": "7d444840-9dc0-11d1-b245-5ffdce74fad2"}
	}
	for left := n; left > 0; left -= len(batch) {
		if err := topic.Publish(b.Context(), batch[:min(left, len(batch))]); err != nil {
			b.Fatal(err)
		}
	}
}
