package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// exported are rows in a format.
func exported[T row](t interface{ Fatal(...any) }, rows []T, format string, raw bool) *bytes.Buffer {
	var out bytes.Buffer
	w := newRowWriter[T](&out, format, raw)
	for _, r := range rows {
		if err := w.write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

// drawRow draws a document with a text of any kind.
func drawRow(t *rapid.T) embeddedRow {
	r := embeddedRow{documentRow: documentRow{
		Update: rapid.Int64().Draw(t, "update"), ID: rapid.String().Draw(t, "id"), Text: rapid.String().Draw(t, "text"),
		Cluster: rapid.Uint64().Draw(t, "cluster"), Micro: rapid.Uint64().Draw(t, "micro"),
		AssignedCluster: rapid.Uint64().Draw(t, "assigned"), AssignedMicro: 1, Similarity: rapid.Float32Range(-1, 1).Draw(t, "similarity"),
	}}
	if rapid.Bool().Draw(t, "prefixed") {
		r.Text = rapid.SampledFrom([]string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'", "''=1", "\n=1"}).Draw(t, "prefix") + r.Text
	}
	if rapid.Bool().Draw(t, "timed") {
		when := time.Unix(0, rapid.Int64().Draw(t, "time")).UTC()
		r.Time = &when
	}
	if attributes := rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "attributes"); len(attributes) > 0 {
		r.Attributes = attributes
	}
	r.Embedding = rapid.SliceOfN(rapid.Float32Range(-1, 1), 1, 4).Draw(t, "embedding")
	return r
}

// What is exported can be read back, by others' readers: nothing is lost in any
// format.
func TestExportRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 1, 20).Draw(t, "rows")
		fromParquet, err := parquet.Read[embeddedRow](bytes.NewReader(exported(t, rows, "parquet", false).Bytes()), int64(exported(t, rows, "parquet", false).Len()))
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, "parquet", fromParquet, rows)
		var fromJSON []embeddedRow
		lines := json.NewDecoder(exported(t, rows, "jsonl", false))
		for {
			var r embeddedRow
			if err := lines.Decode(&r); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			fromJSON = append(fromJSON, r)
		}
		sameRows(t, "jsonl", fromJSON, rows)
		checkCSV(t, rows, true)
		checkCSV(t, rows, false)
	})
}

func sameRows(t *rapid.T, format string, got, want []embeddedRow) {
	for i := range want {
		switch when := got[i].Time; {
		case when != nil && when.IsZero():
			got[i].Time = nil // the Parquet reader's null
		case when != nil:
			utc := when.UTC()
			got[i].Time = &utc
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("from %s:\n got %+v\nwant %+v", format, got, want)
	}
}

// checkCSV reads rows back from CSV. No cell that is not raw begins a formula, and
// without the apostrophe it is what it was. A carriage return before a line feed
// is lost: so the CSV reader of Go has it.
func checkCSV(t *rapid.T, rows []embeddedRow, raw bool) {
	reader := csv.NewReader(exported(t, rows, "csv", raw))
	all, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(rows)+1 || !reflect.DeepEqual(all[0], rows[0].columns()) {
		t.Fatalf("%d lines, headed %q", len(all), all[0])
	}
	for i, cells := range all[1:] {
		for j, want := range rows[i].cells() {
			got := cells[j]
			if !raw {
				if got != "" && strings.ContainsAny(got[:1], "=+-@\t\r\n") {
					t.Fatalf("the cell %q is a formula", got)
				}
				got = strings.TrimPrefix(got, "'")
			}
			if strings.ReplaceAll(got, "\r\n", "\n") != strings.ReplaceAll(want, "\r\n", "\n") {
				t.Fatalf("the cell %q of %s is %q", want, all[0][j], got)
			}
		}
	}
}

// Memory does not grow with the rows: a row group is written when it is full.
func TestParquetIsWrittenInGroups(t *testing.T) {
	rows := make([]documentRow, 2*parquetGroup+1)
	out := exported(t, rows, "parquet", false)
	file, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(file.RowGroups()); n != 3 {
		t.Errorf("%d row groups, want 3", n)
	}
}

// An export of nothing is a file of nothing: readers find the columns.
func TestExportOfNothing(t *testing.T) {
	if got := exported[documentRow](t, nil, "csv", false).String(); !strings.HasPrefix(got, "update,id,text,") {
		t.Errorf("got the CSV %q", got)
	}
	out := exported[clusterRow](t, nil, "parquet", false)
	if rows, err := parquet.Read[clusterRow](bytes.NewReader(out.Bytes()), int64(out.Len())); err != nil || len(rows) != 0 {
		t.Errorf("got %d rows, %v", len(rows), err)
	}
}
