package server

import (
	"cmp"
	"slices"
	"time"

	"starling"
	"starling/cluster"
	"starling/server/atlas"
)

// A view is the clusters as they were at one moment.
type view struct {
	// version counts views.
	version   int64
	documents int64
	clusters  []*clusterItem // largest first
	byID      map[starling.ClusterID]*clusterItem
	landmarks []landmark
	micros    int
	threshold float64
	atlas     *atlas.Atlas
	// terms are those of micro-clusters, and when their size was what.
	terms map[starling.MicroID]microTerms
}

type microTerms struct {
	size  int64
	terms []string
}

// A clusterItem is a cluster in a list.
type clusterItem struct {
	cluster.Summary
	// Spark is how many documents came over time, and Trend what that does at its end.
	Spark []float64 `json:"spark"`
	Trend string    `json:"trend"`
	// X, Y and Radius are where it lies on the map.
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Radius float64 `json:"radius"`
	// Micros is the number of its micro-clusters.
	Micros int `json:"micros"`

	landmarks []landmark
}

// A landmark is a micro-cluster on the map.
type landmark struct {
	Micro   starling.MicroID   `json:"micro"`
	Cluster starling.ClusterID `json:"cluster"`
	Size    int64              `json:"size"`
	X       float64            `json:"x"`
	Y       float64            `json:"y"`
	Radius  float64            `json:"radius"`
	Terms   []string           `json:"terms,omitempty"`
}

// refresh takes a view, and returns how long that held up the stream.
func (s *Server) refresh(run *Run) (held time.Duration) {
	s.viewing.Lock()
	defer s.viewing.Unlock()
	before := s.watch.current()
	v := &view{version: before.version + 1, atlas: before.atlas, terms: make(map[starling.MicroID]microTerms), byID: make(map[starling.ClusterID]*clusterItem)}
	if v.atlas == nil {
		v.atlas = atlas.New()
	}
	var summaries []cluster.Summary
	var micros []atlas.Micro
	run.Pipeline.View(func(state *cluster.State) {
		defer func(began time.Time) { held = time.Since(began) }(time.Now())
		summaries = state.Clusters(0)
		micros = v.look(state, before)
	})
	v.atlas.Update(micros)
	for _, summary := range summaries {
		item := &clusterItem{Summary: summary}
		v.clusters = append(v.clusters, item)
		v.byID[item.ID] = item
	}
	v.lay()
	s.watch.show(v)
	return held
}

// look reads what is needed of the micro-clusters. The means of those that the atlas
// knows are left out.
func (v *view) look(state *cluster.State, before *view) []atlas.Micro {
	v.documents, v.micros, v.threshold = state.Documents()-state.Deleted(), state.Micros(), state.Threshold()
	due := v.atlas.Due(v.micros)
	micros := make([]atlas.Micro, 0, v.micros)
	for m := range state.EachMicro() {
		found := atlas.Micro{ID: m.ID, Cluster: m.Cluster, Size: m.Size}
		if due || !v.atlas.Knows(m.ID) {
			found.Mean = slices.Clone(m.Mean)
		}
		micros = append(micros, found)
		v.takeTerms(state, before, m)
	}
	return micros
}

// takeTerms finds the terms of a micro-cluster anew when it has grown by much.
func (v *view) takeTerms(state *cluster.State, before *view, m cluster.Micro) {
	const least = 4
	known, ok := before.terms[m.ID]
	if m.Size < least {
		return
	}
	if !ok || m.Size > 2*known.size {
		known = microTerms{m.Size, state.MicroTerms(m.ID)}
	}
	v.terms[m.ID] = known
}

// lay puts clusters where their micro-clusters are on the map.
func (v *view) lay() {
	for _, l := range v.atlas.Landmarks() {
		mark := landmark{l.Micro, l.Cluster, l.Size, round(l.X), round(l.Y), round(l.Radius), v.terms[l.Micro].terms}
		v.landmarks = append(v.landmarks, mark)
		if item := v.byID[l.Cluster]; item != nil {
			item.landmarks = append(item.landmarks, mark)
		}
	}
	for _, item := range v.clusters {
		item.lay()
	}
}

func (c *clusterItem) lay() {
	c.Micros = len(c.landmarks)
	weight := 0.0
	for _, l := range c.landmarks {
		c.X += float64(l.Size) * l.X
		c.Y += float64(l.Size) * l.Y
		c.Radius += l.Radius * l.Radius
		weight += float64(l.Size)
	}
	if weight > 0 {
		c.X, c.Y = round(c.X/weight), round(c.Y/weight)
	}
	c.Radius = round(sqrt(c.Radius))
}

// show makes a view the current one.
func (w *watch) show(v *view) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, item := range v.clusters {
		ids := make([]starling.MicroID, len(item.landmarks))
		for i, l := range item.landmarks {
			ids[i] = l.Micro
		}
		item.Spark = w.history.spark(ids)
		item.Trend = trend(item.Spark)
	}
	w.view = v
}

func (w *watch) current() *view {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view
}

// mergeEvents adds older events to newer ones, and keeps the last.
func mergeEvents(events, older []happening) []happening {
	if len(older) == 0 {
		return events
	}
	events = append(older, events...)
	slices.SortStableFunc(events, func(a, b happening) int { return cmp.Compare(a.Seq, b.Seq) })
	return events[max(0, len(events)-maxEvents):]
}

// now is the time in UTC to the millisecond.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
