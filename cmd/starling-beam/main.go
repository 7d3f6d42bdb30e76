// Command starling-beam clusters streams with Apache Beam, where one machine is too
// small. It is a binary of its own, so that the Beam SDK does not weigh on starling.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	beamlog "github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"starling/console"
)

type cli struct {
	Verbose bool       `short:"v" help:"Log what happens, not only what goes wrong."`
	Cluster clusterCmd `cmd:"" help:"Cluster the messages of a subscription."`
	Ingest  ingestCmd  `cmd:"" help:"Publish a collection of texts."`
}

func main() {
	if isWorker(os.Args[1:]) {
		flag.Parse()
		sdk.Init() // serves the runner, and does not return
		os.Exit(1)
	}
	os.Exit(run(os.Args[1:]))
}

// isWorker says whether a runner started the binary as a worker: then the flags are
// those of the SDK.
func isWorker(args []string) bool {
	for _, arg := range args {
		if name := strings.TrimLeft(arg, "-"); name != arg && (name == "worker" || name == "worker=true") {
			return true
		}
	}
	return false
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	var commands cli
	parser, err := kong.New(&commands,
		kong.Name("starling-beam"),
		kong.Description("Clusters a stream of short texts with Apache Beam: on prism in this process, on Google Cloud "+
			"Dataflow, or on any job server such as Flink's.\n\nThe exit status is 0, or 1 when a command failed, "+
			"or 2 when it was not understood."),
		kong.DefaultEnvars("STARLING"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return complain(err, 1)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return complain(err, 2)
	}
	level, sdkLevel := slog.LevelWarn, "warn"
	if commands.Verbose {
		level, sdkLevel = slog.LevelInfo, "info"
	}
	beamlog.SetupLogging(sdkLevel, "text")
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(); err != nil && ctx.Err() == nil {
		return complain(err, 1)
	}
	return 0
}

// credentials are what stands before the host in a URL.
var credentials = regexp.MustCompile(`://\S*@`)

// complain prints an error and returns the exit status.
func complain(err error, status int) int {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(os.Stderr, "starling-beam:", console.Safe(credentials.ReplaceAllString(line, "://***@")))
	}
	return status
}
