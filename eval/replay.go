package eval

import (
	"fmt"
	"time"

	"starling"
	"starling/cluster"
	"starling/vec"
)

// WindowCount is the number of windows that a stream is cut into, as papers on
// clustering short texts in streams do.
const WindowCount = 16

// maxVectorValues bounds the memory for vectors, 512 MiB: a longer stream has no
// silhouettes.
const maxVectorValues = 1 << 27

// A Replay clusters a labelled stream in one pass and remembers where every
// document went. It is not safe for use by several goroutines.
type Replay struct {
	state   *cluster.State
	labels  []string
	texts   []string
	micros  []starling.MicroID
	arrival []starling.ClusterID
	events  *follower
	vectors [][]float32 // nil once there are too many
	values  int
}

// NewReplay returns a replay through a state that has no documents yet. The
// replay owns the state.
func NewReplay(state *cluster.State) *Replay { return &Replay{state: state, events: newFollower()} }

// Documents returns how many were replayed.
func (r *Replay) Documents() int { return len(r.labels) }

// Add clusters the next documents, with the label and the vector of each. It
// holds on to texts, labels and vectors, and rounds these as a run does. The replay cannot go on after an error.
func (r *Replay) Add(documents []starling.Document, labels []string, vectors [][]float32) error {
	if len(documents) != len(labels) || len(documents) != len(vectors) {
		return fmt.Errorf("%d documents with %d labels and %d vectors", len(documents), len(labels), len(vectors))
	}
	for _, v := range vectors {
		vec.RoundHalf(v)
	}
	r.state.Expect(vectors)
	for i, document := range documents {
		update, err := r.state.Apply(document, vectors[i])
		if err != nil {
			return err
		}
		r.events.follow(update)
		r.labels = append(r.labels, labels[i])
		r.texts = append(r.texts, document.Text)
		r.micros = append(r.micros, update.Micro)
		r.arrival = append(r.arrival, update.Cluster)
	}
	r.keep(vectors)
	return nil
}

func (r *Replay) keep(vectors [][]float32) {
	for _, v := range vectors {
		r.values += len(v)
	}
	if r.values > maxVectorValues {
		r.vectors = nil
		return
	}
	r.vectors = append(r.vectors, vectors...)
}

// Result scores the replay, which took some time: once with the clusters that
// documents have at the end of the stream, once with those on arrival.
func (r *Replay) Result(took time.Duration) Result {
	end, unexplained := r.end()
	result := Result{
		Scoring:   r.scoring(end, took),
		Arrival:   r.scoring(r.arrival, took),
		Threshold: r.state.Threshold(),
		Largest:   r.largest(end),
	}
	if n := r.Documents(); n > 0 {
		result.Churn = float64(unexplained) / float64(n)
		result.Arrival.Churn = float64(r.events.strays) / float64(n)
	}
	return result
}

// end returns the cluster of every document at the end of the stream, as the
// state has it, and counts those of which events say something else.
func (r *Replay) end() (end []starling.ClusterID, unexplained int) {
	end = make([]starling.ClusterID, len(r.micros))
	for i, micro := range r.micros {
		told := r.events.ClusterOf(micro)
		held, ok := r.state.ClusterOf(r.events.MicroOf(micro))
		if !ok {
			held = told // the state has let go of it
		}
		if !ok || held != told {
			unexplained++
		}
		end[i] = held
	}
	return end, unexplained
}

func (r *Replay) scoring(found []starling.ClusterID, took time.Duration) Scoring {
	s := Scoring{Window: Window{Scores: Score(r.labels, found)}, Seconds: took.Seconds()}
	for _, scores := range Windows(r.labels, found, WindowCount) {
		s.Windows = append(s.Windows, Window{Scores: scores})
	}
	if len(r.vectors) == 0 {
		return s
	}
	values := Silhouettes(r.vectors, found)
	whole := mean(values)
	s.Silhouette = &whole
	for i := range s.Windows {
		part := mean(values[:s.Windows[i].Documents])
		s.Windows[i].Silhouette = &part
		values = values[s.Windows[i].Documents:]
	}
	return s
}
