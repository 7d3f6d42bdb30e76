package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// version is stamped by the linker in released builds.
var version = "dev"

type versionCmd struct{}

// Run prints the version, the revision if the build knows it, and the platform.
func (versionCmd) Run(std streams) error {
	_, err := fmt.Fprintf(std.out, "starling %s%s %s %s/%s\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return " (" + setting.Value[:min(12, len(setting.Value))] + ")"
		}
	}
	return ""
}

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says how to use what the command prints.
func (completionCmd) Help() string {
	return "Put this into the shell's start file:\n\n" +
		"  bash, zsh:  source <(starling completion bash)   (or zsh)\n" +
		"  fish:       starling completion fish | source"
}

// The program completes itself: a shell calls it with the line in COMP_LINE.
const (
	bashCompletion = "complete -o default -o bashdefault -C %[1]s %[2]s\n"
	zshCompletion  = "autoload -U +X bashcompinit && bashcompinit\n" + bashCompletion
	fishCompletion = `function __complete_%[2]s
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    %[1]s
end
complete -f -c %[2]s -a "(__complete_%[2]s)"
`
)

// Run prints the code for the shell.
func (c completionCmd) Run(std streams, app *kong.Kong) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	code := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell]
	_, err = fmt.Fprintf(std.out, code, "'"+strings.ReplaceAll(program, "'", `'\''`)+"'", app.Model.Name)
	return err
}
