package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"github.com/rogpeppe/go-internal/testscript"

	"starling"
)

// The scripts call this test binary as starling-beam.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"starling-beam": main})
}

// Every script in testdata says what one part of the command line does.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"pubsub": startPubSub, "prism": startPrism, "acknowledged": checkAcknowledged, "updates": checkUpdates,
		},
		Deadline: time.Now().Add(5 * time.Minute),
	})
}

// A service is the fake of Google Pub/Sub of a script.
type service struct{ *pstest.Server }

// services are those of the running scripts, by their folders.
var services sync.Map

// startPubSub starts the fake of Google Pub/Sub that comes with its client, with a
// topic and a subscription to it for each name, and makes it the emulator of the
// programs of a script.
func startPubSub(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: pubsub NAME...")
	}
	server := pstest.NewServer()
	services.Store(ts.Getenv("WORK"), service{server})
	ts.Defer(func() { ts.Check(server.Close()) })
	ts.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
	for _, name := range args {
		topic := "projects/p/topics/" + name
		_, err := server.GServer.CreateTopic(context.Background(), &pubsubpb.Topic{Name: topic})
		ts.Check(err)
		_, err = server.GServer.CreateSubscription(context.Background(), &pubsubpb.Subscription{
			Name: "projects/p/subscriptions/" + name, Topic: topic, AckDeadlineSeconds: 60,
		})
		ts.Check(err)
	}
}

// checkAcknowledged checks that so many messages were published to a topic or more,
// and that all are acknowledged where they are counted.
func checkAcknowledged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: acknowledged N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	found, _ := services.Load(ts.Getenv("WORK"))
	acknowledged := 0
	for _, m := range found.(service).Messages() {
		if m.Acks > 0 {
			acknowledged++
		}
	}
	if acknowledged != want {
		ts.Fatalf("%d messages were acknowledged, want %d", acknowledged, want)
	}
}

// checkUpdates checks that a file holds the updates of N documents, each once.
func checkUpdates(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: updates FILE N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	seen := map[string]bool{}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var u starling.Update
		ts.Check(json.Unmarshal([]byte(line), &u))
		if u.ID == "" && len(u.Events) > 0 {
			continue // what merging shards did
		}
		if seen[u.ID] || u.Cluster == 0 {
			ts.Fatalf("document %q comes twice, or has no cluster: %s", u.ID, line)
		}
		seen[u.ID] = true
	}
	if len(seen) != want {
		ts.Fatalf("there are updates of %d documents, want %d", len(seen), want)
	}
}

// buildPrism builds the SDK's stand-alone runner, once.
var buildPrism = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "starling-prism")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "prism")
	out, err := exec.Command("go", "build", "-o", program, "github.com/apache/beam/sdks/v2/go/cmd/prism").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("building prism: %w\n%s", err, out)
	}
	return program, err
})

// startPrism starts the stand-alone runner and sets a variable to its endpoint.
func startPrism(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: prism VARIABLE")
	}
	if _, err := exec.LookPath("go"); err != nil {
		ts.Fatalf("go is not on the PATH")
	}
	program, err := buildPrism()
	ts.Check(err)
	port := freePort(ts)
	command := exec.Command(program, "-job_port", port, "-serve_http=false", "-log_level", "warn")
	var log bytes.Buffer
	command.Stderr = &log
	ts.Check(command.Start())
	ts.Defer(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // says that it was killed
		ts.Logf("prism said:\n%s", log.String())
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			ts.Check(conn.Close())
			break
		}
		if time.Now().After(end) {
			ts.Fatalf("prism does not answer: %v", err)
		}
	}
	ts.Setenv(args[0], "127.0.0.1:"+port)
}

func freePort(ts *testscript.TestScript) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer listener.Close() //nolint:errcheck // its port alone is wanted
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	return port
}
