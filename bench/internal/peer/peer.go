// Package peer runs programs that Starling is measured against: processes that
// get a job as a line of JSON and answer with another.
package peer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A Peer is a process that waits for jobs.
type Peer struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// Start starts a program and waits until it says {"ready": true}. Where it does
// not, the error is the last line of its complaint.
func Start(ctx context.Context, environment []string, name string, args ...string) (*Peer, error) {
	p := &Peer{command: exec.CommandContext(ctx, name, args...)}
	p.command.Env = append(os.Environ(), environment...)
	var complaint strings.Builder
	p.command.Stderr = &complaint
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	var greeting struct{ Ready bool }
	if err := p.read(&greeting); err != nil || !greeting.Ready {
		p.Close()
		return nil, errors.New(lastLine(complaint.String()))
	}
	return p, nil
}

// Ask gives the process a job and waits for the answer.
func (p *Peer) Ask(job, answer any) error {
	line, err := json.Marshal(job)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return err
	}
	return p.read(answer)
}

func (p *Peer) read(answer any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the peer stopped: %w", err)
	}
	return json.Unmarshal(line, answer)
}

// Close ends the process.
func (p *Peer) Close() {
	p.in.Close()
	_ = p.command.Wait() // how a measuring aid ends decides nothing
}

// Run runs a program to its end. An error holds the last line of what it said.
func Run(ctx context.Context, name string, args ...string) error {
	said, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, lastLine(string(said)))
	}
	return nil
}

// Skip says that a peer is left out, and how to have it.
func Skip(name string, err error, remedy string) {
	fmt.Printf("%s left out: %v (%s)\n", name, err, remedy)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
