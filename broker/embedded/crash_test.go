package embedded

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// child is a broker in a process of its own.
type child struct {
	process *exec.Cmd
	host    string
}

func startChild(t *testing.T, dir string) child {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), childDir+"="+dir)
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() }) // it may be dead already
	host, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the broker in a process of its own did not start: %v", err)
	}
	return child{process, strings.TrimSpace(host)}
}

// kill kills the process, which cannot do anything about it.
func (c child) kill(t *testing.T) {
	t.Helper()
	if err := c.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.process.Wait() // says that it was killed
}

// TestKillLosesNoAcknowledgedMessage kills a broker again and again in the
// middle of what it is publishing.
func TestKillLosesNoAcknowledgedMessage(t *testing.T) {
	const kills = 6
	dir := t.TempDir()
	var acknowledged []string
	for round := range kills {
		broker := startChild(t, dir)
		js := connect(t, broker.host)
		if round == 0 {
			createStream(t, js)
		}
		enough, stored := make(chan struct{}), make(chan []string)
		go func() { stored <- publishUntilDeath(js, round, 100+rand.N(2000), enough) }()
		<-enough
		broker.kill(t)
		js.Conn().Close()
		acknowledged = append(acknowledged, <-stored...)
	}
	if len(acknowledged) < kills {
		t.Fatalf("only %d messages were acknowledged before %d kills", len(acknowledged), kills)
	}
	t.Logf("%d messages acknowledged before %d kills", len(acknowledged), kills)
	checkHolds(t, dir, acknowledged)
}

// publishUntilDeath publishes, several at a time, until the connection ends, and
// returns what the broker has acknowledged. It closes reached after so many.
func publishUntilDeath(js jetstream.JetStream, round, many int, reached chan struct{}) (acknowledged []string) {
	var futures []jetstream.PubAckFuture
	for i := 0; !js.Conn().IsClosed(); i++ {
		if i == many {
			close(reached)
		}
		body := fmt.Sprintf("%d:%d:%s", round, i, strings.Repeat("x", rand.N(2000)))
		if future, err := js.PublishAsync(stream, []byte(body)); err == nil {
			futures = append(futures, future)
		}
		if i%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	for _, future := range futures {
		select {
		case <-future.Ok():
			acknowledged = append(acknowledged, string(future.Msg().Data))
		default:
		}
	}
	return acknowledged
}

// checkHolds checks that the stream in a folder holds all of some messages.
func checkHolds(t *testing.T, dir string, messages []string) {
	t.Helper()
	js := connect(t, mustStart(t, dir, "").host)
	held := map[string]bool{}
	for _, body := range readAll(t, js) {
		held[body] = true
	}
	lost := 0
	for _, body := range messages {
		if !held[body] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("of %d messages that were acknowledged, %d are lost", len(messages), lost)
	}
}

func readAll(t *testing.T, js jetstream.JetStream) []string {
	t.Helper()
	opened, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	n := int(opened.CachedInfo().State.Msgs)
	var bodies []string
	for len(bodies) < n {
		bodies = append(bodies, fetch(t, js, min(n-len(bodies), 500))...)
	}
	return bodies
}
