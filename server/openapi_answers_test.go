package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// An api is openapi.json, to check answers against.
type api struct {
	compiler *jsonschema.Compiler
	spec     map[string]any
}

func readAPI(t *testing.T) api {
	t.Helper()
	file, err := os.Open("openapi.json")
	check(t, err)
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	check(t, err)
	a := api{jsonschema.NewCompiler(), document.(map[string]any)}
	check(t, a.compiler.AddResource("openapi.json", document))
	return a
}

// check fails unless a body is as the answer of an operation is described.
func (a api) check(t *testing.T, method, path, body string) {
	t.Helper()
	pointer := fmt.Sprintf("openapi.json#/paths/%s/%s/responses/200/content/application~1json/schema",
		strings.NewReplacer("/", "~1", "{", "%7B", "}", "%7D").Replace(path), strings.ToLower(method))
	a.against(t, pointer, method+" "+path, body)
}

func (a api) against(t *testing.T, pointer, what, body string) {
	t.Helper()
	schema, err := a.compiler.Compile(pointer)
	check(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	check(t, err)
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %v\n%.500s", what, err, body)
	}
}

// Every answer of the API is as openapi.json says: with all fields that it names, and
// no others.
func TestAnswersAreAsDescribed(t *testing.T) {
	s := startStream(t)
	h := s.web.Handler()
	s.publish(t, sampleTexts(t, 700)...)
	s.publish(t, strings.Repeat("a long text ", 500))
	await(t, func() bool {
		return decode[struct{ Documents int64 }](t, ask(t, h, "GET", "/api/status", "")).Documents == 701
	})
	largest := decode[clusters](t, ask(t, h, "GET", "/api/clusters", "")).Clusters[0].ID
	a := readAPI(t)
	asked := map[string]bool{}
	for _, one := range []struct{ method, path, url, body string }{
		{"GET", "/api/status", "/api/status", ""},
		{"GET", "/api/clusters", "/api/clusters?limit=1000", ""},
		{"POST", "/api/edits", "/api/edits", fmt.Sprintf(`{"kind":"rename","cluster":%v,"name":"a name"}`, largest)},
		{"POST", "/api/edits", "/api/edits", fmt.Sprintf(`{"kind":"pin","cluster":%v}`, largest)},
		{"GET", "/api/clusters/{id}", fmt.Sprint("/api/clusters/", largest), ""},
		{"GET", "/api/clusters/{id}/documents", fmt.Sprint("/api/clusters/", largest, "/documents?limit=2"), ""},
		{"GET", "/api/documents", "/api/documents", ""},
		{"GET", "/api/documents/{seq}", "/api/documents/3", ""},
		{"POST", "/api/assign", "/api/assign", `{"text":"the train is late"}`},
		{"GET", "/api/search", "/api/search?q=train", ""},
		{"GET", "/api/map", "/api/map", ""},
		{"GET", "/api/timeline", "/api/timeline", ""},
	} {
		w := ask(t, h, one.method, one.url, one.body)
		if w.Code != http.StatusOK {
			t.Errorf("%s %s: %d, %s", one.method, one.url, w.Code, w.Body)
			continue
		}
		a.check(t, one.method, one.path, w.Body.String())
		asked[strings.ToLower(one.method)+" "+one.path] = true
	}
	for path, methods := range a.spec["paths"].(map[string]any) {
		for method, operation := range methods.(map[string]any) {
			text, err := json.Marshal(operation)
			check(t, err)
			if strings.Contains(string(text), `"200":{"content":{"application/json":{}`) {
				t.Errorf("%s %s: the answer is not described", method, path)
			}
			if strings.Contains(string(text), `"200":{"content":{"application/json":`) && !asked[method+" "+path] && method+" "+path != "post /api/documents" {
				t.Errorf("%s %s: no answer was checked", method, path)
			}
		}
	}
	for url, want := range map[string]int{"/api/clusters?sort=x": 400, "/api/documents/0": 400, "/api/documents/9999": 404, "/api/clusters/99999": 404, "/api/nothing": 404} {
		w := ask(t, h, "GET", url, "")
		if w.Code != want {
			t.Errorf("%s: %d, want %d", url, w.Code, want)
		}
		a.against(t, "openapi.json#/components/schemas/Problem", url, w.Body.String())
	}
}
