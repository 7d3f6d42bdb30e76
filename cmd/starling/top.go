package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"starling"
	"starling/console"
)

type topCmd struct {
	URL       string        `arg:"" optional:"" help:"Where the page of the run is; by default ${default}." default:"http://127.0.0.1:8787" placeholder:"URL"`
	Sort      string        `help:"Order of the clusters: size, recent, growth, name or id; by default ${default}." enum:"size,recent,growth,name,id" default:"size" placeholder:"ORDER"`
	Limit     int           `help:"Most clusters to show; 0 for as many as the terminal has room for, or 20 where there is none." placeholder:"N"`
	Once      bool          `help:"Print it once and stop, as where the output is no terminal."`
	Every     time.Duration `help:"How often to draw; by default ${default}." default:"1s" placeholder:"DURATION"`
	TokenFile string        `help:"File with the token of the page, where it has one." placeholder:"FILE" type:"path"`
}

// Help says what is needed.
func (topCmd) Help() string {
	return "A run shows itself to top where it serves its page: starling run --web 127.0.0.1:8787. Ctrl-C ends top and not the run.\n\n" +
		"Of a stage, the share is that of one core's time at work: of embed all workers together. The stage near 100% bounds the rate."
}

// Run draws the run until it is told to stop.
func (c *topCmd) Run(ctx context.Context, std streams) error {
	if c.Limit < 0 {
		return fmt.Errorf("--limit %d: must not be negative", c.Limit)
	}
	if c.Every < 100*time.Millisecond {
		return fmt.Errorf("--every %v: must be 100ms at least", c.Every)
	}
	token, err := webToken(c.TokenFile)
	if err != nil {
		return err
	}
	watcher, err := newRunWatcher(c.URL, token)
	if err != nil {
		return err
	}
	if c.Once || !console.IsTerminal(std.out) {
		return c.once(ctx, std, watcher)
	}
	return c.follow(ctx, std, watcher)
}

func (c *topCmd) once(ctx context.Context, std streams, w *runWatcher) error {
	limit := c.Limit
	if limit == 0 {
		limit = tableRows
	}
	if err := w.look(ctx, c.Sort, limit); err != nil {
		return err
	}
	_, err := fmt.Fprintln(std.out, strings.Join(console.Top(w.glance(c.Sort), 0, console.Width(std.out)), "\n"))
	return err
}

func (c *topCmd) follow(ctx context.Context, std streams, w *runWatcher) error {
	rows, _ := terminalSize(std)
	if err := w.look(ctx, c.Sort, c.wanted(rows)); err != nil {
		return err // before the screen is taken
	}
	screen, err := console.NewScreen(std.out)
	if err != nil {
		return err
	}
	hearing, stop := context.WithCancel(ctx)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		w.hear(hearing)
	}()
	defer func() {
		stop()
		<-heard
	}()
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for {
		rows, columns := terminalSize(std)
		w.remember()
		if err := screen.Show(console.Top(w.glance(c.Sort), rows, columns)); err != nil {
			return errors.Join(err, screen.Close())
		}
		select {
		case <-ctx.Done():
			return screen.Close()
		case <-tick.C:
		}
		w.note(w.look(ctx, c.Sort, c.wanted(rows)))
	}
}

// wanted is how many clusters to ask for.
func (c *topCmd) wanted(rows int) int {
	if c.Limit > 0 {
		return c.Limit
	}
	return max(1, rows)
}

func terminalSize(std streams) (rows, columns int) {
	if file, ok := std.out.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(file.Fd())); err == nil && rows > 0 {
			return rows, max(60, columns)
		}
	}
	return 24, 80
}

// describeEvent says what happened to clusters, in a line.
func describeEvent(e starling.Event) string {
	names := func(ids []starling.ClusterID) string {
		var all []string
		for i, id := range ids {
			if i == 3 {
				all = append(all, fmt.Sprintf("%d more", len(ids)-i))
				break
			}
			all = append(all, id.String())
		}
		return strings.Join(all, ", ")
	}
	switch e.Kind {
	case starling.Created:
		return fmt.Sprintf("cluster %v is new, with %d documents", e.To, e.Size)
	case starling.Grew:
		return fmt.Sprintf("cluster %v has %d documents", e.To, e.Size)
	case starling.Merged:
		return fmt.Sprintf("cluster %s became part of %v, which has %d documents", names(e.From), e.To, e.Size)
	case starling.Split:
		return fmt.Sprintf("part of cluster %s went to %v, which has %d documents", names(e.From), e.To, e.Size)
	}
	return fmt.Sprintf("cluster %v: %s", e.To, e.Kind)
}
