package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A peer is a process that embeds on request: a job a line in, an answer a line
// out.
type peer struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

type job struct {
	Texts [][]int `json:"texts"`
	Batch int     `json:"batch"`
}

type answer struct {
	Ready   bool      `json:"ready"`
	Seconds float64   `json:"seconds"`
	First   []float32 `json:"first"`
}

func startPeer(ctx context.Context, environment []string, name string, args ...string) (*peer, error) {
	p := &peer{command: exec.CommandContext(ctx, name, args...)}
	p.command.Env = append(os.Environ(), environment...)
	var complaints strings.Builder
	p.command.Stderr = &complaints
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
	if greeting, err := p.answer(); err != nil || !greeting.Ready {
		p.close()
		lines := strings.Split(strings.TrimSpace(complaints.String()), "\n")
		return nil, errors.New(lines[len(lines)-1])
	}
	return p, nil
}

func (p *peer) answer() (answer, error) {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("the peer stopped: %w", err)
	}
	var a answer
	return a, json.Unmarshal(line, &a)
}

func (p *peer) embed(_ context.Context, texts []text, batch int) (time.Duration, []float32, error) {
	j := job{Batch: batch}
	for _, t := range texts {
		j.Texts = append(j.Texts, t.ids)
	}
	line, err := json.Marshal(j)
	if err != nil {
		return 0, nil, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return 0, nil, err
	}
	a, err := p.answer()
	return time.Duration(a.Seconds * float64(time.Second)), a.First, err
}

func (p *peer) close() {
	p.in.Close()
	_ = p.command.Wait() // how a measuring aid ends decides nothing
}

// A started peer is one contender at one setting.
type started struct {
	peer      *peer
	contender contender
}

// startPeers starts what is installed, and names what is not.
func startPeers(ctx context.Context, folder, dir, programs string) []started {
	var all []started
	for _, dtype := range []string{"fp32", "int8"} {
		name := "ONNX Runtime " + dtype
		model := filepath.Join(dir, dtype+".onnx")
		if err := output(ctx, "/usr/bin/python3", filepath.Join(programs, "onnx_model.py"), folder, model, dtype); err != nil {
			skip(name, err, "apt-get install python3-onnx")
			continue
		}
		for _, layout := range [][2]string{{"2", "1"}, {"1", "2"}} {
			setting := fmt.Sprintf("%s workers of %s threads", layout[0], layout[1])
			p, err := startPeer(ctx, nil, "node", filepath.Join(programs, "ort.mjs"), model, layout[0], layout[1])
			if err != nil {
				skip(name, err, "npm ci --ignore-scripts --prefix "+programs)
				break
			}
			all = append(all, started{p, contender{name: name, setting: setting, atLeast: 0.995, embed: p.embed}})
		}
	}
	for _, threads := range []string{"1", "2"} {
		p, err := startPeer(ctx, []string{"OPENBLAS_NUM_THREADS=" + threads, "OMP_NUM_THREADS=" + threads},
			"/usr/bin/python3", filepath.Join(programs, "torch_peer.py"), folder, threads)
		if err != nil {
			skip("PyTorch", err, "apt-get install python3-torch")
			break
		}
		all = append(all, started{p, contender{name: "PyTorch fp32", setting: threads + " threads", only: 1, atLeast: 0.9999, embed: p.embed}})
	}
	return all
}

func output(ctx context.Context, name string, args ...string) error {
	said, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return nil
}

func skip(name string, err error, remedy string) {
	fmt.Printf("%s left out: %v (%s)\n", name, err, remedy)
}
