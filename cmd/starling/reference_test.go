package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write the files that are made of the code")

const referenceFile = "../../docs/configuration.md"

// TestReference checks that the reference of commands and settings is what the code
// says. -update writes it.
func TestReference(t *testing.T) {
	var commands cli
	parser, err := newParser(&commands, streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	want := reference(parser.Model.Node)
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the code says; go test ./cmd/starling -run Reference -update writes it", referenceFile)
	}
}

// reference describes all commands in Markdown.
func reference(root *kong.Node) string {
	var b strings.Builder
	b.WriteString(`# Commands and settings

What each command takes, made from the program by ` + "`go test ./cmd/starling -run Reference -update`" + `. A setting comes from the
flag, else from the variable, else from the settings file, else it is the default. The settings file is YAML, by default
starling/config.yaml in the user's configuration folder: a flag by its name without dashes, at the top level for every command,
or in a section named after a command:

    state: /var/lib/starling
    run:
      from: nats://127.0.0.1:4222/texts
      keep-documents: 1000000

` + "`starling run --dry-run`" + ` prints the settings in force and tries what they name.

## Every command

`)
	table(&b, root.Flags)
	for _, leaf := range commandsOf(root) {
		fmt.Fprintf(&b, "## starling %s\n\n%s\n\n", leaf.Path(), leaf.Help)
		if leaf.Detail != "" {
			fmt.Fprintf(&b, "%s\n\n", leaf.Detail)
		}
		if len(leaf.Positional) > 0 {
			b.WriteString("| argument | what it is |\n| --- | --- |\n")
			for _, p := range leaf.Positional {
				fmt.Fprintf(&b, "| `%s` | %s |\n", p.Summary(), cell(p.Help))
			}
			b.WriteByte('\n')
		}
		table(&b, flagsOf(leaf, root))
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func table(b *strings.Builder, flags []*kong.Flag) {
	flags = slices.DeleteFunc(slices.Clone(flags), func(f *kong.Flag) bool { return f.Hidden })
	if len(flags) == 0 {
		return
	}
	b.WriteString("| flag | variable | what it is | by default |\n| --- | --- | --- | --- |\n")
	for _, f := range flags {
		name := "--" + flagForm(f)
		otherwise := f.Default
		if f.Required {
			otherwise = "required"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", strings.ReplaceAll(name, "|", `\|`), cell(code(strings.Join(f.Envs, ", "))), cell(f.Help), cell(cmp.Or(otherwise, " ")))
	}
	b.WriteByte('\n')
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

// cell makes a text one of a table.
func cell(text string) string {
	return strings.TrimSpace(strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text))
}

func TestTheManualPageHasEveryCommand(t *testing.T) {
	var commands cli
	parser, err := newParser(&commands, streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	page := manPage(parser.Model.Node, parser.Model.Help)
	for _, command := range commandsOf(parser.Model.Node) {
		if !strings.Contains(page, "\n.SS starling "+roff(command.Path())+"\n") {
			t.Errorf("%s is missing", command.Path())
		}
	}
	for line := range strings.Lines(page) {
		if macro, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(macro, ".") &&
			!slices.Contains([]string{".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".I", ".RI"}, macro) {
			t.Errorf("%q is no macro", line)
		}
	}
}
