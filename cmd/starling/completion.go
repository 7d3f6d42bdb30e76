package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell   string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
	Program string `help:"What the shell calls to complete; by default this program by its path. For packages." placeholder:"COMMAND"`
}

// Help says how to use what the command prints.
func (completionCmd) Help() string {
	return "Put this into the shell's start file:\n\n" +
		"  bash:  source <(starling completion bash)\n" +
		"  zsh:   source <(starling completion zsh)\n" +
		"  fish:  starling completion fish | source"
}

// The program completes itself: a shell calls it with the line in COMP_LINE.
// Where it has nothing to suggest they complete file names. Bash, and zsh in its
// place, parse the command after -C once more.
const (
	bashCompletion = "complete -o default -o bashdefault -C %[1]s %[2]s\n"
	zshCompletion  = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n" +
		"autoload -Uz bashcompinit && bashcompinit\n" + bashCompletion
	fishCompletion = `function __complete_%[2]s
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    set -l found (%[1]s)
    if test (count $found) -gt 0
        printf '%%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -f -c %[2]s -a "(__complete_%[2]s)"
`
)

// Run prints the code for the shell.
func (c completionCmd) Run(std streams, app *kong.Kong) error {
	program := c.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("finding this program: %w", err)
		}
	}
	program = shellQuote(program)
	code := fishCompletion
	switch c.Shell {
	case "bash":
		code, program = bashCompletion, shellQuote(program)
	case "zsh":
		code, program = zshCompletion, shellQuote(program)
	}
	_, err := fmt.Fprintf(std.out, code, program, app.Model.Name)
	return err
}

// shellQuote returns a word that means the text to bash, zsh and fish.
func shellQuote(text string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (r == '/' || r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' ||
			r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	if text != "" && strings.TrimLeftFunc(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
