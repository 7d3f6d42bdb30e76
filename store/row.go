package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"starling"
	"starling/vec"
)

// A documentRow is a row of the table documents, without the embedding.
type documentRow struct {
	seq            int64
	id, text       string
	time           *int64
	attributes     *string
	cluster, micro int64
	similarity     float64
	events         *string
	checksum       int64
}

// documentColumns are the columns of a documentRow, in its order.
const documentColumns = "seq, id, text, time, attributes, cluster, micro, similarity, events, checksum"

func (r *documentRow) dest() []any {
	return []any{&r.seq, &r.id, &r.text, &r.time, &r.attributes, &r.cluster, &r.micro, &r.similarity, &r.events, &r.checksum}
}

func newDocumentRow(u starling.Update) (documentRow, error) {
	r := documentRow{
		seq: u.Seq, id: u.ID, text: u.Text, time: timeColumn(u.Time),
		cluster: int64(u.Cluster), micro: int64(u.Micro), similarity: float64(u.Similarity),
	}
	if r.similarity == 0 {
		r.similarity = 0 // SQLite forgets the sign of a negative zero
	}
	var err error
	if r.attributes, err = jsonColumn(u.Attributes, len(u.Attributes) == 0); err != nil {
		return r, err
	}
	if r.events, err = jsonColumn(u.Events, len(u.Events) == 0); err != nil {
		return r, err
	}
	r.checksum = int64(r.sum())
	return r, nil
}

// update returns what the row with the given number holds. An error says that
// the row is damaged.
func (r *documentRow) update(path string, seq int64) (starling.Update, error) {
	if r.seq != seq {
		return starling.Update{}, missing(path, seq)
	}
	if r.checksum != int64(r.sum()) {
		return starling.Update{}, damaged(path, fmt.Sprintf("document %d does not match its checksum", r.seq))
	}
	u := starling.Update{
		Seq:        r.seq,
		Document:   starling.Document{ID: r.id, Text: r.text, Time: columnTime(r.time)},
		Assignment: starling.Assignment{Cluster: starling.ClusterID(r.cluster), Micro: starling.MicroID(r.micro), Similarity: float32(r.similarity)},
	}
	for _, column := range []struct {
		data *string
		into any
	}{{r.attributes, &u.Attributes}, {r.events, &u.Events}} {
		if column.data == nil {
			continue
		}
		if err := json.Unmarshal([]byte(*column.data), column.into); err != nil {
			return u, damaged(path, fmt.Sprintf("document %d: %v", r.seq, err))
		}
	}
	return u, nil
}

func (r *documentRow) sum() uint32 {
	var b sumBuilder
	b.int(r.seq)
	b.string(r.id)
	b.string(r.text)
	b.optionalInt(r.time)
	b.optionalString(r.attributes)
	b.int(r.cluster)
	b.int(r.micro)
	b.int(int64(math.Float64bits(r.similarity)))
	b.optionalString(r.events)
	return b.sum()
}

// jsonColumn is the JSON of v, or null.
func jsonColumn(v any, null bool) (*string, error) {
	if null {
		return nil, nil
	}
	data, err := json.Marshal(v)
	text := string(data)
	return &text, err
}

// notNull is data as SQLite takes it for an empty blob rather than for null.
func notNull(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// isStorable says whether a time, or none, fits the nanoseconds of a column.
func isStorable(t time.Time) bool { return t.IsZero() || time.Unix(0, t.UnixNano()).Equal(t) }

// timeColumn is a time in nanoseconds since 1970, or null for none.
func timeColumn(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	nanoseconds := t.UnixNano()
	return &nanoseconds
}

func columnTime(nanoseconds *int64) time.Time {
	if nanoseconds == nil {
		return time.Time{}
	}
	return time.Unix(0, *nanoseconds).UTC()
}

// appendVector appends the values of a vector, little-endian: in half precision
// where all of them are exactly that, else as float32.
func appendVector(b []byte, vector []float32) []byte {
	if b, exact := vec.AppendHalf(b, vector); exact {
		return b
	}
	b = slices.Grow(b, 4*len(vector))
	for _, v := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// decodeVector returns the dim values that appendVector appended, and whether there
// are as many.
func decodeVector(data []byte, dim int) ([]float32, bool) {
	vector := make([]float32, dim)
	switch len(data) {
	case 2 * dim:
		vec.SetHalf(vector, data)
	case 4 * dim:
		for i := range vector {
			vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	default:
		return nil, false
	}
	return vector, true
}
