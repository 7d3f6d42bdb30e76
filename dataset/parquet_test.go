package dataset

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

// A ticketRow has a column of every sort that may stand beside the text.
type ticketRow struct {
	Tags  []string `parquet:"tags"`
	ID    string   `parquet:"id"`
	Text  *string  `parquet:"text,optional,zstd"`
	Label int32    `parquet:"label,dict"`
	Time  int64    `parquet:"written"`
}

func ticketParquet(t *testing.T, rows int, options ...pq.WriterOption) []byte {
	t.Helper()
	text := "where is my parcel"
	var b bytes.Buffer
	w := pq.NewGenericWriter[ticketRow](&b, options...)
	for i := range rows {
		row := ticketRow{Tags: []string{"a", "b"}, ID: "t" + string(rune('0'+i%10)), Text: &text, Label: int32(i % 2), Time: 1_000_000_000}
		if i%7 == 6 {
			row.Text = nil
		}
		if _, err := w.Write([]ticketRow{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParquetOfManyGroupsAndColumns(t *testing.T) {
	const rows = 1000
	names := pq.KeyValueMetadata("huggingface", `{"info":{"features":{"label":{"names":["delivery","refund"]}}}}`)
	path := write(t, "tickets.parquet", ticketParquet(t, rows, pq.MaxRowsPerRowGroup(300), names))
	items, bad, err := read(t, Options{Name: path, TimeField: "written"})
	if err != nil || bad != nil || len(items) != rows {
		t.Fatalf("got %d items, %v, %v", len(items), bad, err)
	}
	if got := items[1]; got.ID != "t1" || got.Text != "where is my parcel" || got.Label != "refund" || got.Time.Unix() != 1_000_000_000 {
		t.Errorf("the second item is %+v", got)
	}
	if items[6].Text != "" || items[6].Label != "delivery" {
		t.Errorf("an item without text is %+v", items[6])
	}
}

func TestDamagedParquetIsAnErrorOrReadable(t *testing.T) {
	whole := ticketParquet(t, 200)
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 300 {
		damaged := slices.Clone(whole)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] ^= byte(1 << random.IntN(8))
		}
		if random.IntN(4) == 0 {
			damaged = damaged[:random.IntN(len(damaged))]
		}
		items, _, err := read(t, Options{Name: write(t, "a.parquet", damaged), Limit: 1000})
		if err != nil {
			refused++
		} else if len(items) > 1000 {
			t.Fatalf("%d items came of 200", len(items))
		}
	}
	if refused < 100 {
		t.Errorf("of 300 damaged files %d were refused", refused)
	}
}
