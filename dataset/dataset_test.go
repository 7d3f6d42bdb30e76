package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"starling/dataset/rows"
)

// read opens the collection and returns its items, its line errors and the
// error that ended it, of Open or of the iteration.
func read(t *testing.T, o Options) (items []Item, bad []*LineError, end error) {
	t.Helper()
	c, err := Open(context.Background(), o)
	if err != nil {
		return nil, nil, err
	}
	for item, err := range c.Items() {
		var line *LineError
		switch {
		case errors.As(err, &line):
			bad = append(bad, line)
		case err != nil:
			return items, bad, err
		default:
			item.Line = 0 // most tests are not about it
			items = append(items, item)
		}
	}
	if c.Total != 0 && c.Total != int64(len(items)) {
		t.Errorf("Total is %d, %d items came", c.Total, len(items))
	}
	return items, bad, nil
}

func texts(items []Item) []string {
	var texts []string
	for _, item := range items {
		texts = append(texts, item.Text)
	}
	return texts
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func packGzip(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packZstd(t *testing.T, s string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(s), nil)
}

func TestFilesOfEveryForm(t *testing.T) {
	two := []Item{{Text: "good, \"so\" good", Label: "joy"}, {Text: "oh no", Label: "fear"}}
	for _, c := range []struct {
		name, content string
		options       Options
		want          []Item
	}{
		{"a.jsonl", `{"text":"good, \"so\" good","label":"joy"}` + "\n" + `{"label":"fear","text":"oh no"}`, Options{}, two},
		{"a", "\n" + `{"text":"good, \"so\" good","label":"joy"}` + "\r\n\r\n" + `{"label":"fear","text":"oh no"}` + "\r\n", Options{}, two},
		{"a.json", rows.BOM + `[{"text":"good, \"so\" good","label":"joy"},` + "\n" + `{"label":"fear","text":"oh no"}]`, Options{}, two},
		{"a.json", rows.BOM + `{"text":"good, \"so\" good","label":"joy"}` + "\n" + `{"label":"fear","text":"oh no"}`, Options{}, two},
		{"a.csv", rows.BOM + "label,Text\r\njoy,\"good, \"\"so\"\" good\"\r\nfear,oh no\r\n", Options{}, two},
		{"a.tsv", "text\tlabel\n\"good, \"\"so\"\" good\"\tjoy\noh no\tfear", Options{}, two},
		{"a.txt", "good, \"so\" good;joy\noh no; fear\n", Options{Format: TextLabel}, two},
		{"a.txt", "good, \"so\" good;joy\noh no; fear\n", Options{PlainLabels: true}, two},
		{"a", "good, \"so\" good;joy\noh no; fear\n", Options{PlainLabels: true}, two},
		{"a.csv", "label,text\njoy,\"good, \"\"so\"\" good\"\nfear,oh no\n", Options{PlainLabels: true}, two},
		{"a.txt", "a;b\n", Options{PlainLabels: true, Format: Text}, []Item{{Text: "a;b"}}},
		{"a.txt", "good; so good\n\n  \noh no\n", Options{}, []Item{{Text: "good; so good"}, {Text: "oh no"}}},
		{"log", "[info] good\n", Options{}, []Item{{Text: "[info] good"}}},
		{"empty.csv", "", Options{}, nil},
		{"header.csv", "text,label\n", Options{}, nil},
		{"multi.csv", "text\n\"one\ntwo\"\n", Options{}, []Item{{Text: "one\ntwo"}}},
		{
			"fields.jsonl", `{"q":"hi","n":7,"key":true,"at":"2026-01-02T03:04:05+01:00","text":"other"}`,
			Options{TextField: "q", LabelField: "n", IDField: "key", TimeField: "at"},
			[]Item{{Text: "hi", Label: "7", ID: "true", Time: time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)}},
		},
		{"unix.csv", "text,at\nhi,1700000000\n", Options{TimeField: "at"}, []Item{{Text: "hi", Time: time.Unix(1700000000, 0).UTC()}}},
		{"bytes.txt", "caf\xe9\n", Options{}, []Item{{Text: "caf\xe9"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for packing, content := range map[string][]byte{
				"": []byte(c.content), ".gz": packGzip(t, c.content), ".zst": packZstd(t, c.content),
			} {
				c.options.Name = write(t, c.name+packing, content)
				items, bad, err := read(t, c.options)
				if err != nil || len(bad) > 0 || !slices.Equal(items, c.want) {
					t.Errorf("%s: got %+v, %v, %v, want %+v", packing, items, bad, err, c.want)
				}
			}
		})
	}
}

func TestItemsKnowTheirLines(t *testing.T) {
	for name, content := range map[string]string{
		"a.csv":   "text,label\n\na,x\n\"b\nb\",x\nc,x\n",
		"a.jsonl": "\n\n{\"text\":\"a\"}\n{\"text\":\"b\"}\n\n{\"text\":\"c\"}\n",
		"a.txt":   "\n\na\nb\n\nc\n",
	} {
		c, err := Open(t.Context(), Options{Name: write(t, name, []byte(content))})
		if err != nil {
			t.Fatal(err)
		}
		var lines []int64
		for item, err := range c.Items() {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, item.Line)
		}
		if want := []int64{3, 4, 6}; !slices.Equal(lines, want) {
			t.Errorf("%s: items on lines %v, want %v", name, lines, want)
		}
	}
}

func TestABadLineIsPassedOver(t *testing.T) {
	long := strings.Repeat("x", rows.MaxBytes+1)
	for _, c := range []struct {
		name, content string
		line          int64
		message       string
	}{
		{"a.jsonl", "{\"text\":\"a\"}\n{\"text\":\n{\"text\":\"b\"}\n", 2, "JSON object"},
		{"a.jsonl", "{\"text\":\"a\"}\n{\"text\":5}\n{\"text\":\"b\"}\n", 2, `"text"`},
		{"a.jsonl", "{\"text\":\"a\"}\nnull\n{\"text\":\"b\"}\n", 2, "null"},
		{"a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"\xff\"}\n{\"text\":\"b\"}\n", 2, "UTF-8"},
		{"a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\",\"label\":[]}\n{\"text\":\"b\"}\n", 2, `"label"`},
		{"a.json", `[{"text":"a"},7,{"text":"b"}]`, 2, "JSON object"},
		{"a.json", `[{"text":"a"},{"text":"` + long + `"},{"text":"b"}]`, 2, "1 MiB"},
		{"a.csv", "text,label\na,x\nb\nb,y\n", 3, "1 fields"},
		{"a.csv", "text,label\na,x\n\"b\" c,y\nb,y\n", 3, "closing quote"},
		{"a.csv", "text,label\na,x\n\"c,y\nb,y\n", 3, "not closed"},
		{"a.csv", "text,label\na,x\nc,y,z\nb,y\n", 3, "more than 2"},
		{"a.tsv", "text\tlabel\na\tx\n\"b\nb\ty\n", 3, "1 fields"},
		{"a.txt", "a\n" + long + "\nb", 2, "1 MiB"},
		{"a.csv", "text\na\n\"" + long + "\"\nb", 3, "1 MiB"},
	} {
		t.Run(c.name+" "+c.message, func(t *testing.T) {
			path := write(t, c.name, []byte(c.content))
			items, bad, err := read(t, Options{Name: path})
			if err != nil || !slices.Equal(texts(items), []string{"a", "b"}) {
				t.Fatalf("got %q, %v", texts(items), err)
			}
			if len(bad) != 1 || bad[0].File != path || bad[0].Line != c.line || !strings.Contains(bad[0].Error(), c.message) {
				t.Errorf("got %v, want one about %q in line %d", bad, c.message, c.line)
			}
		})
	}
}

func TestAFileThatCannotBeReadEndsWithAnError(t *testing.T) {
	packed := string(packGzip(t, strings.Repeat("some text\n", 1000)))
	for _, c := range []struct {
		name, content string
		options       Options
		message       string
	}{
		{"a.csv", "one,two\n1,2\n", Options{}, "one of: one, two"},
		{"a.csv", "text,two\n1,2\n", Options{LabelField: "three"}, `no field "three" among: text, two`},
		{"a.csv", "\"text\x1b\" x\n1\n", Options{}, "closing quote"},
		{"a.csv", "\x1b[31m\n1\n", Options{}, `"\x1b[31m"`},
		{"a.jsonl", `{"x":1}`, Options{}, "line 1: no field is named as texts usually are"},
		{"a.json", "{\n \"text\": \"a\"\n}", Options{}, "many lines"},
		{"a.json", `[{"text":"a"},{"text":"b"`, Options{}, "unexpected EOF"},
		{"a.json", `[{"text":"a"},{"text":"b"}`, Options{}, "unexpected EOF"},
		{"a.json", `[{"text":"a"} {"text":"b"}]`, Options{}, "line 2"},
		{"a", "a\x00b", Options{}, "zero bytes"},
		{"a.txt.gz", packed[:len(packed)/2], Options{}, "unexpected EOF"},
		{"a.parquet", "text\n", Options{}, "damaged Parquet file"},
		{"a.txt", "a\n", Options{Format: "xml"}, "jsonl, json, csv, tsv, parquet, text, text;label"},
		{"a.txt", "a\n", Options{Split: "test"}, `unknown split "test"`},
		{"a.txt", "a\n", Options{Limit: -1}, "below 0"},
		{"a.txt", "a\n", Options{Classes: []string{"joy"}}, "no labels"},
		{"a.csv", "text,label\na,x\nb,y\n", Options{Classes: []string{"x", "z"}}, `unknown class "z"; there are x, y`},
	} {
		t.Run(c.name+" "+c.message, func(t *testing.T) {
			c.options.Name = write(t, c.name, []byte(c.content))
			if _, _, err := read(t, c.options); err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want %q in it", err, c.message)
			}
		})
	}
}

func TestWhatIsNotAFileIsRefused(t *testing.T) {
	for name, message := range map[string]string{
		"":                                    "no collection named",
		t.TempDir():                           "is a folder",
		filepath.Join(t.TempDir(), "missing"): "no such file",
	} {
		if _, _, err := read(t, Options{Name: name}); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%q: got %v, want %q in it", name, err, message)
		}
	}
}

func TestStandardInputIsJSONLinesOrTexts(t *testing.T) {
	for content, want := range map[string][]string{
		"{\"text\":\"a\"}\n{\"text\":\"b\"}\n": {"a", "b"},
		"a\r\n{b\n":                            {"a", "{b"},
		"":                                     nil,
	} {
		items, bad, err := read(t, Options{Name: "-", Stdin: strings.NewReader(content)})
		if err != nil || bad != nil || !slices.Equal(texts(items), want) {
			t.Errorf("%q: got %q, %v, %v", content, texts(items), bad, err)
		}
	}
}

func TestStandardInputIsReadAsItComes(t *testing.T) {
	c, err := Open(context.Background(), Options{Name: "-", Stdin: endless{}})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range c.Items() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 100_000 {
			break
		}
	}
	for _, err := range c.Items() {
		if err == nil || !strings.Contains(err.Error(), "read before") {
			t.Errorf("reading again: got %v", err)
		}
	}
}

// endless is lines without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, "another line\n"), nil }

func TestALongLineOrElementTakesLittleMemory(t *testing.T) {
	for _, start := range []string{"", "[{\"text\":\""} {
		c, err := Open(context.Background(), Options{Name: "-", Stdin: &flood{start: start, left: 256 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, err := range c.Items() {
			if !errors.Is(err, rows.ErrTooLong) {
				t.Errorf("%q: got %v", start, err)
			}
		}
		runtime.ReadMemStats(&after)
		if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 16 {
			t.Errorf("%q: %d MiB", start, mib)
		}
	}
}

// flood is a line that is longer than anyone wants.
type flood struct {
	start string
	left  int
}

func (f *flood) Read(p []byte) (int, error) {
	if f.start != "" {
		n := copy(p, f.start)
		f.start = f.start[n:]
		return n, nil
	}
	n := min(len(p), f.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range p[:n] {
		p[i] = 'x'
	}
	f.left -= n
	return n, nil
}

func TestClassesAndLimitChooseItems(t *testing.T) {
	var b strings.Builder
	b.WriteString("text,label\n")
	for i := range 30 {
		fmt.Fprintf(&b, "t%d,c%d\n", i, i%3)
	}
	path := write(t, "a.csv", []byte(b.String()))
	for _, c := range []struct {
		classes []string
		limit   int
		want    int
	}{
		{nil, 0, 30}, {[]string{All}, 0, 30}, {[]string{"c1"}, 0, 10}, {[]string{"c0", "c2"}, 0, 20},
		{[]string{"c0", "c2"}, 7, 7}, {nil, 100, 30},
	} {
		items, bad, err := read(t, Options{Name: path, Classes: c.classes, Limit: c.limit})
		if err != nil || bad != nil || len(items) != c.want {
			t.Errorf("%v, limit %d: %d items, %v, %v", c.classes, c.limit, len(items), bad, err)
		}
		for _, item := range items {
			if c.classes != nil && c.classes[0] != All && !slices.Contains(c.classes, item.Label) {
				t.Errorf("%v: got %+v", c.classes, item)
			}
		}
	}
}

func TestTotalIsUnknownForWhatIsBig(t *testing.T) {
	path := write(t, "a.txt", bytes.Repeat([]byte("a line\n"), countBytes/7+1))
	c, err := Open(context.Background(), Options{Name: path})
	if err != nil || c.Total != 0 {
		t.Errorf("Total is %d, %v", c.Total, err)
	}
	if c, err = Open(context.Background(), Options{Name: path, LabelField: "x", Format: CSV}); err == nil {
		t.Errorf("a wrong field name was found too late: %+v", c)
	}
}
