package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// openapi.json describes every endpoint, and no other, and the parameters of its path.
func TestOpenAPIDescribesTheHandlers(t *testing.T) {
	var spec struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(openAPI, &spec); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, methods := range spec.Paths {
		for method, operation := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
			inPath := 0
			for _, p := range operation.Parameters {
				if p.In == "path" && strings.Contains(path, "{"+p.Name+"}") {
					inPath++
				}
			}
			if inPath != strings.Count(path, "{") {
				t.Errorf("%s %s: the parameters of the path are not described", method, path)
			}
		}
	}
	slices.Sort(described)
	handled := slices.Sorted(maps.Keys(New(Settings{}).endpoints()))
	if !slices.Equal(described, handled) {
		t.Errorf("described %q, handled %q", described, handled)
	}
}
