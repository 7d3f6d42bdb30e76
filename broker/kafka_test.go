package broker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"starling/broker/kafkapubsub"
)

// startKafka starts a broker that lives as long as the test.
func startKafka(t testing.TB) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func kafkaURL(cluster *kfake.Cluster) string {
	return "kafka://" + cluster.ListenAddrs()[0] + "/texts?partitions=1&session_timeout=2s"
}

func TestKafkaKeepsTheOrder(t *testing.T) {
	leaveNothing(t)
	const total = 5000
	url := kafkaURL(startKafka(t))
	publishNumbers(t, url, total)
	source := openSource(t, url)
	for i := range total {
		m := receive(t, source)
		if string(m.Body) != fmt.Sprint(i) || m.ID != fmt.Sprint("texts/0/", i) || m.Time.Location() != time.UTC {
			t.Fatalf("message %d is %q, %s, of %v", i, m.Body, m.ID, m.Time)
		}
		m.Ack()
	}
	checkBacklog(t, source, 0)
}

func TestKafkaGroupsAreApart(t *testing.T) {
	leaveNothing(t)
	url := kafkaURL(startKafka(t))
	publishNumbers(t, url, 3)
	for _, options := range []SourceOptions{{}, {Consumer: "second"}} {
		source, err := OpenSource(t.Context(), url, options)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range receiveAll(t, source, 3) {
			m.Ack()
		}
		closeSource(t, source)
	}
	if _, err := OpenSource(t.Context(), url, SourceOptions{Consumer: "two words"}); err == nil ||
		!strings.Contains(err.Error(), `consumer group "two words"`) {
		t.Errorf("got the error %v, want one that names the group", err)
	}
}

// TestARecordOfOthersIsKnownByItsPlace publishes as programs that know nothing of
// Starling do, with a time that no calendar has.
func TestARecordOfOthersIsKnownByItsPlace(t *testing.T) {
	leaveNothing(t)
	url := kafkaURL(startKafka(t))
	publishNumbers(t, url, 0) // makes the topic
	address, err := kafkapubsub.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(address.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, record := range []*kgo.Record{
		{Topic: "texts", Key: []byte("k1"), Value: []byte("one"), Timestamp: time.UnixMilli(1<<62 - 1)},
		{Topic: "texts", Value: []byte("two")},
	} {
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	source := openSource(t, url)
	one, two := receive(t, source), receive(t, source)
	if one.Attributes["key"] != "k1" || one.Attributes["id"] != "" || one.ID != "texts/0/0" || !one.Time.IsZero() {
		t.Errorf("the first is %+v", one)
	}
	if two.Attributes != nil || two.ID != "texts/0/1" || two.Time.IsZero() {
		t.Errorf("the second is %+v", two)
	}
}

func TestCheckMakesNoKafkaTopic(t *testing.T) {
	leaveNothing(t)
	cluster := startKafka(t)
	with := kafkaURL(cluster)
	without := strings.Replace(with, "partitions=1&", "", 1)
	if err := CheckTopic(t.Context(), with, TopicOptions{}); err != nil {
		t.Error(err)
	}
	for _, err := range []error{
		CheckTopic(t.Context(), without, TopicOptions{}), CheckSource(t.Context(), without, SourceOptions{}), CheckSource(t.Context(), with, SourceOptions{}),
		func() error { _, err := OpenTopic(t.Context(), without); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "topic texts at "+cluster.ListenAddrs()[0]) {
			t.Errorf("got the error %v, want that the topic is absent", err)
		}
	}
	publishNumbers(t, with, 1)
	for range 2 { // the check takes no part in the group
		if err := CheckSource(t.Context(), without, SourceOptions{}); err != nil {
			t.Error(err)
		}
	}
	receive(t, openSource(t, without)).Ack()
}

func TestATimeBeyondTheCalendarIsNone(t *testing.T) {
	for milliseconds, want := range map[int64]bool{-1: false, 1 << 60: false, 0: true, 1_700_000_000_000: true} {
		at := time.UnixMilli(milliseconds)
		if got := calendarTime(at); got.IsZero() == want || want && !got.Equal(at) {
			t.Errorf("%d ms gave %v", milliseconds, got)
		}
	}
}
