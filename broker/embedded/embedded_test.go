package embedded

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// stream is the one that the tests publish to.
const stream = "texts"

func mustStart(t *testing.T, dir, listen string) *Server {
	t.Helper()
	server, err := Start(dir, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	return server
}

// connect opens a JetStream over a connection of its own, in this process or by
// TCP.
func connect(t *testing.T, host string) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect("nats://"+host, nats.InProcessServer(InProcess(host)),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // that it was killed is no news
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func createStream(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: stream, Subjects: []string{stream}})
	if err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, js jetstream.JetStream, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := js.Publish(t.Context(), stream, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
}

// fetch receives n messages and acknowledges them.
func fetch(t *testing.T, js jetstream.JetStream, n int) []string {
	t.Helper()
	consumer, err := js.CreateOrUpdateConsumer(t.Context(), stream, jetstream.ConsumerConfig{Durable: "reader"})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := consumer.Fetch(n, jetstream.FetchMaxWait(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for m := range batch.Messages() {
		bodies = append(bodies, string(m.Data()))
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return bodies
}

func TestMessagesAndPositionSurviveARestart(t *testing.T) {
	for _, listen := range []string{"", "127.0.0.1:0"} {
		t.Run("listening on "+strconv.Quote(listen), func(t *testing.T) {
			dir := t.TempDir()
			first := mustStart(t, dir, listen)
			js := connect(t, first.host)
			createStream(t, js)
			publish(t, js, "one", "two", "three", "four")
			fetch(t, js, 2)
			first.Shutdown()

			second := mustStart(t, dir, listen)
			if got := fetch(t, connect(t, second.host), 2); strings.Join(got, " ") != "three four" {
				t.Errorf("the next reader got %q, want three and four", got)
			}
		})
	}
}

func TestTwoServersInOneProcessAreApart(t *testing.T) {
	a, b := mustStart(t, t.TempDir(), ""), mustStart(t, t.TempDir(), "")
	jsA, jsB := connect(t, a.host), connect(t, b.host)
	createStream(t, jsA)
	createStream(t, jsB)
	publish(t, jsA, "for a")
	publish(t, jsB, "for b")
	if got := fetch(t, jsB, 1); got[0] != "for b" {
		t.Errorf("the second server has the message %q", got)
	}
}

func TestURLNamesTheServer(t *testing.T) {
	listening, silent := mustStart(t, t.TempDir(), ":0"), mustStart(t, t.TempDir(), "")
	if url := listening.URL("texts"); !strings.HasPrefix(url, "nats://127.0.0.1:") || !strings.HasSuffix(url, "/texts") {
		t.Errorf("a server that listens has the URL %s", url)
	}
	if InProcess(listening.host) != nil || InProcess(silent.host) == nil {
		t.Error("InProcess does not tell a server that listens from one that does not")
	}
	silent.Shutdown()
	silent.Shutdown() // does nothing
	_, err := nats.Connect("nats://"+silent.host, nats.InProcessServer(InProcess(silent.host)))
	if err == nil || !strings.Contains(err.Error(), "no such embedded broker") {
		t.Errorf("connecting to a server that was shut down gave the error %v", err)
	}
}

func TestASecondServerOnAFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := mustStart(t, dir, "")
	refused(t, dir, "", dir, "another broker is using it")
	first.Shutdown()
	mustStart(t, dir, "")
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for listen, want := range map[string]string{
		"127.0.0.1":           "want HOST:PORT",
		"127.0.0.1:65536":     "listening on 127.0.0.1:65536",
		"0.0.0.0:4222":        "listens on 127.0.0.1 only",
		"[::]:4222":           "listens on 127.0.0.1 only",
		"192.0.2.1:4222":      "listens on 127.0.0.1 only",
		"broker.example:4222": "listens on 127.0.0.1 only",
		taken.Addr().String(): "another program, perhaps another broker, has this port",
	} {
		t.Run(listen, func(t *testing.T) { refused(t, t.TempDir(), listen, listen, want) })
	}
}

func TestStartNamesAFolderThatWillNotDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, file, "", file)
	refused(t, filepath.Join(file, "below"), "", file)

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jetstream"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "", dir)
	if err := os.Remove(filepath.Join(dir, "jetstream")); err != nil {
		t.Fatal(err)
	}
	mustStart(t, dir, "") // the refused start has let go of the folder
}

// refused checks that a start fails within seconds and that its error says so
// much.
func refused(t *testing.T, dir, listen string, wants ...string) {
	t.Helper()
	begin := time.Now()
	server, err := Start(dir, listen)
	if err == nil {
		server.Shutdown()
		t.Fatalf("a server started in %s on %q", dir, listen)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got the error %q, want %q in it", err, want)
		}
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the refusal took %v", took)
	}
}
