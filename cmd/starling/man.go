package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// manCmd is for who packs the program.
type manCmd struct{}

// Run prints the manual page, in the macros of man(7).
func (manCmd) Run(std streams, parsed *kong.Context) error {
	_, err := io.WriteString(std.out, manPage(parsed.Model.Node, parsed.Model.Help))
	return err
}

func manPage(root *kong.Node, about string) string {
	summary, rest, _ := strings.Cut(about, "\n")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH STARLING 1 \"\" \"starling %s\" \"User Commands\"\n.SH NAME\nstarling \\- %s\n", roff(version), roff(strings.TrimSuffix(summary, ".")))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B starling\n.I command\n.RI [ flags ]\n.SH DESCRIPTION\n%s", paragraphs(summary+"\n"+rest))
	b.WriteString(".SH OPTIONS OF EVERY COMMAND\n")
	manFlags(&b, root.Flags)
	b.WriteString(".SH COMMANDS\n")
	for _, command := range commandsOf(root) {
		fmt.Fprintf(&b, ".SS starling %s\n%s%s", roff(command.Path()), paragraphs(command.Help), paragraphs(command.Detail))
		for _, p := range command.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(p.Summary()), roff(p.Help))
		}
		manFlags(&b, flagsOf(command, root))
	}
	return b.String()
}

func manFlags(b *strings.Builder, flags []*kong.Flag) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		fmt.Fprintf(b, ".TP\n.B \\-\\-%s\n%s\n", roff(flagForm(f)), roff(f.Help))
		if len(f.Envs) > 0 {
			fmt.Fprintf(b, "Or %s.\n", roff("$"+strings.Join(f.Envs, ", $")))
		}
	}
}

// paragraphs writes text with a paragraph for each of its lines.
func paragraphs(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(&b, ".PP\n%s\n", roff(line))
		}
	}
	return b.String()
}

// roff escapes a line of text.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

// commandsOf returns the commands that can be run, in the order of the help text.
func commandsOf(node *kong.Node) (all []*kong.Node) {
	if node.Hidden {
		return nil
	}
	if len(node.Children) == 0 {
		return []*kong.Node{node}
	}
	for _, child := range node.Children {
		all = append(all, commandsOf(child)...)
	}
	return all
}

// flagsOf returns the flags of a command and of those above it, but for those of
// every command.
func flagsOf(node, root *kong.Node) (flags []*kong.Flag) {
	for ; node != nil && node != root; node = node.Parent {
		flags = append(flags, node.Flags...)
	}
	return flags
}

// flagForm is a flag with what it takes.
func flagForm(f *kong.Flag) string {
	if f.IsBool() {
		return f.Name
	}
	return f.Name + "=" + strings.Trim(f.FormatPlaceHolder(), `"`)
}
