package beam

import (
	"context"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"

	"starling"
	"starling/cluster"
)

func init() { sdk.RegisterDoFn(reflect.TypeFor[damagingFn]()) }

// damagingFn clusters as clusterFn does. Before a batch in the midst it loses or
// damages a part of what the runner keeps, and the worker's copy with it.
type damagingFn struct {
	Version           state.Value[[]byte]
	Journal, Snapshot state.Bag[[]byte]
	Job, Damage       string
	Config            cluster.Config

	keeper keeper[*single]
	seen   int
}

func (fn *damagingFn) Setup() { fn.keeper = singleKeeper("damaging/"+fn.Job, fn.Config, 1000) }

func (fn *damagingFn) ProcessElement(p state.Provider, _ int64, b Batch, emit func(starling.Update)) error {
	if fn.seen++; fn.seen == 5 {
		if err := fn.damage(p); err != nil {
			return err
		}
		live.forget()
	}
	c := cells{&fn.Version, &fn.Journal, &fn.Snapshot}
	return fn.keeper.apply(p, c, "0", func(s *single) ([]byte, error) {
		updates, _ := s.apply(b, func(starling.Document, error) {})
		for _, update := range updates {
			emit(update)
		}
		return journalEntry(b), nil
	})
}

func (fn *damagingFn) damage(p state.Provider) error {
	switch fn.Damage {
	case "no version":
		return fn.Version.Clear(p)
	case "no journal":
		return fn.Journal.Clear(p)
	case "another journal":
		if err := fn.Journal.Clear(p); err != nil {
			return err
		}
		return fn.Journal.Add(p, numbered(1, []byte("damage")))
	case "a snapshot":
		return fn.Snapshot.Add(p, numbered(0, []byte("damage")))
	}
	return nil
}

// TestDamageFailsTheJob damages the runner's state: the job ends and says so, and
// never goes on from an empty tree.
func TestDamageFailsTheJob(t *testing.T) {
	for damage, want := range map[string]string{
		"nothing": "", "no version": "the state is damaged", "no journal": "the state is damaged",
		"another journal": "bringing back the state", "a snapshot": "the state is damaged",
	} {
		t.Run(damage, func(t *testing.T) {
			job := newJob()
			var got recorder
			follow(job, got.take)
			p, s := sdk.NewPipelineWithRoot()
			keyed := sdk.ParDo(s, &batchesFn{Dim: 16, Directions: 4, BatchSize: 10}, sdk.CreateList(s, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}))
			updates := sdk.ParDo(s, &damagingFn{
				Version: state.MakeValueState[[]byte]("version"), Journal: state.MakeBagState[[]byte]("journal"),
				Snapshot: state.MakeBagState[[]byte]("snapshot"), Job: job, Damage: damage,
				Config: cluster.Config{Dim: 16, Unrelated: cluster.Calibration{Deviation: 1 / math.Sqrt(16)}},
			}, keyed)
			sdk.ParDo0(s, &printFn{Job: job}, updates)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := Run(ctx, p, RunSettings{Runner: Prism})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("the job ended with %v, want %q", err, want)
			}
			for i, u := range got.all() {
				if u.Seq != int64(i)+1 {
					t.Fatalf("update %d has the number %d: the clustering began anew", i+1, u.Seq)
				}
			}
			if n := len(got.all()); want == "" && n != 100 || want != "" && n != 40 {
				t.Errorf("there were %d updates", n)
			}
		})
	}
}
