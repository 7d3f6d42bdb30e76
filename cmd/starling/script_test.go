package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // for newerstate

	"starling/broker"
	"starling/store"
)

// patience is how long a script waits for what another process does.
const patience = 30 * time.Second

// scriptCommands are what scripts have beside the commands of testscript.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"freeport":   freePort,
	"silentport": silentPort,
	"waitport":   waitPort,
	"waitready":  waitReady,
	"waitfile":   waitFile,
	"waitdocs":   waitDocuments,
	"terminate":  terminate,
	"publish":    publish,
	"receive":    receive,
	"clusters":   checkClusters,
	"documents":  checkDocuments,
	"assigned":   checkAssigned,
	"vectors":    checkVectors,
	"sizeof":     sizeOf,
	"classic":    checkClassic,
	"otherstate": otherState,
	"newerstate": newerState,
	"damage":     damage,
	"filled":     filled,
	"putaside":   putAside,
	"manytexts":  manyTexts,
	"alterstate": alterState,
	"pubsub":     startPubSub,
	"post":       post,
	"get":        get,
	"stuckmodel": stuckModel,
}

// want ends the script unless it has n arguments.
func want(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) != n {
		ts.Fatalf("usage: %s", usage)
	}
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// freePort sets a variable to a TCP port that nobody listens on.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "freeport VARIABLE")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	ts.Check(listener.Close())
}

// silentPort sets a variable to a TCP port where somebody listens and says
// nothing.
func silentPort(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "silentport VARIABLE")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ts.Check(listener.Close()) })
	ts.Setenv(args[0], strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
}

func waitPort(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "waitport PORT")
	await(ts, "port "+args[0], func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+args[0])
		if err != nil {
			return false
		}
		ts.Check(conn.Close())
		return true
	})
}

func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "waitfile FILE")
	await(ts, args[0], func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// waitDocuments waits until a state holds a number of documents.
func waitDocuments(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "waitdocs DIR N")
	dir, n := ts.MkAbs(args[0]), int64(number(ts, args[1]))
	await(ts, args[1]+" documents", func() bool {
		st, err := store.OpenReader(context.Background(), dir)
		if err != nil {
			return false
		}
		last, err := st.Last(context.Background())
		return errors.Join(err, st.Close()) == nil && last >= n
	})
}

func await(ts *testscript.TestScript, what string, done func() bool) {
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited in vain for %s", what)
		}
	}
}

// terminate sends SIGTERM to the background process that runs a command, with some
// argument where there are several.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: terminate COMMAND [ARGUMENT]")
	}
	for _, cmd := range ts.BackgroundCmds() {
		if len(cmd.Args) > 1 && cmd.Args[1] == args[0] && slices.Contains(cmd.Args, args[len(args)-1]) && cmd.ProcessState == nil {
			ts.Check(cmd.Process.Signal(syscall.SIGTERM))
			return
		}
	}
	ts.Fatalf("no starling %s runs in the background", args[0])
}

// publish publishes one message with the body of a file.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: publish URL FILE [ATTRIBUTE=VALUE...]")
	}
	ctx := context.Background()
	topic, err := broker.OpenTopic(ctx, args[0])
	ts.Check(err)
	message := broker.OutMessage{Body: []byte(ts.ReadFile(args[1])), Attributes: map[string]string{}}
	for _, attribute := range args[2:] {
		name, value, _ := strings.Cut(attribute, "=")
		message.Attributes[name] = value
	}
	ts.Check(topic.Publish(ctx, []broker.OutMessage{message}))
	ts.Check(topic.Close(ctx))
}

// receive writes the bodies of the next messages into a file, one a line, and
// their attribute id in front where asked to.
func receive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: receive URL N FILE [with-id]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	source, err := broker.OpenSource(ctx, args[0], broker.SourceOptions{})
	ts.Check(err)
	var out bytes.Buffer
	for range number(ts, args[1]) {
		m, err := source.Receive(ctx)
		ts.Check(err)
		m.Ack()
		if len(args) > 3 {
			out.WriteString(m.Attributes["id"] + " ")
		}
		out.Write(append(m.Body, '\n'))
	}
	ts.Check(source.Close(ctx))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out.Bytes(), 0o600))
}

// otherState makes a state of another model.
func otherState(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "otherstate DIR MODEL")
	st, err := store.Create(context.Background(), ts.MkAbs(args[0]), store.Identity{
		Model: args[1], Fingerprint: "f0f0", Dim: 512,
		Settings: `{"dim":512,"threshold":0.8,"branching":50,"max_micros":4000}`,
	})
	ts.Check(err)
	ts.Check(st.Close())
}

// newerState makes a state one of a version that nobody knows yet.
func newerState(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "newerstate FILE")
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec("PRAGMA user_version = 999")
	ts.Check(err)
	ts.Check(db.Close())
}

// damage writes nonsense over a part of a file.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "damage FILE OFFSET")
	file, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	_, err = file.WriteAt(bytes.Repeat([]byte{0xa5}, 4096), int64(number(ts, args[1])))
	ts.Check(err)
	ts.Check(file.Close())
}

// filled makes a file of one byte many times over.
func filled(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "filled FILE BYTE N")
	value, err := strconv.ParseUint(args[1], 0, 8)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte{byte(value)}, number(ts, args[2])), 0o600))
}
