package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"starling/broker"
	"starling/broker/httpsource"
	"starling/console"
	"starling/pipeline"
	"starling/server"
	"starling/store"
)

// defaultWeb is where the page of a demo is.
const defaultWeb = "127.0.0.1:8787"

// webFlags say where the page is served, and to whom.
type webFlags struct {
	WebHost []string `help:"Name, besides those of this machine, by which the page may be asked for." placeholder:"NAME"`
}

// A web is a page being served. A nil one is none.
type web struct {
	*server.Server
	// posts are documents that are posted to it.
	posts   *httpsource.Handler
	url     string
	stop    context.CancelFunc
	stopped chan error
}

// listen begins to serve the page at an address, to those who show the token of a file
// if one is named.
func (f webFlags) listen(addr, tokenFile string) (*web, error) {
	posts := httpsource.NewHandler()
	settings := server.Settings{Version: version, Hosts: f.WebHost, Documents: posts, Export: exportState}
	var err error
	if settings.Token, err = webToken(tokenFile); err != nil {
		return nil, err
	}
	if settings.Token == "" && !isLoopback(addr) {
		return nil, fmt.Errorf("--web %s: others could read everything at that address; "+
			"name a token with --token-file, or use %s", addr, defaultWeb)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--web %s: %w", addr, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &web{Server: server.New(settings), posts: posts, url: "http://" + listener.Addr().String() + "/", stop: stop, stopped: make(chan error, 1)}
	go func() { w.stopped <- w.Serve(ctx, listener) }()
	return w, nil
}

// minTokenBytes keeps tokens from being guessed.
const minTokenBytes = 16

func webToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < minTokenBytes {
		return "", fmt.Errorf("--token-file %s: a token has at least %d characters; `openssl rand -hex 32` makes one", file, minTokenBytes)
	}
	return token, nil
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// openPage begins to serve the page of a run, if one is wanted.
func (c *runCmd) openPage(std streams) (*web, error) {
	if c.Web == "" {
		return nil, nil
	}
	w, err := c.listen(c.Web, c.TokenFile)
	if err == nil {
		w.announce(std.err)
	}
	return w, err
}

// hook has the page hear what the pipeline does.
func (w *web) hook(settings *pipeline.Settings) {
	if w == nil {
		return
	}
	settings.OnRecords = w.Records
	before := settings.OnNotice
	settings.OnNotice = func(text string) {
		w.Notice(text)
		if before != nil {
			before(text)
		}
	}
}

// feed has what is posted to the page come from the source as well.
func (w *web) feed(source *broker.Source) {
	if w != nil {
		source.With(w.posts)
	}
}

// attach has the page show a run that has not begun.
func (w *web) attach(ctx context.Context, p *pipeline.Pipeline, source string) error {
	if w == nil {
		return nil
	}
	return w.Attach(ctx, server.Run{Pipeline: p, Store: p.Store, Model: p.Model, Source: source})
}

// detach has the page show the run no more, since its state is to be closed.
func (w *web) detach() {
	if w != nil {
		w.posts.Stop(context.Background()) // who posts now is answered
		w.Close()
	}
}

// close ends the page.
func (w *web) close() error {
	if w == nil {
		return nil
	}
	w.detach()
	w.stop()
	return <-w.stopped
}

// openDemo serves the page of a demo, if one is wanted: where no address was asked
// for and the usual one is taken, at another one.
func (f webFlags) openDemo(addr string) (*web, error) {
	switch addr {
	case "none":
		return nil, nil
	case "auto":
		w, err := f.listen(defaultWeb, "")
		if errors.Is(err, syscall.EADDRINUSE) {
			return f.listen("127.0.0.1:0", "")
		}
		return w, err
	}
	return f.listen(addr, "")
}

// exportState writes what `starling state export` does.
func exportState(ctx context.Context, st *store.Store, w io.Writer, what, format string) error {
	export := stateExportCmd{Format: format}
	_, err := export.write(ctx, streams{out: w, err: io.Discard}, st, what, w)
	return err
}

// announce says where the page is.
func (w *web) announce(out io.Writer) {
	fmt.Fprintf(out, "watch it at %s\n", console.Safe(w.url))
}
