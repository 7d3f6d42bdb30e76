package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// maxSettingsBytes bounds the settings file.
const maxSettingsBytes = 1 << 20

// settingsFile finds the values of flags in a YAML file: at the top level by
// their name, for every command that has the flag, or in a section named after
// a command, for that one.
//
//	state: /var/lib/starling
//	run:
//	  from: nats://localhost:4222/tweets
type settingsFile struct {
	path   string
	values map[string]any
}

// Validate has nothing to say: the file is known only once flags are parsed.
func (s *settingsFile) Validate(*kong.Application) error { return nil }

// Resolve returns the file's value for a flag, or nil. Variables are stronger
// than the file, so a flag whose variable is set is left alone.
func (s *settingsFile) Resolve(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if flag.Name == "config" || flag.Name == "help" {
		return nil, nil
	}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	if parent.Command != nil {
		if section, ok := s.values[parent.Command.Name].(map[string]any); ok && section[flag.Name] != nil {
			return section[flag.Name], nil
		}
	}
	return s.values[flag.Name], nil
}

// load reads the file once.
func (s *settingsFile) load(ctx *kong.Context) error {
	if s.values != nil {
		return nil
	}
	s.values = map[string]any{}
	path, asked := settingsPath(ctx)
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSettingsBytes+1))
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	if len(data) > maxSettingsBytes {
		return fmt.Errorf("reading settings: %s is longer than %d bytes", path, maxSettingsBytes)
	}
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&s.values); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading settings in %s: %w", path, err)
	}
	s.path = path
	return s.check(ctx.Model.Node)
}

// check finds names in the file that mean nothing, which are most likely typos.
func (s *settingsFile) check(app *kong.Node) error {
	everywhere := flagNames(app)
	for _, command := range app.Children {
		everywhere = append(everywhere, flagNames(command)...)
	}
	for name, value := range s.values {
		i := slices.IndexFunc(app.Children, func(c *kong.Node) bool { return c.Name == name })
		section, isSection := value.(map[string]any)
		switch {
		case i >= 0 && isSection:
			for key := range section {
				if !slices.Contains(flagNames(app.Children[i]), key) {
					return fmt.Errorf("reading settings in %s: %s has no setting %q", s.path, name, key)
				}
			}
		case !slices.Contains(everywhere, name):
			return fmt.Errorf("reading settings in %s: there is no setting %q", s.path, name)
		}
	}
	return nil
}

func flagNames(node *kong.Node) []string {
	var names []string
	for _, flag := range node.Flags {
		names = append(names, flag.Name)
	}
	return names
}

// settingsPath returns where the file is, and whether somebody named it.
func settingsPath(ctx *kong.Context) (path string, asked bool) {
	for _, flag := range ctx.Flags() {
		if flag.Name != "config" {
			continue
		}
		if path, _ := ctx.FlagValue(flag).(string); path != "" {
			return path, true
		}
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "starling", "config.yaml"), false
}
