package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"starling/console"
	"starling/store"
)

// stateCmd looks after the file of a state.
type stateCmd struct {
	State string `required:"" help:"Folder of the state." placeholder:"DIR" type:"path"`

	Check   stateCheckCmd   `cmd:"" help:"Read all of a state and say what is wrong with it."`
	Backup  stateBackupCmd  `cmd:"" help:"Copy a state, also while a run is going."`
	Compact stateCompactCmd `cmd:"" help:"Write the file anew, without the room that nothing uses."`
	Export  stateExportCmd  `cmd:"" help:"Write documents, clusters or events as JSONL, CSV or Parquet."`
}

type stateBackupCmd struct {
	Dest string `arg:"" help:"Folder of the copy; made, and must not be there." placeholder:"DIR" type:"path"`
}

// Help says what a backup is.
func (stateBackupCmd) Help() string {
	return "The copy is the state as it was at one moment, and appears under its name when it is whole, on the disk, and " +
		"checked as `starling state check` does. It is used like any other state: give it to run with --state, or put it " +
		"in the place of a lost one. A run may go on meanwhile; its log grows until the copy is made."
}

// Run copies a state.
func (c *stateBackupCmd) Run(ctx context.Context, std streams, state *stateCmd) error {
	st, err := openToRead(ctx, state.State)
	if err != nil {
		return err
	}
	return errors.Join(c.backup(ctx, std, st), st.Close())
}

func (c *stateBackupCmd) backup(ctx context.Context, std streams, st *store.Store) error {
	fmt.Fprintf(std.err, "copying to %s\n", console.Safe(c.Dest))
	steps := newSteps(std.err)
	err := st.Backup(ctx, c.Dest, steps.report)
	steps.done()
	if err != nil {
		return err
	}
	copied, err := store.OpenReader(ctx, c.Dest)
	if err != nil {
		return err
	}
	last, err := copied.Last(ctx)
	size, measured := copied.Size()
	if err := errors.Join(err, measured, copied.Close()); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "the backup in %s holds the state after %d documents, %s\n", console.Safe(c.Dest), last, bytesString(size))
	return nil
}

type stateCompactCmd struct{}

// Help says what compacting needs.
func (stateCompactCmd) Help() string {
	return "Documents that left, were deleted or were dropped leave room in the file, which new ones fill. Compacting gives it " +
		"back to the disk, and overwrites what was there. It needs as much free room as the file takes, and no run may have " +
		"the state open."
}

// Run compacts a state.
func (c *stateCompactCmd) Run(ctx context.Context, std streams, state *stateCmd) error {
	st, err := openToWrite(ctx, state.State)
	if err != nil {
		return err
	}
	return errors.Join(compact(ctx, std.err, st), st.Close())
}

func compact(ctx context.Context, w io.Writer, st *store.Store) error {
	before, err := st.Size()
	if err != nil {
		return err
	}
	if err := st.Scrub(ctx); err != nil {
		return err
	}
	after, err := st.Size()
	if err == nil {
		fmt.Fprintf(w, "compacted from %s to %s\n", bytesString(before), bytesString(after))
	}
	return err
}

// bytesString is a number of bytes as people read it.
func bytesString(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d bytes", n)
	}
	value, name := float64(n)/unit, "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if value < unit {
			break
		}
		value, name = value/unit, next
	}
	return fmt.Sprintf("%.1f %s", value, name)
}

// steps show what a check has checked: a bar on a terminal, and a line for each
// step that is over.
type steps struct {
	w    io.Writer
	bar  *console.Progress
	step store.Step
}

func newSteps(w io.Writer) *steps { return &steps{w: w} }

// report takes in how far a step has come.
func (s *steps) report(step store.Step) {
	if step.Name != s.step.Name {
		s.done()
		s.bar = console.NewProgress(s.w, "checking "+step.Name, step.Total)
	}
	s.step = step
	s.bar.Set(step.Done)
}

// done ends the step at hand.
func (s *steps) done() {
	if s.bar == nil {
		return
	}
	s.bar.Done()
	s.bar = nil
	if s.step.Total > 0 {
		fmt.Fprintf(s.w, "checked %s: %d of %d\n", s.step.Name, s.step.Done, s.step.Total)
	} else {
		fmt.Fprintf(s.w, "checked %s\n", s.step.Name)
	}
}

// fileOrOut opens what --out names: a file that appears when it is whole, or
// standard output for -.
func fileOrOut(name string, out io.Writer) (w io.Writer, end func(error) error, err error) {
	if name == "-" {
		return out, func(err error) error { return err }, nil
	}
	draft := name + ".new"
	file, err := os.OpenFile(draft, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	return file, func(err error) error {
		if err == nil {
			err = file.Sync()
		}
		if err = errors.Join(err, file.Close()); err == nil {
			err = os.Rename(draft, name)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(draft))
		}
		return err
	}, nil
}
