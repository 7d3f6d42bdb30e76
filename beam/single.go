package beam

import (
	"encoding/binary"
	"fmt"

	"starling"
	"starling/cluster"
)

// A single is the machine of a stream with one shard: that of the local runtime, and
// the ids that came last.
type single struct {
	state *cluster.State
	ids   *recent
}

// apply clusters the documents of a batch that are new, and returns their updates and
// how many were not. A document that cannot be clustered is refused.
func (s *single) apply(b Batch, refuse func(starling.Document, error)) (updates []starling.Update, duplicates int64) {
	s.state.Expect(vectors(b))
	for _, e := range b.Documents {
		if !s.ids.add(e.ID) {
			duplicates++
			continue
		}
		update, err := s.state.Apply(e.Document, e.Vector)
		if err != nil {
			refuse(e.Document, err)
			continue
		}
		updates = append(updates, update)
	}
	return updates, duplicates
}

func vectors(b Batch) [][]float32 {
	vectors := make([][]float32, len(b.Documents))
	for i, e := range b.Documents {
		vectors[i] = e.Vector
	}
	return vectors
}

// AppendBinary implements machine: the state preceded by its length, then the ids.
func (s *single) AppendBinary(b []byte) ([]byte, error) {
	state, err := s.state.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	b = append(binary.AppendUvarint(b, uint64(len(state))), state...)
	return s.ids.appendBinary(b), nil
}

// singleKeeper keeps singles.
func singleKeeper(step string, config cluster.Config, remember int) keeper[*single] {
	return keeper[*single]{
		step: step,
		fresh: func() (*single, error) {
			state, err := cluster.New(config)
			return &single{state: state, ids: newRecent(remember)}, err
		},
		decode: func(snapshot []byte) (*single, error) {
			r := reader{rest: snapshot}
			state, err := cluster.Decode(r.bytes())
			if err != nil {
				return nil, err
			}
			s := &single{state: state, ids: r.recent(remember)}
			return s, r.end("snapshot")
		},
		replay: func(s *single, entry []byte) error {
			b, err := decodeBatch(entry)
			if err != nil {
				return fmt.Errorf("reading the journal: %w", err)
			}
			s.apply(b, func(starling.Document, error) {})
			return nil
		},
	}
}

// journalEntry is a batch as the journal has it: without attributes, which change
// nothing.
func journalEntry(b Batch) []byte {
	slim := Batch{Documents: make([]Embedded, len(b.Documents))}
	for i, e := range b.Documents {
		e.Attributes = nil
		slim.Documents[i] = e
	}
	return encodeBatch(slim)
}
