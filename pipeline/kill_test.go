package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/broker/embedded"
	"starling/broker/natspubsub/natstest"
	"starling/store"
)

const (
	// killsSetting changes how often the process is killed.
	killsSetting = "STARLING_TEST_KILLS"
	usualKills   = 6
	// eachLife is how many documents a process may see before it is killed, at most.
	eachLife = 300
)

func kills(t *testing.T) int {
	t.Helper()
	setting := os.Getenv(killsSetting)
	if setting == "" {
		return usualKills
	}
	n, err := strconv.Atoi(setting)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// servers are the brokers that keep the stream while its reader is killed. A restart
// kills the server and starts it again; nil where it is in this process.
var servers = map[string]func(t *testing.T) (url func(stream string) string, restart func()){
	"embedded": func(t *testing.T) (func(string) string, func()) {
		server, err := embedded.Start(t.TempDir(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Shutdown)
		return server.URL, nil
	},
	"nats-server": func(t *testing.T) (func(string) string, func()) {
		server := natstest.Start(t)
		return server.URL, func() { server.Kill(); server.Restart() }
	},
}

// Killed at any moment and started again until the stream is drained, a run
// leaves the state of an undisturbed one, to the byte, and has sent every update.
func TestKilledAgainAndAgain(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			url, _ := start(t)
			messages := sampleMessages(t, 2*eachLife*kills(t))
			publish(t, url("texts"), messages...)
			v := victim{Source: url("texts"), State: stateDir(t), Topic: url("updates"), UntilIdle: idle}
			killAll(t, v, func() {})
			checkAllThere(t, v, messages)

			undisturbed := stateDir(t)
			drain(t, url("texts")+"?consumer=undisturbed", undisturbed, nil)
			if dumpState(t, v.State).text(t) != dumpState(t, undisturbed).text(t) {
				t.Error("the state is not that of an undisturbed run")
			}
		})
	}
}

// Killed while it reads a file, whose position is written down now and then, a run
// reads on and leaves the state of an undisturbed one as well.
func TestKilledWhileReadingAFile(t *testing.T) {
	url, _ := servers["embedded"](t)
	messages := sampleMessages(t, 2*eachLife*kills(t))
	file := "file:" + writeFile(t, messages)
	v := victim{Source: file, State: stateDir(t), Topic: url("updates"), UntilIdle: idle}
	// It waits at the end of the file, to be killed there too.
	v.Options = broker.SourceOptions{Follow: true, Positions: filepath.Join(t.TempDir(), "files.json")}
	killAll(t, v, func() {})
	checkAllThere(t, v, messages)

	undisturbed := victim{Source: file, State: stateDir(t)}
	if _, err := undisturbed.live(1<<62, 0); err != nil {
		t.Fatal(err)
	}
	if dumpState(t, v.State).text(t) != dumpState(t, undisturbed.State).text(t) {
		t.Error("the state is not that of an undisturbed run")
	}
}

// writeFile writes messages as JSON lines.
func writeFile(t *testing.T, messages []broker.OutMessage) (path string) {
	t.Helper()
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	for _, m := range messages {
		if err := out.Encode(map[string]string{"id": m.Attributes["id"], "text": string(m.Body)}); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "texts.jsonl")
	if err := os.WriteFile(path, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Killed while people edit its clusters and delete documents, a run loses nothing.
func TestKilledWhileEditing(t *testing.T) {
	url, _ := servers["embedded"](t)
	messages := sampleMessages(t, 2*eachLife*kills(t))
	publish(t, url("texts"), messages...)
	v := victim{Source: url("texts"), State: stateDir(t), Topic: url("updates"), Edits: true, UntilIdle: idle}
	killAll(t, v, func() {})
	checkAllThere(t, v, messages)
}

// Not only the run is killed but the broker as well, while they are at it.
func TestBrokerKilledAgainAndAgain(t *testing.T) {
	url, restart := servers["nats-server"](t)
	messages := sampleMessages(t, 2*eachLife*kills(t))
	publish(t, url("texts"), messages...)
	v := victim{Source: url("texts") + "?ack_wait=2s", State: stateDir(t), Topic: url("updates"), UntilIdle: time.Second}
	killAll(t, v, restart)
	checkAllThere(t, v, messages)
}

// killAll kills a victim so many times, does something beside it each time, and lets
// it come to its end.
func killAll(t *testing.T, v victim, beside func()) {
	t.Helper()
	kills := kills(t)
	for n := range kills {
		done := make(chan error, 1)
		go func() {
			ended, err := v.live(rand.IntN(eachLife), time.Duration(rand.IntN(4000))*time.Microsecond)
			if ended && err == nil {
				err = errors.New("the stream was drained too early")
			}
			done <- err
		}()
		beside()
		if err := <-done; err != nil {
			t.Fatalf("life %d of %d: %v", n+1, kills, err)
		}
	}
	if _, err := v.live(1<<62, 0); err != nil {
		t.Fatal(err)
	}
}

// checkAllThere checks that every message is one document of the state, in order, that
// the file is whole, and that the update of each was sent, in order.
func checkAllThere(t *testing.T, v victim, messages []broker.OutMessage) {
	t.Helper()
	st, err := store.OpenReader(t.Context(), v.State)
	if err != nil {
		t.Fatal(err)
	}
	faults, err := st.Check(t.Context(), nil)
	if err != nil || len(faults) > 0 {
		t.Errorf("the check of the file says %v, %v", faults, err)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	documents := dumpState(t, v.State).documents
	if len(documents) != len(messages) {
		t.Fatalf("the state holds %d documents, %d were published", len(documents), len(messages))
	}
	for i, document := range documents {
		if want := messages[i].Attributes["id"]; document.ID != want {
			t.Fatalf("document %d is %s, want %s", i, document.ID, want)
		}
	}
	checkAllSent(t, v.Topic, int64(len(messages)))
}

// checkAllSent checks that the updates up to one were sent: each at least once, and
// none before those that it comes after.
func checkAllSent(t *testing.T, url string, last int64) {
	t.Helper()
	source := openSource(t, url)
	sent, again := int64(0), 0
	for sent < last {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		m, err := source.Receive(ctx)
		cancel()
		if err != nil {
			t.Fatalf("after update %d of %d: %v", sent, last, err)
		}
		m.Ack()
		var u starling.Update
		if err := json.Unmarshal(m.Body, &u); err != nil {
			t.Fatal(err)
		}
		switch {
		case u.Seq == sent+1:
			sent++
		case u.Seq <= sent:
			again++
		default:
			t.Fatalf("update %d was sent after %d", u.Seq, sent)
		}
	}
	t.Logf("%d updates were sent, %d of them again", last, again)
	if err := source.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
