package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"starling/bench/internal/peer"
)

type job struct {
	Texts [][]int `json:"texts"`
	Batch int     `json:"batch"`
}

type answer struct {
	Seconds float64   `json:"seconds"`
	First   []float32 `json:"first"`
}

// embedIn returns what embeds texts in a peer.
func embedIn(p *peer.Peer) func(context.Context, []text, int) (time.Duration, []float32, error) {
	return func(_ context.Context, texts []text, batch int) (time.Duration, []float32, error) {
		j := job{Batch: batch}
		for _, t := range texts {
			j.Texts = append(j.Texts, t.ids)
		}
		var a answer
		err := p.Ask(j, &a)
		return time.Duration(a.Seconds * float64(time.Second)), a.First, err
	}
}

// A started peer is one contender at one setting.
type started struct {
	peer      *peer.Peer
	contender contender
}

// startPeers starts what is installed, and names what is not.
func startPeers(ctx context.Context, folder, dir, programs string) []started {
	var all []started
	for _, dtype := range []string{"fp32", "int8"} {
		all = append(all, startONNX(ctx, folder, dir, programs, dtype)...)
	}
	for _, threads := range []string{"1", "2"} {
		p, err := peer.Start(ctx, []string{"OPENBLAS_NUM_THREADS=" + threads, "OMP_NUM_THREADS=" + threads},
			"/usr/bin/python3", filepath.Join(programs, "torch_peer.py"), folder, threads)
		if err != nil {
			peer.Skip("PyTorch", err, "apt-get install python3-torch")
			break
		}
		all = append(all, started{p, contender{name: "PyTorch fp32", setting: threads + " threads", only: 1, atLeast: 0.9999, embed: embedIn(p)}})
	}
	return all
}

func startONNX(ctx context.Context, folder, dir, programs, dtype string) []started {
	name := "ONNX Runtime " + dtype
	model := filepath.Join(dir, dtype+".onnx")
	if err := peer.Run(ctx, "/usr/bin/python3", filepath.Join(programs, "onnx_model.py"), folder, model, dtype); err != nil {
		peer.Skip(name, err, "apt-get install python3-onnx")
		return nil
	}
	var all []started
	for _, layout := range [][2]string{{"2", "1"}, {"1", "2"}} {
		p, err := peer.Start(ctx, nil, "node", filepath.Join(programs, "ort.mjs"), model, layout[0], layout[1])
		if err != nil {
			peer.Skip(name, err, "npm ci --ignore-scripts --prefix "+programs)
			break
		}
		setting := fmt.Sprintf("%s workers of %s threads", layout[0], layout[1])
		all = append(all, started{p, contender{name: name, setting: setting, atLeast: 0.995, embed: embedIn(p)}})
	}
	return all
}
