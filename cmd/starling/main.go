// Command starling clusters a stream of short texts while it flows.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"starling/console"
)

// cli is the command line. Flags can also be set by variables and in a YAML
// file, see settingsFile.
type cli struct {
	Config  string `help:"YAML file with settings; by default starling/config.yaml in the user's configuration directory, if there is one." placeholder:"FILE" type:"path"`
	Verbose bool   `short:"v" help:"Log what happens, not only what goes wrong."`

	Demo        demoCmd        `cmd:"" help:"See a stream being clustered: broker, sample messages and clustering in one process."`
	Run         runCmd         `cmd:"" help:"Cluster the messages of a broker until stopped."`
	Ingest      ingestCmd      `cmd:"" help:"Publish a collection of texts to a broker."`
	Broker      brokerCmd      `cmd:"" help:"Run the embedded broker (NATS JetStream) alone."`
	Top         topCmd         `cmd:"" help:"Look at a run in the terminal: rate, stages, clusters, what happens to them."`
	Clusters    clustersCmd    `cmd:"" help:"List the clusters of a state."`
	Show        showCmd        `cmd:"" help:"Show one cluster and its documents."`
	Assign      assignCmd      `cmd:"" help:"Say which cluster a text belongs to; learns nothing."`
	Edit        editCmd        `cmd:"" help:"Merge, split, rename and pin clusters by hand, and delete documents."`
	Deadletters deadlettersCmd `cmd:"" name:"deadletters" help:"List, retry and drop messages that could not be processed."`
	State       stateCmd       `cmd:"" help:"Check, back up, compact and export a state."`
	Eval        evalCmd        `cmd:"" help:"Cluster a labelled stream and say how good the clusters are."`
	Embed       embedCmd       `cmd:"" help:"Turn lines into vectors."`
	Tokenize    tokenizeCmd    `cmd:"" help:"Turn lines into token ids."`
	Model       modelCmd       `cmd:"" help:"List and describe models."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
	Completion  completionCmd  `cmd:"" help:"Print the code that completes commands in a shell."`
	Man         manCmd         `cmd:"" hidden:"" help:"Print the manual page, in roff."`
}

// BeforeResolve reads the settings file, which --config may name.
func (c *cli) BeforeResolve(parsed *kong.Context, settings *settingsFile) error {
	return settings.load(parsed)
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	// Writing to a pipe that nobody reads any more is an error like others, so
	// that the command can end in order.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// Exit statuses, as documented in the help text.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func run(args []string, std streams) int {
	// The first signal drains; it also restores the default, so that the second
	// one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	dropEmptyVariables()
	var commands cli
	parser, err := newParser(&commands, std)
	if err != nil {
		complain(std.err, err)
		return exitFailed
	}
	kongcompletion.Register(parser)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usage(std, err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: commands.level()})))
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(std)
	switch {
	case errors.Is(err, syscall.EPIPE), err == nil:
		return exitOK // whoever read the output has seen enough
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		err = errors.New("stopped before the end")
	}
	complain(std.err, err)
	return exitFailed
}

// dropEmptyVariables makes a variable that is set to nothing one that is not
// set.
func dropEmptyVariables() {
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); value == "" && strings.HasPrefix(name, "STARLING_") {
			_ = os.Unsetenv(name) // fails for malformed names only
		}
	}
}

func newParser(commands *cli, std streams) (*kong.Kong, error) {
	settings := new(settingsFile)
	return kong.New(commands,
		kong.Name("starling"),
		kong.Description("Clusters a stream of short texts while it flows.\n\n"+
			"Settings come from flags, STARLING_* variables and a YAML file, in that order of strength. "+
			"The exit status is 0, or 1 when a command failed, or 2 when it was not understood."),
		kong.Writers(std.out, std.err),
		kong.DefaultEnvars("STARLING"),
		kong.Bind(settings),
		kong.Resolvers(settings),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
}

func usage(std streams, err error) int {
	complain(std.err, err)
	var parseError *kong.ParseError
	if errors.As(err, &parseError) {
		if command := parseError.Context.Selected(); command != nil {
			fmt.Fprintf(std.err, "See `starling %s --help`.\n", command.Path())
			return exitUsage
		}
	}
	fmt.Fprintln(std.err, "See `starling --help`.")
	return exitUsage
}

// complain prints an error. It may quote files, messages and the command line,
// so nothing in it can act on the terminal, and URLs show no credentials.
func complain(w io.Writer, err error) {
	for _, line := range strings.Split(err.Error(), "\n") {
		fmt.Fprintln(w, "starling:", console.Safe(credentials.ReplaceAllString(line, "://***@")))
	}
}

// credentials are what stands before the host in a URL, or in what was meant to
// be one.
var credentials = regexp.MustCompile(`://\S*@`)

func (c *cli) level() slog.Level {
	if c.Verbose {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}
