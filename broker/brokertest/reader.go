package brokertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"starling/broker"
)

// readerVariable makes this program a reader of what it asks for, before it
// does anything else.
const readerVariable = "STARLING_BROKERTEST_READER"

func init() {
	if asked := os.Getenv(readerVariable); asked != "" {
		fmt.Fprintln(os.Stderr, read(asked))
		os.Exit(1)
	}
}

// asked is what a reader is to open.
type asked struct {
	URL     string
	Options broker.SourceOptions
}

// read receives and prints the messages of a source, quoted, one a line. It reads
// how many to receive and how many of the first ones to acknowledge, and lives
// until it is killed; what it returns is why it could not.
func read(request string) error {
	var a asked
	if err := json.Unmarshal([]byte(request), &a); err != nil {
		return err
	}
	source, err := broker.OpenSource(context.Background(), a.URL, a.Options)
	if err != nil {
		return err
	}
	var total, acked int
	if _, err := fmt.Scan(&total, &acked); err != nil {
		return err
	}
	for i := range total {
		m, err := source.Receive(context.Background())
		if err != nil {
			return err
		}
		if i < acked {
			m.Ack()
		}
		fmt.Println(strconv.Quote(string(m.Body)))
	}
	select {}
}

// A reader is a process that reads a queue.
type reader struct {
	q       *queue
	command *exec.Cmd
	lines   *bufio.Scanner
	ask     func(total, acked int) error
}

// startReader starts a process that reads the queue.
func (q *queue) startReader() *reader {
	q.t.Helper()
	program, err := os.Executable()
	if err != nil {
		q.t.Fatal(err)
	}
	request, err := json.Marshal(asked{q.Source, q.Options})
	if err != nil {
		q.t.Fatal(err)
	}
	command := exec.Command(program)
	command.Env = append(os.Environ(), readerVariable+"="+string(request))
	command.Stderr = os.Stderr
	input, inputErr := command.StdinPipe()
	output, outputErr := command.StdoutPipe()
	if inputErr != nil || outputErr != nil {
		q.t.Fatal(inputErr, outputErr)
	}
	if err := command.Start(); err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(func() {
		_ = command.Process.Kill() // it may be dead already
		_ = command.Wait()
	})
	return &reader{q: q, command: command, lines: bufio.NewScanner(output), ask: func(total, acked int) error {
		_, err := fmt.Fprintln(input, total, acked)
		return err
	}}
}

// receive has the process receive messages and acknowledge the first ones of
// them. It returns the bodies of the others.
func (r *reader) receive(total, acked int) map[string]bool {
	r.q.t.Helper()
	if err := r.ask(total, acked); err != nil {
		r.q.t.Fatal(err)
	}
	held := map[string]bool{}
	for i := range total {
		if !r.lines.Scan() {
			r.q.t.Fatalf("the other reader ended after %d messages", i)
		}
		body, err := strconv.Unquote(strings.TrimSpace(r.lines.Text()))
		if err != nil {
			r.q.t.Fatal(err)
		}
		if i >= acked {
			held[body] = true
		}
	}
	return held
}

// kill ends the process as kill -9 does.
func (r *reader) kill() {
	r.q.t.Helper()
	if err := r.command.Process.Kill(); err != nil {
		r.q.t.Fatal(err)
	}
	_ = r.command.Wait() // says that it was killed
}
