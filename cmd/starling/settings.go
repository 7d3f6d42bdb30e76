package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

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
//
// A flag whose variable is not named after it alone, such as the broker's
// --data, means something else than its namesakes in other commands. It has no
// value at the top level.
type settingsFile struct {
	path   string
	values map[string]any
}

// Validate has nothing to say: the file is known only once flags are parsed.
func (s *settingsFile) Validate(*kong.Application) error { return nil }

// Resolve returns the file's value for a flag, or nil. Variables are stronger
// than the file, so a flag whose variable is set is left alone.
func (s *settingsFile) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	if parent.Command != nil {
		if section, ok := s.values[topCommand(parent.Command).Name].(map[string]any); ok && section[flag.Name] != nil {
			return settingValue(flag, section[flag.Name]), nil
		}
	}
	if value := s.values[flag.Name]; isSharedFlag(flag) && !isSection(value) {
		return settingValue(flag, value), nil
	}
	return nil, nil
}

// settingValue returns a value as kong takes it: text where the flag is text,
// such as the number of --threshold.
func settingValue(flag *kong.Flag, value any) any {
	switch value.(type) {
	case int, float64, bool:
		if flag.Target.Kind() == reflect.String {
			return fmt.Sprint(value)
		}
	}
	return value
}

// topCommand returns the command that stands first on the command line: model
// for model list.
func topCommand(command *kong.Node) *kong.Node {
	for command.Parent != nil && command.Parent.Type == kong.CommandNode {
		command = command.Parent
	}
	return command
}

func isSharedFlag(flag *kong.Flag) bool {
	return slices.Contains(flag.Envs, "STARLING_"+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")))
}

func isSection(value any) bool {
	_, ok := value.(map[string]any)
	return ok
}

// load reads the file.
func (s *settingsFile) load(parsed *kong.Context) error {
	path, asked := settingsPath(parsed)
	if path == "" {
		return nil
	}
	data, err := readSettings(path)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&s.values); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading settings in %s: %w", path, err)
	}
	s.path = path
	return s.check(parsed.Model.Node)
}

func readSettings(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSettingsBytes+1))
	if err == nil && len(data) > maxSettingsBytes {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxSettingsBytes)
	}
	return data, err
}

// check finds names in the file that mean nothing, which are most likely typos.
func (s *settingsFile) check(app *kong.Node) error {
	shared := flagNames(app, isSharedFlag)
	for name, value := range s.values {
		i := slices.IndexFunc(app.Children, func(c *kong.Node) bool { return c.Name == name })
		if section, ok := value.(map[string]any); i >= 0 && (ok || value == nil) {
			if err := s.checkSection(app.Children[i], section); err != nil {
				return err
			}
		} else if !slices.Contains(shared, name) {
			return fmt.Errorf("reading settings in %s: there is no setting %q", s.path, name)
		}
	}
	return nil
}

func (s *settingsFile) checkSection(command *kong.Node, section map[string]any) error {
	known := flagNames(command, func(*kong.Flag) bool { return true })
	for key := range section {
		if !slices.Contains(known, key) {
			return fmt.Errorf("reading settings in %s: %s has no setting %q", s.path, command.Name, key)
		}
	}
	return nil
}

// flagNames returns the names of the flags of a node and the nodes below it
// that may stand in the file.
func flagNames(node *kong.Node, keep func(*kong.Flag) bool) []string {
	var names []string
	for _, flag := range node.Flags {
		if flag.Name != "help" && flag.Name != "config" && keep(flag) {
			names = append(names, flag.Name)
		}
	}
	for _, child := range node.Children {
		names = append(names, flagNames(child, keep)...)
	}
	return names
}

// settingsPath returns where the file is, and whether somebody named it.
func settingsPath(parsed *kong.Context) (path string, asked bool) {
	for _, flag := range parsed.Flags() {
		if flag.Name != "config" {
			continue
		}
		if path, _ := parsed.FlagValue(flag).(string); path != "" {
			return path, true
		}
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "starling", "config.yaml"), false
}
