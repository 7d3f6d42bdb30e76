package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"starling/broker"
	"starling/cluster"
	"starling/console"
	"starling/embed"
	"starling/store"
)

// check prints the settings in force and tries everything that a run would
// open, making nothing.
func (c *runCmd) check(ctx context.Context, std streams, parsed *kong.Context, file *settingsFile) error {
	if file.path != "" {
		fmt.Fprintf(std.out, "config: %s\n", console.Safe(file.path))
	}
	printSettings(std.out, parsed)
	checks := checklist{out: std.out}
	err := c.fromState(ctx, c.State)
	var model embed.Embedder
	if err == nil {
		model, err = c.openModel(ctx, std)
	}
	if err != nil {
		checks.say("model", "", err)
	} else {
		checks.say("model", fmt.Sprintf("%s, %d dimensions", model.Info().Name, model.Dim()), nil)
		detail, err := c.checkState(ctx, model)
		checks.say("state", detail, err)
	}
	if _, err := c.decoder(); err != nil {
		checks.say("format", "", err)
	}
	detail, err := c.checked(c.From, broker.CheckSource(ctx, c.From, c.sourceOptions(c.State)))
	checks.say("source", detail, err)
	if c.To != "" {
		detail, err := c.checked(c.To, broker.CheckTopic(ctx, c.To, c.topicOptions()))
		checks.say("topic", detail, err)
	}
	if c.DeadLettersTo != "" {
		detail, err := c.checked(c.DeadLettersTo, broker.CheckTopic(ctx, c.DeadLettersTo, c.topicOptions()))
		checks.say("letters", detail, err)
	}
	if len(checks.failed) > 0 {
		return fmt.Errorf("this would not run: see %s above", strings.Join(checks.failed, ", "))
	}
	return nil
}

// A checklist prints what was checked and remembers what failed.
type checklist struct {
	out    io.Writer
	failed []string
}

func (l *checklist) say(what, detail string, err error) {
	if err != nil {
		l.failed = append(l.failed, what)
		fmt.Fprintf(l.out, "%-7s FAILED  %s\n", what, console.Safe(err.Error()))
		return
	}
	fmt.Fprintf(l.out, "%-7s ok      %s\n", what, console.Safe(detail))
}

// checkState opens an existing state, or says what a new one would be like.
func (c *runCmd) checkState(ctx context.Context, model embed.Embedder) (string, error) {
	if !store.Exists(c.State) {
		if err := checkFolder(c.State); err != nil {
			return "", err
		}
		config, err := c.clusterConfig(ctx, model)
		return fmt.Sprintf("would begin in %s with %s", c.State, describeConfig(config)), err
	}
	st, err := continueState(ctx, c.State, model, c.clusteringFlags)
	if err != nil {
		return "", err
	}
	last, err := st.Last(ctx)
	if err != nil {
		return "", errors.Join(err, st.Close())
	}
	settings, err := settingsOf(st)
	return fmt.Sprintf("%s, %d documents, began with %s", c.State, last, describeConfig(settings.Config)), errors.Join(err, st.Close())
}

// checkFolder says whether a folder is one or could be made.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir:
		return checkFolder(filepath.Dir(dir))
	case err != nil:
		return fmt.Errorf("looking for a place for the state: %w", err)
	case !info.IsDir():
		return fmt.Errorf("looking for a place for the state: %s is no folder", dir)
	}
	return nil
}

func describeConfig(config cluster.Config) string {
	threshold := "auto"
	if config.Threshold != 0 {
		threshold = fmt.Sprintf("%.3f", config.Threshold)
	}
	described := fmt.Sprintf("threshold %s, branching factor %d, at most %d micro-clusters", threshold, config.Branching, config.MaxMicros)
	if life := halfLifeOf(config); life != "" {
		described += ", half-life " + life
	}
	return described
}

// printSettings prints the flags of the command with their values, as they
// would stand in the settings file.
func printSettings(out io.Writer, parsed *kong.Context) {
	hidden := []string{"help", "config", "dry-run"}
	for _, flag := range parsed.Flags() {
		if slices.Contains(hidden, flag.Name) {
			continue
		}
		value := fmt.Sprint(parsed.FlagValue(flag))
		if slices.Contains([]string{"from", "to", "dead-letters-to"}, flag.Name) {
			value = broker.Redact(value)
		}
		fmt.Fprintf(out, "%s: %s\n", flag.Name, console.Safe(value))
	}
}
