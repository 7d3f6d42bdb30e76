// Command clustering measures the CF-tree and the stateful step side by side with
// scikit-learn and with what Beam's Python example does for each message, in turn
// in one run, on the same vectors.
//
//	go run ./bench/clustering --rounds 3
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"starling/bench/internal/peer"
	"starling/bench/internal/rounds"
)

const (
	dim     = 768
	texts   = 10_000
	further = 2000 // texts after those, for the stateful step
)

func main() {
	count := flag.Int("rounds", 3, "how often each contender is measured")
	peers := flag.String("peers", "bench/clustering/peers", "folder with the programs of the peers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := compare(ctx, *count, *peers)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "clustering:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, count int, programs string) error {
	dir, err := os.MkdirTemp("", "starling-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing is lost with it
	vectors := synthetic(texts+further, dim)
	file := filepath.Join(dir, "vectors.f32")
	if err := writeVectors(file, vectors); err != nil {
		return err
	}
	// With more threads, one vector at a time takes scikit-learn several times as long.
	sklearn, err := peer.Start(ctx, []string{"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"},
		"/usr/bin/python3", filepath.Join(programs, "sklearn_peer.py"), file, fmt.Sprint(dim))
	if err != nil {
		peer.Skip("scikit-learn", err, "apt-get install python3-sklearn")
	} else {
		defer sklearn.Close()
	}
	inserts, steps := rounds.NewTable(), rounds.NewTable()
	for range count {
		if err := measureInserts(vectors[:texts], sklearn, inserts); err != nil {
			return err
		}
		if err := measureSteps(ctx, dir, vectors, sklearn, steps); err != nil {
			return err
		}
	}
	report(fmt.Sprintf("inserting %d vectors of %d dimensions, one after the other", texts, dim), inserts)
	report(fmt.Sprintf("one more message after %d texts", texts), steps)
	return nil
}

// report prints how long one vector takes each contender, and how much longer the
// peer takes.
func report(title string, table *rounds.Table) {
	fmt.Printf("\n%s\n\n| contender | microseconds each: median | lowest | highest | times as fast as the peer |\n| --- | --- | --- | --- | --- |\n", title)
	names := table.Names()
	reference := names[len(names)-1]
	for _, name := range names {
		_, s := table.Best(name)
		times := "-"
		if r, ok := table.Ratio(name, reference); ok && name != reference {
			times = fmt.Sprintf("%.0f (%.0f to %.0f)", r.Median(), r.Min(), r.Max())
		}
		fmt.Printf("| %s | %.1f | %.1f | %.1f | %s |\n", name, 1e6/s.Median(), 1e6/s.Max(), 1e6/s.Min(), times)
	}
}
