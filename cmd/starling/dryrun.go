package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"starling/broker"
	"starling/embed"
	"starling/embed/models"
	"starling/store"
)

// check prints the settings in force and tries to open everything, changing
// nothing. It returns an error for all that does not open.
func (c *runCmd) check(ctx context.Context, std streams, parsed *kong.Context) error {
	printSettings(std, parsed)
	var failed []error
	say := func(what string, detail any, err error) {
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", what, err))
			fmt.Fprintf(std.out, "%-7s FAILED  %v\n", what, err)
			return
		}
		fmt.Fprintf(std.out, "%-7s ok      %v\n", what, detail)
	}
	model, err := models.Open(ctx, c.Model, models.Options{})
	if err != nil {
		say("model", "", err)
	} else {
		say("model", fmt.Sprintf("%s, %d dimensions", model.Info().Name, model.Dim()), nil)
		detail, err := c.checkState(ctx, model)
		say("state", detail, err)
	}
	source, err := broker.OpenSource(ctx, c.From, broker.SourceOptions{})
	if err == nil {
		err = source.Close(ctx)
	}
	say("source", broker.Redact(c.From), err)
	if c.To != "" {
		topic, err := broker.OpenTopic(ctx, c.To)
		if err == nil {
			err = topic.Close(ctx)
		}
		say("topic", broker.Redact(c.To), err)
	}
	return errors.Join(failed...)
}

// checkState opens an existing state, or says what a new one would be like.
func (c *runCmd) checkState(ctx context.Context, model embed.Embedder) (string, error) {
	if !store.Exists(c.State) {
		config, err := c.clusterConfig(ctx, model)
		return fmt.Sprintf("would begin in %s with threshold %.3f", c.State, config.Threshold), err
	}
	st, err := continueState(ctx, c.State, model, c.clusteringFlags)
	if err != nil {
		return "", err
	}
	last, err := st.Last(ctx)
	return fmt.Sprintf("%s, %d documents", c.State, last), errors.Join(err, st.Close())
}

// printSettings prints the flags of the command with their values, as they
// would stand in the settings file.
func printSettings(std streams, parsed *kong.Context) {
	hidden := []string{"help", "dry-run"}
	for _, flag := range parsed.Flags() {
		if slices.Contains(hidden, flag.Name) {
			continue
		}
		value := fmt.Sprint(parsed.FlagValue(flag))
		if flag.Name == "from" || flag.Name == "to" {
			value = broker.Redact(value)
		}
		fmt.Fprintf(std.out, "%s: %s\n", flag.Name, value)
	}
}
