package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"starling"
	"starling/server"
)

type clusters struct {
	Total    int
	Next     int
	Clusters []struct {
		ID    starling.ClusterID
		Size  int64
		Name  string
		Spark []float64
	}
}

func TestBeforeARunTheServerSaysThatItBegins(t *testing.T) {
	web := server.New(server.Settings{})
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/api/status": 503, "/metrics": 503, "/": 200, "/api/openapi.json": 200, "/api/nothing": 404} {
		if w := ask(t, web.Handler(), "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestTheAPITellsOfTheClusters(t *testing.T) {
	s := startStream(t)
	h := s.web.Handler()
	s.publish(t, sampleTexts(t, 700)...)
	await(t, func() bool {
		return decode[struct{ Documents int64 }](t, ask(t, h, "GET", "/api/status", "")).Documents == 700
	})
	// The pages of the list hold every cluster once, and the clusters every document.
	seen, documents := map[starling.ClusterID]bool{}, int64(0)
	first := decode[clusters](t, ask(t, h, "GET", "/api/clusters?limit=50", ""))
	for page := first; ; {
		for _, c := range page.Clusters {
			if seen[c.ID] {
				t.Errorf("cluster %v comes twice", c.ID)
			}
			seen[c.ID] = true
			documents += c.Size
		}
		if page.Next == 0 {
			break
		}
		page = decode[clusters](t, ask(t, h, "GET", fmt.Sprintf("/api/clusters?limit=50&offset=%d", page.Next), ""))
	}
	if len(seen) != first.Total || documents != 700 {
		t.Errorf("%d clusters of %d, %d documents", len(seen), first.Total, documents)
	}
	largest := first.Clusters[0]
	sum := 0.0
	for _, n := range largest.Spark {
		sum += n
	}
	if int64(sum) != largest.Size {
		t.Errorf("the sparkline of a cluster of %d documents counts %v", largest.Size, sum)
	}
	path := fmt.Sprintf("/api/clusters/%v", largest.ID)
	var listed struct {
		Documents []struct{ Seq, Cluster int64 }
		Next      int64
	}
	listed.Next = 0
	got := map[int64]bool{}
	for {
		listed = struct {
			Documents []struct{ Seq, Cluster int64 }
			Next      int64
		}{}
		next := ""
		if len(got) > 0 {
			next = fmt.Sprintf("&after=%d", lastOf(got))
		}
		listed = decode[struct {
			Documents []struct{ Seq, Cluster int64 }
			Next      int64
		}](t, ask(t, h, "GET", path+"/documents?limit=7"+next, ""))
		for _, d := range listed.Documents {
			got[d.Seq] = true
		}
		if listed.Next == 0 {
			break
		}
	}
	if int64(len(got)) != largest.Size {
		t.Errorf("%d documents of a cluster of %d", len(got), largest.Size)
	}
	found := decode[struct{ Documents []struct{ Text string } }](t, ask(t, h, "GET", "/api/search?q=LANDLORD&limit=1000", ""))
	want := 0
	for _, text := range sampleTexts(t, 700) {
		if strings.Contains(strings.ToLower(text), "landlord") {
			want++
		}
	}
	if len(found.Documents) != want || want == 0 {
		t.Errorf("found %d documents with the word, want %d", len(found.Documents), want)
	}
	match := decode[struct {
		Matches []struct {
			ID    starling.ClusterID
			Joins bool
		}
	}](t, ask(t, h, "POST", "/api/assign", `{"text":"the landlord keeps my deposit for the flat"}`))
	if len(match.Matches) == 0 {
		t.Error("no cluster is like a text")
	}
	points := ask(t, h, "GET", "/api/map/points", "")
	if points.Body.Len() != 8+24*700 {
		t.Errorf("%d bytes of points", points.Body.Len())
	}
}

func lastOf(seqs map[int64]bool) (last int64) {
	for seq := range seqs {
		last = max(last, seq)
	}
	return last
}

func TestEditsOverTheAPI(t *testing.T) {
	s := startStream(t)
	h := s.web.Handler()
	s.publish(t, sampleTexts(t, 300)...)
	id := s.pipeline.Clusters(1)[0].ID
	if w := ask(t, h, "POST", "/api/edits", fmt.Sprintf(`{"kind":"rename","cluster":%v,"name":"homes"}`, id)); w.Code != 200 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	if name := s.pipeline.Clusters(1)[0].Name; name != "homes" {
		t.Errorf("the cluster has the name %q", name)
	}
	for body, want := range map[string]int{
		`{"kind":"pin","cluster":99999}`:             422,
		`{"kind":"delete","cluster":1,"document":1}`: 422,
		`{"kind":"pin","cluster":1,"colour":"red"}`:  400,
		`{`:                400,
		`{"kind":"pin"}{}`: 400,
		`{"name":"` + strings.Repeat("x", 2<<20) + `"}`: 413,
	} {
		if w := ask(t, h, "POST", "/api/edits", body); w.Code != want || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.40s: %d %s, want %d", body, w.Code, w.Body, want)
		}
	}
}

// Of what is from outside, only what should is answered.
func TestTheGuard(t *testing.T) {
	host := func(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	open := server.New(server.Settings{Hosts: []string{"starling.example"}})
	closed := server.New(server.Settings{Token: "a long enough token"})
	for _, c := range []struct {
		name   string
		web    *server.Server
		path   string
		change []func(*http.Request)
		want   int
	}{
		{"loopback", open, "/healthz", nil, 200},
		{"localhost", open, "/healthz", []func(*http.Request){host("localhost:1")}, 200},
		{"IPv6", open, "/healthz", []func(*http.Request){host("[::1]:1")}, 200},
		{"a name that was allowed", open, "/healthz", []func(*http.Request){host("Starling.example")}, 200},
		{"a name that leads here", open, "/healthz", []func(*http.Request){host("evil.example:8787")}, 421},
		{"another address", open, "/healthz", []func(*http.Request){host("10.1.2.3:8787")}, 421},
		{"another address, with a token", closed, "/healthz", []func(*http.Request){host("10.1.2.3:8787")}, 200},
		{"another page", open, "/healthz", []func(*http.Request){header("Origin", "http://evil.example")}, 403},
		{"a page of no origin", open, "/healthz", []func(*http.Request){header("Origin", "null")}, 403},
		{"another port", open, "/healthz", []func(*http.Request){header("Origin", "http://127.0.0.1:1")}, 403},
		{"its own page", open, "/healthz", []func(*http.Request){header("Origin", "http://127.0.0.1:8787")}, 200},
		{"another site", open, "/api/status", []func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, 403},
		{"no token", closed, "/api/status", nil, 401},
		{"no token for metrics", closed, "/metrics", nil, 401},
		{"a wrong token", closed, "/api/status", []func(*http.Request){header("Authorization", "Bearer wrong")}, 401},
		{"the token", closed, "/api/status", []func(*http.Request){header("Authorization", "Bearer a long enough token")}, 503},
		{"a wrong cookie", closed, "/api/status", []func(*http.Request){header("Cookie", "starling-session=x")}, 401},
	} {
		w := ask(t, c.web.Handler(), "GET", c.path, "", c.change...)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", c.name, csp)
		}
	}
	w := ask(t, closed.Handler(), "POST", "/api/session", `{"token":"a long enough token"}`)
	cookie := w.Header().Get("Set-Cookie")
	if w.Code != 204 || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || strings.Contains(cookie, "a long enough token") {
		t.Fatalf("%d, cookie %q", w.Code, cookie)
	}
	if w := ask(t, closed.Handler(), "GET", "/api/status", "", header("Cookie", strings.Split(cookie, ";")[0])); w.Code != 503 {
		t.Errorf("with the cookie: %d", w.Code)
	}
	if w := ask(t, closed.Handler(), "POST", "/api/session", `{"token":"wrong"}`); w.Code != 401 {
		t.Errorf("signed in with a wrong token: %d", w.Code)
	}
}

// A reader of updates that comes back with the last id it saw misses none and has none
// twice.
func TestEventsResume(t *testing.T) {
	s := startStream(t)
	addr, stop := serveAt(t, "", s.web.Handler())
	defer stop()
	s.publish(t, sampleTexts(t, 40)...)
	next := int64(1)
	for _, until := range []int64{15, 40, 60} {
		if until == 60 {
			s.publish(t, sampleTexts(t, 20)...)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/api/events?of=updates", nil)
		check(t, err)
		r.Header.Set("Last-Event-ID", fmt.Sprint(next-1))
		response, err := http.DefaultClient.Do(r)
		check(t, err)
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		for next <= until && lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var u starling.Update
			check(t, json.Unmarshal([]byte(data), &u))
			if u.Seq != next {
				t.Fatalf("update %d, want %d", u.Seq, next)
			}
			next++
		}
		cancel()
		check(t, response.Body.Close())
	}
}
