package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"starling/bench/internal/rounds"
	"starling/embed/transformer"
)

// loadOnly asks a process of this program to load a model and say what that
// took, and nothing else.
const loadOnly = "STARLING_BENCH_LOAD"

func init() {
	spec := os.Getenv(loadOnly)
	if spec == "" {
		return
	}
	dtype, folder, _ := strings.Cut(spec, ":")
	started := time.Now()
	model, err := transformer.Open(folder, transformer.Options{DType: dtype})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	took := time.Since(started)
	debug.FreeOSMemory()
	fmt.Println(took.Seconds(), resident(), model.Dim())
	os.Exit(0)
}

// resident returns the bytes of this process that are in memory and its own,
// and 0 where the system does not say.
func resident() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "RssAnon:" {
			kilobytes, _ := strconv.Atoi(fields[1])
			return kilobytes << 10
		}
	}
	return 0
}

// reportLoading prints how long loading takes a fresh process, warm, and the
// memory that it has afterwards.
func reportLoading(ctx context.Context, folder string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Println("| loading | median of 5 | memory after |")
	fmt.Println("| --- | --- | --- |")
	for _, dtype := range dtypes {
		var seconds []float64
		var memory float64
		for range 5 {
			command := exec.CommandContext(ctx, program)
			command.Env = append(os.Environ(), loadOnly+"="+dtype.name+":"+folder)
			said, err := command.Output()
			if err != nil {
				return fmt.Errorf("loading as %s: %w", dtype.name, err)
			}
			var took float64
			if _, err := fmt.Sscan(string(said), &took, &memory); err != nil {
				return err
			}
			seconds = append(seconds, took)
		}
		fmt.Printf("| %s | %.2f s | %.0f MB |\n", dtype.name, rounds.Series(seconds).Median(), memory/1e6)
	}
	return nil
}
