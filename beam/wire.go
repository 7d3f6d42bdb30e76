package beam

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"

	"starling"
)

// What flows between steps has a binary form of its own: a vector of 768 values
// takes 3 KB and a microsecond, where the forms that Beam would choose take several
// times that. Integers are uvarints, strings and lists are preceded by their length.

// An Embedded is a document and its vector.
type Embedded struct {
	starling.Document
	Vector []float32
}

// A Batch is documents of one shard that are clustered together, in this order.
type Batch struct{ Documents []Embedded }

func init() {
	sdk.RegisterCoder(reflect.TypeFor[starling.Document](), encodeDocument, decodeDocument)
	sdk.RegisterCoder(reflect.TypeFor[Embedded](), encodeEmbedded, decodeEmbedded)
	sdk.RegisterCoder(reflect.TypeFor[Batch](), encodeBatch, decodeBatch)
}

func encodeDocument(d starling.Document) []byte { return appendDocument(nil, d) }

func decodeDocument(b []byte) (starling.Document, error) {
	r := reader{rest: b}
	d := r.document()
	return d, r.end("document")
}

func encodeEmbedded(e Embedded) []byte { return appendEmbedded(nil, e) }

func decodeEmbedded(b []byte) (Embedded, error) {
	r := reader{rest: b}
	e := r.embedded()
	return e, r.end("embedding")
}

func encodeBatch(b Batch) []byte {
	size := 8
	for _, e := range b.Documents {
		size += 64 + len(e.ID) + len(e.Text) + 4*len(e.Vector)
	}
	data := binary.AppendUvarint(make([]byte, 0, size), uint64(len(b.Documents)))
	for _, e := range b.Documents {
		data = appendEmbedded(data, e)
	}
	return data
}

func decodeBatch(data []byte) (Batch, error) {
	r := reader{rest: data}
	var b Batch
	for range r.length() {
		b.Documents = append(b.Documents, r.embedded())
	}
	return b, r.end("batch")
}

func appendDocument(b []byte, d starling.Document) []byte {
	b = appendString(b, d.ID)
	b = appendString(b, d.Text)
	b = appendTime(b, d.Time)
	return appendAttributes(b, d.Attributes)
}

func appendAttributes(b []byte, attributes map[string]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(attributes)))
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		b = appendString(appendString(b, key), attributes[key])
	}
	return b
}

func appendEmbedded(b []byte, e Embedded) []byte {
	return appendVector(appendDocument(b, e.Document), e.Vector)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendTime writes a time in nanoseconds since 1970, the zero time as the least
// integer.
func appendTime(b []byte, t time.Time) []byte {
	nanoseconds := int64(math.MinInt64)
	if !t.IsZero() {
		nanoseconds = t.UnixNano()
	}
	return binary.AppendVarint(b, nanoseconds)
}

func appendVector(b []byte, vector []float32) []byte {
	b = binary.AppendUvarint(b, uint64(len(vector)))
	for _, x := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// A reader takes values off the front of encoded bytes. After an error it returns
// zeros.
type reader struct {
	rest []byte
	err  error
}

var errCutShort = errors.New("cut short")

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
		r.rest = nil
	}
}

// end returns what went wrong, bytes that are left over included.
func (r *reader) end(what string) error {
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes left over", len(r.rest))
	}
	if r.err != nil {
		return fmt.Errorf("decoding a %s: %w", what, r.err)
	}
	return nil
}

func (r *reader) document() starling.Document {
	return starling.Document{ID: r.string(), Text: r.string(), Time: r.time(), Attributes: r.attributes()}
}

func (r *reader) attributes() map[string]string {
	n := r.length()
	if n == 0 {
		return nil
	}
	attributes := make(map[string]string)
	for range n {
		key := r.string()
		if value := r.string(); r.err == nil {
			attributes[key] = value
		}
	}
	return attributes
}

func (r *reader) embedded() Embedded { return Embedded{Document: r.document(), Vector: r.vector()} }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail(errCutShort)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// length reads the number of things that follow, each of at least one byte.
func (r *reader) length() int {
	v := r.uvarint()
	if v > uint64(len(r.rest)) {
		r.fail(errCutShort)
		return 0
	}
	return int(v)
}

func (r *reader) bytes() []byte {
	n := r.length()
	data := r.rest[:n]
	r.rest = r.rest[n:]
	return data
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) time() time.Time {
	nanoseconds, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail(errCutShort)
		return time.Time{}
	}
	r.rest = r.rest[n:]
	if nanoseconds == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}

func (r *reader) vector() []float32 {
	n := r.uvarint()
	if n > uint64(len(r.rest)/4) {
		r.fail(errCutShort)
		return nil
	}
	vector := make([]float32, n)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(r.rest[4*i:]))
	}
	r.rest = r.rest[4*n:]
	return vector
}
