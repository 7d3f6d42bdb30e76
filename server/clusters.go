package server

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"starling"
	"starling/vec"

	"starling/cluster"
)

const (
	// clusterPage is how many clusters a page holds unless asked for more, and
	// maxPage the most that may be asked for.
	clusterPage = 100
	maxPage     = 1000
)

// A page of a list.
type clusterList struct {
	// Version is that of the view: pages of one version fit together.
	Version  int64          `json:"version"`
	Total    int            `json:"total"`
	Clusters []*clusterItem `json:"clusters"`
	// Next is the offset of the next page; absent on the last.
	Next int `json:"next,omitempty"`
}

// getClusters lists clusters.
func (s *Server) getClusters(_ *Run, w http.ResponseWriter, r *http.Request) {
	limit, ok := number(w, r, "limit", clusterPage, maxPage)
	if !ok {
		return
	}
	offset, ok := number(w, r, "offset", 0, 1<<30)
	if !ok {
		return
	}
	v := s.watch.current()
	found := filtered(v.clusters, r.URL.Query().Get("q"))
	found, ok = sorted(found, cmp.Or(r.URL.Query().Get("sort"), "size"))
	if !ok {
		problem(w, http.StatusBadRequest, "bad-request", "The parameter sort must be size, recent, growth, name or id.")
		return
	}
	start := min(int(offset), len(found))
	end := min(start+int(limit), len(found))
	list := clusterList{Version: v.version, Total: len(found), Clusters: found[start:end]}
	if list.Clusters == nil {
		list.Clusters = []*clusterItem{}
	}
	if end < len(found) {
		list.Next = end
	}
	answer(w, list)
}

// filtered returns the clusters that have all words of a query in name, terms or texts.
func filtered(all []*clusterItem, query string) []*clusterItem {
	words := strings.Fields(strings.ToLower(query))
	if len(words) == 0 {
		return all
	}
	var found []*clusterItem
	for _, c := range all {
		about := strings.ToLower(c.ID.String() + " " + c.Name + " " + strings.Join(c.Terms, " ") + " " + strings.Join(c.Texts, " "))
		if containsAll(about, words) {
			found = append(found, c)
		}
	}
	return found
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// sorted returns clusters, which come by size, in another order.
func sorted(clusters []*clusterItem, by string) ([]*clusterItem, bool) {
	var compare func(a, b *clusterItem) int
	switch by {
	case "size":
		return clusters, true
	case "recent":
		compare = func(a, b *clusterItem) int { return cmp.Compare(b.lately(), a.lately()) }
	case "growth":
		compare = func(a, b *clusterItem) int { return cmp.Compare(b.growth(), a.growth()) }
	case "name":
		compare = func(a, b *clusterItem) int { return cmp.Compare(a.title(), b.title()) }
	case "id":
		compare = func(a, b *clusterItem) int { return cmp.Compare(a.ID, b.ID) }
	default:
		return nil, false
	}
	clusters = slices.Clone(clusters)
	slices.SortStableFunc(clusters, compare)
	return clusters, true
}

// lately is how many documents came at the end of the sparkline.
func (c *clusterItem) lately() float64 {
	sum := 0.0
	for _, n := range c.Spark[sparkBuckets*3/4:] {
		sum += n
	}
	return sum
}

// growth is what share of the cluster that is; small ones do not count for much.
func (c *clusterItem) growth() float64 { return c.lately() / (float64(c.Size) + 5) }

func (c *clusterItem) title() string {
	return strings.ToLower(cmp.Or(c.Name, strings.Join(c.Terms, " ")))
}

// A clusterDetail is all there is to say of a cluster.
type clusterDetail struct {
	*clusterItem
	// History is how many documents came in each stretch of time: see the timeline.
	History    []float64   `json:"history"`
	Events     []happening `json:"events"`
	Neighbours []neighbour `json:"neighbours"`
	// Parts are its largest micro-clusters with terms of their own.
	Parts []landmark `json:"parts"`
}

type neighbour struct {
	ID         starling.ClusterID `json:"id"`
	Size       int64              `json:"size"`
	Name       string             `json:"name,omitempty"`
	Terms      []string           `json:"terms"`
	Similarity float64            `json:"similarity"`
}

func (s *Server) getCluster(run *Run, w http.ResponseWriter, r *http.Request) {
	item, ok := s.cluster(w, r)
	if !ok {
		return
	}
	detail := clusterDetail{clusterItem: item, Neighbours: s.neighbours(run, item)}
	detail.History, detail.Events = s.watch.of(item)
	detail.Parts = slices.Clone(item.landmarks)
	slices.SortFunc(detail.Parts, func(a, b landmark) int { return cmp.Compare(b.Size, a.Size) })
	detail.Parts = detail.Parts[:min(12, len(detail.Parts))]
	answer(w, detail)
}

// cluster returns the cluster that a path names, and answers where there is none.
func (s *Server) cluster(w http.ResponseWriter, r *http.Request) (*clusterItem, bool) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		problem(w, http.StatusBadRequest, "bad-request", "The id of a cluster is a number.")
		return nil, false
	}
	if item := s.watch.current().byID[starling.ClusterID(id)]; item != nil {
		return item, true
	}
	detail := "There is no cluster of that id."
	if into := s.watch.mergedInto(starling.ClusterID(id)); into != 0 {
		detail = "That cluster became part of cluster " + into.String() + "."
	}
	problem(w, http.StatusNotFound, "no-cluster", detail)
	return nil, false
}

// mergedInto returns what a cluster became part of, as far as is known, or 0.
func (w *watch) mergedInto(id starling.ClusterID) (into starling.ClusterID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == starling.Merged && (slices.Contains(e.From, id) || into != 0 && slices.Contains(e.From, into)) {
			into = e.To
		}
	}
	return into
}

// of returns the history and the events of a cluster, the newest first.
func (w *watch) of(item *clusterItem) ([]float64, []happening) {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := make([]float64, len(w.history.total))
	for _, l := range item.landmarks {
		for i, n := range w.history.micros[l.Micro] {
			counts[i] += n
		}
	}
	const most = 100
	events := []happening{}
	for i := len(w.events) - 1; i >= 0 && len(events) < most; i-- {
		if e := w.events[i]; e.To == item.ID || slices.Contains(e.From, item.ID) {
			e.Micros = nil
			events = append(events, e)
		}
	}
	return counts, events
}

// neighbours returns the clusters that are most like one.
func (s *Server) neighbours(run *Run, item *clusterItem) []neighbour {
	var matches []cluster.Match
	run.Pipeline.View(func(state *cluster.State) {
		mean := meanOf(state, item.ID)
		if mean == nil {
			return
		}
		matches, _ = state.Assign(mean, 7) // it has the dimension of the state
	})
	found := []neighbour{}
	for _, m := range matches {
		if m.ID != item.ID && len(found) < 6 {
			found = append(found, neighbour{m.ID, m.Size, m.Name, m.Terms, round(m.Similarity)})
		}
	}
	return found
}

// meanOf returns the direction of the mean of a cluster, nil where there is none.
func meanOf(state *cluster.State, id starling.ClusterID) []float32 {
	var mean []float32
	for m := range state.EachMicro() {
		if m.Cluster != id {
			continue
		}
		if mean == nil {
			mean = make([]float32, len(m.Mean))
		}
		vec.AddScaled(mean, m.Mean, float32(m.Size))
	}
	if mean == nil {
		return nil
	}
	length := sqrt(float64(vec.Dot(mean, mean)))
	if length < 1e-9 {
		return nil
	}
	for i := range mean {
		mean[i] /= float32(length)
	}
	return mean
}
