package main

import (
	"encoding/json"
	"strconv"
	"time"

	"starling"
	"starling/store"
)

// A row is one line of an export. It has the same fields in every format, named
// by the tags; in CSV, lists and attributes are JSON.
type row interface {
	columns() []string
	cells() []string
}

// A documentRow is a document, where it was put and where it is now.
type documentRow struct {
	Update     int64             `json:"update" parquet:"update"`
	ID         string            `json:"id" parquet:"id"`
	Text       string            `json:"text" parquet:"text"`
	Time       *time.Time        `json:"time,omitempty" parquet:"time,optional,timestamp(nanosecond)"`
	Attributes map[string]string `json:"attributes,omitempty" parquet:"attributes,optional"`
	// Cluster and Micro are where the document is now, AssignedCluster and
	// AssignedMicro where it was put when it came.
	Cluster         uint64  `json:"cluster" parquet:"cluster"`
	Micro           uint64  `json:"micro" parquet:"micro"`
	AssignedCluster uint64  `json:"assigned_cluster" parquet:"assigned_cluster"`
	AssignedMicro   uint64  `json:"assigned_micro" parquet:"assigned_micro"`
	Similarity      float32 `json:"similarity" parquet:"similarity"`
}

// An embeddedRow is a documentRow with the embedding.
type embeddedRow struct {
	documentRow
	Embedding []float32 `json:"embedding" parquet:"embedding,list"`
}

func documentRowOf(d store.Placed) documentRow {
	r := documentRow{
		Update: d.Seq, ID: d.ID, Text: d.Text, Attributes: d.Attributes,
		Cluster: uint64(d.Cluster), Micro: uint64(d.Micro),
		AssignedCluster: uint64(d.Assignment.Cluster), AssignedMicro: uint64(d.Assignment.Micro), Similarity: d.Similarity,
	}
	if !d.Time.IsZero() {
		r.Time = &d.Time
	}
	return r
}

func embeddedRowOf(d store.Placed) embeddedRow { return embeddedRow{documentRowOf(d), d.Embedding} }

func (documentRow) columns() []string {
	return []string{"update", "id", "text", "time", "attributes", "cluster", "micro", "assigned_cluster", "assigned_micro", "similarity"}
}

func (r documentRow) cells() []string {
	when := ""
	if r.Time != nil {
		when = r.Time.Format(time.RFC3339Nano)
	}
	return []string{
		strconv.FormatInt(r.Update, 10), r.ID, r.Text, when, jsonCell(r.Attributes, len(r.Attributes)),
		idCell(r.Cluster), idCell(r.Micro), idCell(r.AssignedCluster), idCell(r.AssignedMicro), floatCell(r.Similarity),
	}
}

func (r embeddedRow) columns() []string { return append(r.documentRow.columns(), "embedding") }

func (r embeddedRow) cells() []string {
	return append(r.documentRow.cells(), jsonCell(r.Embedding, len(r.Embedding)))
}

// A clusterRow is a cluster as it is now.
type clusterRow struct {
	ID         uint64   `json:"id" parquet:"id"`
	Size       int64    `json:"size" parquet:"size"`
	Name       string   `json:"name,omitempty" parquet:"name"`
	Pinned     bool     `json:"pinned,omitempty" parquet:"pinned"`
	Outlier    bool     `json:"outlier,omitempty" parquet:"outlier"`
	Duplicates int64    `json:"duplicates,omitempty" parquet:"duplicates"`
	Terms      []string `json:"terms" parquet:"terms,list"`
	Text       string   `json:"text" parquet:"text"`
	Texts      []string `json:"texts" parquet:"texts,list"`
}

func (clusterRow) columns() []string {
	return []string{"id", "size", "name", "pinned", "outlier", "duplicates", "terms", "text", "texts"}
}

func (r clusterRow) cells() []string {
	return []string{
		idCell(r.ID), strconv.FormatInt(r.Size, 10), r.Name, strconv.FormatBool(r.Pinned), strconv.FormatBool(r.Outlier),
		strconv.FormatInt(r.Duplicates, 10), jsonCell(r.Terms, len(r.Terms)), r.Text, jsonCell(r.Texts, len(r.Texts)),
	}
}

// An eventRow is something that happened to clusters.
type eventRow struct {
	// Update and Time are those of the document that the event came with: the one
	// that caused it or, where an edit did, the next one. Update is 0 where none has
	// come since.
	Update   int64      `json:"update,omitempty" parquet:"update"`
	Time     *time.Time `json:"time,omitempty" parquet:"time,optional,timestamp(nanosecond)"`
	Kind     string     `json:"kind" parquet:"kind"`
	From     []uint64   `json:"from,omitempty" parquet:"from,list"`
	To       uint64     `json:"to" parquet:"to"`
	Size     int64      `json:"size" parquet:"size"`
	Micros   []uint64   `json:"micros,omitempty" parquet:"micros,list"`
	Into     uint64     `json:"into,omitempty" parquet:"into"`
	Name     string     `json:"name,omitempty" parquet:"name"`
	Document int64      `json:"document,omitempty" parquet:"document"`
}

func eventRowOf(document starling.Document, seq int64, e starling.Event) eventRow {
	r := eventRow{
		Update: seq, Kind: string(e.Kind), From: numbers(e.From), To: uint64(e.To), Size: e.Size,
		Micros: numbers(e.Micros), Into: uint64(e.Into), Name: e.Name, Document: e.Document,
	}
	if !document.Time.IsZero() {
		r.Time = &document.Time
	}
	return r
}

func numbers[T starling.ClusterID | starling.MicroID](ids []T) []uint64 {
	var all []uint64
	for _, id := range ids {
		all = append(all, uint64(id))
	}
	return all
}

func (eventRow) columns() []string {
	return []string{"update", "time", "kind", "from", "to", "size", "micros", "into", "name", "document"}
}

func (r eventRow) cells() []string {
	when := ""
	if r.Time != nil {
		when = r.Time.Format(time.RFC3339Nano)
	}
	return []string{
		strconv.FormatInt(r.Update, 10), when, r.Kind, jsonCell(r.From, len(r.From)), idCell(r.To), strconv.FormatInt(r.Size, 10),
		jsonCell(r.Micros, len(r.Micros)), idCell(r.Into), r.Name, strconv.FormatInt(r.Document, 10),
	}
}

func idCell(id uint64) string { return strconv.FormatUint(id, 10) }

func floatCell(x float32) string { return strconv.FormatFloat(float64(x), 'g', -1, 32) }

// jsonCell is a list or attributes as JSON, or nothing where there are none.
func jsonCell(v any, n int) string {
	if n == 0 {
		return ""
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "" // of numbers and strings there is none that cannot be encoded
	}
	return string(data)
}
