package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts call this test binary as starling.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"starling": main})
}

// Every script in testdata says what one part of the command line does.
func TestScripts(t *testing.T) { testscript.Run(t, scriptParams("testdata")) }

// scriptParams says how the scripts of a folder run: each with a home of its own.
func scriptParams(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, ".home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			return os.Mkdir(home, 0o700)
		},
		Cmds:     scriptCommands,
		Deadline: time.Now().Add(3 * time.Minute), // a script that hangs says where
	}
}

func TestShellQuoteKeepsAWordOneWord(t *testing.T) {
	for text, want := range map[string]string{
		"bin/starling":      "bin/starling",
		"/home/a b/starl":   "'/home/a b/starl'",
		"it's":              `'it'\''s'`,
		"":                  "''",
		"$HOME/x":           "'$HOME/x'",
		"/opt/größe/x":      "'/opt/größe/x'",
		"a;rm -rf ~\n`id`":  "'a;rm -rf ~\n`id`'",
		"C:\\bin\\starling": "'C:\\bin\\starling'",
	} {
		if got := shellQuote(text); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", text, got, want)
		}
	}
}
