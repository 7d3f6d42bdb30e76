package broker

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"starling/broker/embedded"
)

// hostOf returns HOST:PORT of a server that listens.
func hostOf(server *embedded.Server) string {
	return strings.TrimSuffix(strings.TrimPrefix(server.URL("x"), "nats://"), "/x")
}

func TestNATSKeepsTheOrder(t *testing.T) {
	leaveNothing(t)
	const total = 5000
	url := startNATS(t).URL("texts")
	publishNumbers(t, url, total)
	source := openSource(t, url)
	for i := range total {
		m := receive(t, source)
		if string(m.Body) != fmt.Sprint(i) || m.ID != fmt.Sprint("texts:", i+1) || m.Time.Location() != time.UTC {
			t.Fatalf("message %d is %q, %s, of %v", i, m.Body, m.ID, m.Time)
		}
		m.Ack()
	}
}

func TestNATSRemembersTheReader(t *testing.T) {
	leaveNothing(t)
	url := startNATS(t).URL("texts")
	publishNumbers(t, url, 10)
	first := openSource(t, url)
	for range 4 {
		receive(t, first).Ack()
	}
	closeSource(t, first)
	second := openSource(t, url)
	for i := 4; i < 10; i++ {
		if m := receive(t, second); string(m.Body) != fmt.Sprint(i) {
			t.Fatalf("the second reader got %q, want %d", m.Body, i)
		}
	}
}

func TestNATSConsumersAreApart(t *testing.T) {
	leaveNothing(t)
	url := startNATS(t).URL("texts")
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
}

func TestBacklogIsWhatIsNotAcknowledged(t *testing.T) {
	leaveNothing(t)
	url := startNATS(t).URL("texts")
	source := openSource(t, url)
	checkBacklog(t, source, 0)
	publishNumbers(t, url, 10)
	checkBacklog(t, source, 10)
	held := receive(t, source)
	checkBacklog(t, source, 10)
	held.Ack()
	checkBacklog(t, source, 9)
}

// checkBacklog waits until the backlog is as wanted, since acknowledgements are
// on their way for a while.
func checkBacklog(t *testing.T, source *Source, want int64) {
	t.Helper()
	var n int64
	for range 100 {
		var known bool
		var err error
		if n, known, err = source.Backlog(t.Context()); err != nil || !known {
			t.Fatal(known, err)
		}
		if n == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the backlog is %d, want %d", n, want)
}

func TestOthersDoNotKnowTheBacklog(t *testing.T) {
	source := openSource(t, fmt.Sprintf("mem://texts-%d", queues.Add(1)))
	if n, known, err := source.Backlog(t.Context()); n != 0 || known || err != nil {
		t.Errorf("got %d, %v, %v, want unknown", n, known, err)
	}
}

func TestAMessageOfTheGreatestSize(t *testing.T) {
	leaveNothing(t)
	const greatest = 8 << 20
	url := startNATS(t).URL("texts")
	topic, source := openTopic(t, url), openSource(t, url)
	body := make([]byte, greatest)
	for i := range 3 {
		body[0] = byte(i)
		if err := topic.Publish(t.Context(), []OutMessage{{Body: body}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		m := receive(t, source)
		if len(m.Body) != greatest || m.Body[0] != byte(i) {
			t.Fatalf("message %d has %d bytes, the first is %d", i, len(m.Body), m.Body[0])
		}
		m.Ack()
	}
}

func TestAMessageThatIsTooLarge(t *testing.T) {
	leaveNothing(t)
	url := startNATS(t).URL("texts")
	topic := openTopic(t, url)
	body := make([]byte, 8<<20)
	attributes := map[string]string{"id": "7f3a"}
	err := topic.Publish(t.Context(), []OutMessage{{Body: []byte("fits")}, {Body: body, Attributes: attributes}})
	if err == nil || !strings.Contains(err.Error(), "larger than the server's max_payload 8388608") {
		t.Errorf("got the error %v, want one about the size", err)
	}
	if m := receive(t, openSource(t, url)); string(m.Body) != "fits" {
		t.Errorf("the message before it came as %q", m.Body)
	}
}

func TestAStreamThatIsFullSaysSo(t *testing.T) {
	leaveNothing(t)
	topic := openTopic(t, startNATS(t).URL("texts")+"?max_bytes=1048576")
	err := topic.Publish(t.Context(), []OutMessage{{Body: make([]byte, 900_000)}, {Body: make([]byte, 900_000)}})
	if err == nil || !strings.Contains(err.Error(), "stream texts is full") {
		t.Errorf("got the error %v, want one that says that the stream is full", err)
	}
}

func TestABrokerThatCannotBeReachedIsAnErrorWithinSeconds(t *testing.T) {
	leaveNothing(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts nobody
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for _, host := range []string{"127.0.0.1:1", silent.Addr().String(), "embedded-0:4222"} {
		begin := time.Now()
		_, err := OpenSource(t.Context(), "nats://"+host+"/texts", SourceOptions{})
		if err == nil || !strings.Contains(err.Error(), "connecting to the NATS server at "+host) {
			t.Errorf("got the error %v, want one that names %s", err, host)
		}
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("it took %v to say so", took)
		}
	}
}

func TestCheckMakesNothing(t *testing.T) {
	leaveNothing(t)
	server := startNATS(t)
	url := server.URL("texts")
	for range 2 { // the second time shows that the first made no stream of other bounds
		if err := CheckSource(t.Context(), url, SourceOptions{}); err != nil {
			t.Error(err)
		}
		if err := CheckTopic(t.Context(), url, TopicOptions{}); err != nil {
			t.Error(err)
		}
	}
	if err := openTopic(t, url+"?max_bytes=1048576").Publish(t.Context(),
		[]OutMessage{{Body: make([]byte, 2_000_000)}}); err == nil {
		t.Error("the check made a stream, with bounds of its own")
	}
	server.Shutdown()
	if CheckSource(t.Context(), url, SourceOptions{}) == nil || CheckTopic(t.Context(), url, TopicOptions{}) == nil {
		t.Error("a server that is gone passed the check")
	}
}
