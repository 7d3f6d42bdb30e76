package beam

import (
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"starling"
)

func init() {
	sdk.RegisterDoFn(reflect.TypeFor[assignFn]())
	register.Emitter1[ShardUpdate]()
}

// A table is the machine that knows the clusters of a shard's micro-clusters. A
// document whose micro-cluster is new waits until the merger has told of it.
type table struct {
	places  map[starling.MicroID]place
	waiting map[starling.MicroID][]Placed
}

// A place is a cluster, and the number of the merge that told it: a merge that is
// told late does not undo a later one.
type place struct {
	cluster starling.ClusterID
	number  int64
}

func newTable() *table {
	return &table{places: make(map[starling.MicroID]place), waiting: make(map[starling.MicroID][]Placed)}
}

// apply returns the updates that a piece allows, and what of the piece changed the
// table.
func (t *table) apply(p Piece) (updates []ShardUpdate, changed Piece) {
	for _, d := range p.Placed {
		if at, ok := t.places[d.Micro]; ok {
			updates = append(updates, at.update(d))
			continue
		}
		t.waiting[d.Micro] = append(t.waiting[d.Micro], d)
		changed.Placed = append(changed.Placed, d)
	}
	for _, m := range p.Moved {
		if at, ok := t.places[m.Micro]; ok && at.number >= p.Number {
			continue
		}
		at := place{m.Cluster, p.Number}
		t.places[m.Micro] = at
		for _, d := range t.waiting[m.Micro] {
			updates = append(updates, at.update(d))
		}
		delete(t.waiting, m.Micro)
		changed.Number, changed.Moved = p.Number, append(changed.Moved, m)
	}
	return updates, changed
}

func (p place) update(d Placed) ShardUpdate {
	return ShardUpdate{Merge: p.number, Update: starling.Update{
		Seq: d.Seq, Document: d.Document,
		Assignment: starling.Assignment{Cluster: p.cluster, Micro: d.Micro, Similarity: d.Similarity},
	}}
}

// AppendBinary implements machine: the places, then the documents that wait, both by
// rising micro-cluster.
func (t *table) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(t.places)))
	for _, id := range slices.Sorted(maps.Keys(t.places)) {
		at := t.places[id]
		b = binary.AppendUvarint(b, uint64(id))
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(at.cluster)), uint64(at.number))
	}
	var waiting []Placed
	for _, id := range slices.Sorted(maps.Keys(t.waiting)) {
		waiting = append(waiting, t.waiting[id]...)
	}
	return append(b, encodePiece(Piece{Placed: waiting})...), nil
}

func decodeTable(data []byte) (*table, error) {
	r := reader{rest: data}
	t := newTable()
	for range r.length() {
		id := starling.MicroID(r.uvarint())
		t.places[id] = place{starling.ClusterID(r.uvarint()), int64(r.uvarint())}
	}
	if r.err != nil {
		return nil, r.end("table")
	}
	waiting, err := decodePiece(r.rest)
	if err != nil {
		return nil, err
	}
	t.apply(waiting)
	return t, nil
}

// tableKeeper keeps tables.
func tableKeeper(step string) keeper[*table] {
	return keeper[*table]{
		step:   step,
		fresh:  func() (*table, error) { return newTable(), nil },
		decode: decodeTable,
		replay: func(t *table, entry []byte) error {
			p, err := decodePiece(entry)
			if err != nil {
				return fmt.Errorf("reading the journal: %w", err)
			}
			t.apply(p)
			return nil
		},
	}
}

// assignFn gives the documents of a shard their clusters.
type assignFn struct {
	Version           state.Value[[]byte]
	Journal, Snapshot state.Bag[[]byte]
	// Job tells the pipelines of one process apart.
	Job string
}

func newAssignFn(job string) *assignFn {
	return &assignFn{
		Version: state.MakeValueState[[]byte]("version"), Journal: state.MakeBagState[[]byte]("journal"),
		Snapshot: state.MakeBagState[[]byte]("snapshot"), Job: job,
	}
}

// ProcessElement takes documents, or news of micro-clusters.
func (fn *assignFn) ProcessElement(p state.Provider, shard int64, piece Piece, emit func(ShardUpdate)) error {
	c := cells{&fn.Version, &fn.Journal, &fn.Snapshot}
	return tableKeeper("assigning/"+fn.Job).apply(p, c, strconv.FormatInt(shard, 10), func(t *table) ([]byte, error) {
		updates, changed := t.apply(piece)
		for _, update := range updates {
			update.Shard = shard
			emit(update)
		}
		if len(changed.Placed)+len(changed.Moved) == 0 {
			return nil, nil
		}
		return encodePiece(changed), nil
	})
}
