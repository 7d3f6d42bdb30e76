package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"starling/dataset/rows"
)

func newTable(s string, comma byte) *tableDecoder {
	return newTableDecoder(rows.NewLines(bufio.NewReader(strings.NewReader(s))), fields{}, comma)
}

func readTable(t *testing.T, d *tableDecoder) (items []Item, bad int) {
	t.Helper()
	for {
		item, _, err := d.next()
		var row *rows.Error
		switch {
		case err == io.EOF: //nolint:errorlint // next promises it bare
			return items, bad
		case errors.As(err, &row):
			bad++
		case err != nil:
			t.Fatal(err)
		default:
			items = append(items, item)
		}
	}
}

func TestWhatEncodingCSVWritesIsReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		field := rapid.StringOf(rapid.SampledFrom([]rune("ab,;\"\n\t' é")))
		rows := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Item {
			return Item{Text: field.Draw(t, "text"), Label: field.Draw(t, "label"), ID: "7"}
		})).Draw(rt, "rows")
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(rt, "CRLF")
		records := [][]string{{"text", "id", "label"}}
		for _, r := range rows {
			records = append(records, []string{r.Text, r.ID, r.Label})
		}
		if err := w.WriteAll(records); err != nil {
			rt.Fatal(err)
		}
		items, bad := readTable(t, newTable(b.String(), ','))
		if bad > 0 || !slices.Equal(items, rows) {
			rt.Fatalf("%q: got %+v and %d bad, want %+v", b.String(), items, bad, rows)
		}
	})
}

func TestRowsBehindAnUnclosedQuoteAreRead(t *testing.T) {
	items, bad := readTable(t, newTable("text,label\n\"stray,a\none,b\n\"two\nlines\",c\n\"again,d\nthree,e", ','))
	if want := []string{"one", "two\nlines", "three"}; bad != 2 || !slices.Equal(texts(items), want) {
		t.Errorf("got %q and %d bad, want %q", texts(items), bad, want)
	}
}

func TestUnclosedQuotesTakeLinearTime(t *testing.T) {
	for _, line := range []string{"\"\n", "a\",\"b\n", "\"\"\"\n", "\"\"\n", "\"a\"\"\n"} {
		start := time.Now()
		readTable(t, newTable("text,label\n\"\n"+strings.Repeat(line, 500_000), ','))
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%q: %v", line, took)
		}
	}
}

func TestQuotesInTSVAreTakenOffWhereTheyMatch(t *testing.T) {
	items, bad := readTable(t, newTable("label\ttext\na\t\"in\ttwo\"\nb\t\"in\" front\nc\tin \"between\"\nd\t\"open\n", '\t'))
	if want := []string{"in\ttwo", `"in" front`, `in "between"`, `"open`}; bad > 0 || !slices.Equal(texts(items), want) {
		t.Errorf("got %q and %d bad, want %q", texts(items), bad, want)
	}
}

func FuzzTable(f *testing.F) {
	for _, s := range []string{
		"text,label\na,b\n", "text\tlabel\n\"a\"\tb\n", "text,label\n\"a\n\nb\",c\n\"open\n", "\xef\xbb\xbftext\r\n\"\"\"\"",
		"text,label\n\"a\"b,c\n,\n", "",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, tabs bool) {
		comma := byte(',')
		if tabs {
			comma = '\t'
		}
		d := newTable(s, comma)
		last := int64(0)
		for n := 0; ; n++ {
			_, line, err := d.next()
			var row *rows.Error
			if err != nil && !errors.As(err, &row) {
				return
			}
			if line <= last && err == nil {
				t.Fatalf("line %d after line %d", line, last)
			}
			last = max(last, line)
			if n > len(s) {
				t.Fatalf("more rows than bytes")
			}
		}
	})
}

func FuzzJSONLines(f *testing.F) {
	for _, s := range []string{
		"{\"text\":\"a\",\"label\":1}\n", "[{\"text\":\"a\"},{}]", "{\"text\":null}\nnull\n{", "\xef\xbb\xbf{\"text\":\"\\ud800\"}",
		"{\"text\":\"a\",\"label\":{\"text\":[]}}", "[[[[", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []Format{JSONLines, JSON, Auto} {
			src := source{name: "fuzz", format: format, open: func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(s)), nil
			}}
			n := 0
			for range src.items() { //nolint:errcheck // errors are fine, endless items are not
				if n++; n > len(s)+1 {
					t.Fatal("more items than bytes")
				}
			}
		}
	})
}
