package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"starling"
	"starling/console"
)

const (
	// watcherPatience bounds a request, and watcherBytes an answer.
	watcherPatience = 10 * time.Second
	watcherBytes    = 16 << 20
	// watcherPause lies between two attempts to hear of events.
	watcherPause = 2 * time.Second
	// keptRates and keptEvents are what a watcher remembers.
	keptRates, keptEvents = 300, 20
)

// A runStatus is what the API says of a run as a whole.
type runStatus struct {
	Started     time.Time `json:"started"`
	Now         time.Time `json:"now"`
	Source      string    `json:"source"`
	Model       string    `json:"model"`
	Documents   int64     `json:"documents"`
	Clusters    int       `json:"clusters"`
	Micros      int       `json:"micros"`
	Rate        float64   `json:"rate"`
	Lag         float64   `json:"lag"`
	InFlight    int64     `json:"in_flight"`
	DeadLetters int64     `json:"dead_letters"`
	Memory      uint64    `json:"memory"`
	Notice      string    `json:"notice"`
	Stages      []struct {
		Name          string
		Busy          float64
		Waiting, Room int
	} `json:"stages"`
}

// A runWatcher asks the API of a run how it is.
type runWatcher struct {
	base   *url.URL
	token  string
	client *http.Client

	mu           sync.Mutex // guards what follows
	status, past runStatus  // of now and of the time before
	clusters     []console.ClusterGlance
	rates        []float64
	events       []string
	failed       error
}

func newRunWatcher(base, token string) (*runWatcher, error) {
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, errors.New("malformed URL of a page: want http://HOST:PORT, as starling run --web prints it")
	}
	return &runWatcher{base: u, token: token, client: &http.Client{}}, nil
}

// look asks for the status and the first clusters in an order.
func (w *runWatcher) look(ctx context.Context, order string, limit int) error {
	ctx, cancel := context.WithTimeout(ctx, watcherPatience)
	defer cancel()
	var status runStatus
	var list struct{ Clusters []console.ClusterGlance }
	if err := w.get(ctx, "/api/status", nil, &status); err != nil {
		return err
	}
	query := url.Values{"sort": {order}, "limit": {strconv.Itoa(limit)}}
	if err := w.get(ctx, "/api/clusters", query, &list); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past, w.status, w.clusters = w.status, status, list.Clusters
	return nil
}

// get asks for JSON.
func (w *runWatcher) get(ctx context.Context, path string, query url.Values, into any) error {
	answer, err := w.ask(ctx, path, query)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(io.LimitReader(answer.Body, watcherBytes)).Decode(into); err != nil {
		return fmt.Errorf("asking the run at %s: its answer is not that of a page of starling: %w", w.base.Host, err)
	}
	return nil
}

func (w *runWatcher) ask(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	u := w.base.JoinPath(path)
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	if w.token != "" {
		request.Header.Set("Authorization", "Bearer "+w.token)
	}
	answer, err := w.client.Do(request)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, fmt.Errorf("asking the run at %s: %w; does `starling run --web %s` run?", w.base.Host, err, w.base.Host)
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	var fault struct{ Detail string }
	_ = json.NewDecoder(io.LimitReader(answer.Body, watcherBytes)).Decode(&fault) // the status says enough
	if answer.StatusCode == http.StatusUnauthorized {
		fault.Detail = "it wants a token; name the file that has it with --token-file"
	}
	return nil, fmt.Errorf("asking the run at %s: %s: %s", w.base.Host, answer.Status, fault.Detail)
}

// hear notes events as they come, until ctx is done.
func (w *runWatcher) hear(ctx context.Context) {
	for ctx.Err() == nil {
		_ = w.hearOnce(ctx) // look says why there is nothing to hear
		select {
		case <-ctx.Done():
		case <-time.After(watcherPause):
		}
	}
}

func (w *runWatcher) hearOnce(ctx context.Context) error {
	answer, err := w.ask(ctx, "/api/events", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, watcherBytes)
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		var frame struct {
			Events []struct {
				starling.Event
				Time time.Time
			}
		}
		if !isData || json.Unmarshal([]byte(data), &frame) != nil {
			continue
		}
		w.mu.Lock()
		for _, e := range frame.Events {
			w.events = append(w.events, e.Time.Local().Format(time.TimeOnly)+"  "+describeEvent(e.Event))
		}
		w.events = w.events[max(0, len(w.events)-keptEvents):]
		w.mu.Unlock()
	}
	return lines.Err()
}

// remember keeps the rate of now for the line over time.
func (w *runWatcher) remember() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rates = append(w.rates, w.status.Rate)
	w.rates = w.rates[max(0, len(w.rates)-keptRates):]
}

// note says whether the last look failed.
func (w *runWatcher) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = err
}

// glance is what is known now.
func (w *runWatcher) glance(order string) console.Glance {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	g := console.Glance{
		Source: s.Source, Model: s.Model, Up: s.Now.Sub(s.Started), Documents: s.Documents, Clusters: s.Clusters, Micros: s.Micros,
		Rate: s.Rate, Rates: append([]float64(nil), w.rates...), Lag: time.Duration(s.Lag * float64(time.Second)),
		InFlight: s.InFlight, DeadLetters: s.DeadLetters, Memory: s.Memory, Notice: s.Notice,
		Order: order, Top: w.clusters, Events: append([]string(nil), w.events...), Unreachable: w.failed,
	}
	// Since the look before, or since the run began.
	past, since := w.past, s.Now.Sub(w.past.Now)
	if len(past.Stages) != len(s.Stages) || since <= 0 {
		past, since = runStatus{}, g.Up
	}
	for i, stage := range s.Stages {
		busy := stage.Busy
		if len(past.Stages) > 0 {
			busy -= past.Stages[i].Busy
		}
		glance := console.StageGlance{Name: stage.Name, Busy: busy / max(since.Seconds(), 1e-3)}
		if stage.Room > 0 {
			glance.Full = float64(stage.Waiting) / float64(stage.Room)
		}
		g.Stages = append(g.Stages, glance)
	}
	return g
}
