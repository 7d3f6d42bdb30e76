package filesource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"starling/broker/feed"
)

const patience = 20 * time.Second

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func appendTo(t *testing.T, path, content string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(content)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// opened opens a source that ends with the test, and a function that ends it
// before.
func opened(t *testing.T, c Config) (s *Source, end func()) {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		s.Stop(t.Context())
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(end)
	return s, end
}

// next returns the next message, or nil at the end.
func next(t *testing.T, s *Source) *feed.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := s.Receive(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return m
}

func settle(m *feed.Message) { m.Settle(&feed.Outcome{}) }

// bodies reads to the end and settles everything. Of what is bad it returns what is
// wrong.
func bodies(t *testing.T, s *Source) (all, ids []string) {
	t.Helper()
	for m := next(t, s); m != nil; m = next(t, s) {
		body := m.Attributes[feed.FormatAttribute] + " " + string(m.Body)
		if m.Bad != nil {
			body = "bad " + m.Bad.Error()
		}
		all, ids = append(all, body), append(ids, m.ID)
		settle(m)
	}
	return all, ids
}

func TestFormats(t *testing.T) {
	const object = `json {"text":"a"}`
	for _, test := range []struct {
		name, content string
		config        Config
		want          []string
	}{
		{"a.txt", "a\r\n\n {\"b\n", Config{}, []string{"text a", `text  {"b`}},
		{"no-end", "a\nb", Config{}, []string{"text a", "text b"}},
		{"empty", "", Config{}, nil},
		{"blank", "\n \n", Config{}, nil},
		{"mark", "\ufeff{\"text\":\"a\"}\n", Config{}, []string{object}},
		{"sniffed", "\n  {\"text\":\"a\"}\nno JSON\n", Config{}, []string{`json   {"text":"a"}`, "json no JSON"}},
		{"a.jsonl", "\"a\"\n", Config{}, []string{`json "a"`}},
		{"a.log", "[INFO] a\n", Config{}, []string{"text [INFO] a"}},
		{"as-text.csv", "a,b\n", Config{Format: Text}, []string{"text a,b"}},
		{"as-csv", "n,Tweet\n1,a\n", Config{Format: CSV}, []string{`json {"n":"1","text":"a"}`}},
		{"a.csv", "text\n\na\n\"b\nc\"\n", Config{}, []string{object, `json {"text":"b\nc"}`}},
		{"header.csv", "text\n", Config{}, nil},
		{"empty.csv", "", Config{}, nil},
		{"two.csv", "Text,text\nx,a\n", Config{}, []string{`json {"Text":"x","text":"a"}`}},
		{"said.csv", "text,other\nx,a\n", Config{TextColumn: "other"}, []string{`json {"other":"a","text":"x"}`}},
		{"bad.csv", "id,text\n1,a\n2\n3,\xff\n4,\"b\n5,c\n", Config{}, []string{
			`json {"id":"1","text":"a"}`, "bad line 3: 1 fields, not 2 as in the header",
			"bad line 4: the column text is not valid UTF-8", "bad line 5: a quoted field is not closed", `json {"id":"5","text":"c"}`,
		}},
		{"a.tsv", "text\tid\na \"b\tc\n", Config{}, []string{`json {"id":"c","text":"a \"b"}`}},
		{"long.txt", strings.Repeat("x", 1<<20+1) + "\na\n", Config{}, []string{"bad line 1: longer than 1 MiB", "text a"}},
	} {
		for _, p := range packers {
			t.Run(test.name+p.extension, func(t *testing.T) {
				t.Parallel()
				test := test
				test.config.Path = filepath.Join(t.TempDir(), test.name+p.extension)
				write(t, test.config.Path, packed(t, test.content, p.pack))
				if err := Check(test.config); err != nil {
					t.Error(err)
				}
				s, _ := opened(t, test.config)
				if got, _ := bodies(t, s); !slices.Equal(got, test.want) {
					t.Errorf("got %.300q, want %.300q", got, test.want)
				}
			})
		}
	}
}

// packers undo what the source undoes.
var packers = []struct {
	extension string
	pack      func(io.Writer) io.WriteCloser
}{
	{".gz", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
	{".zst", func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil { // of options only
			panic(err)
		}
		return z
	}},
	{"", func(w io.Writer) io.WriteCloser { return plain{w} }},
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

func packed(t testing.TB, content string, pack func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	w := pack(&b)
	_, err := io.WriteString(w, content)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		return path
	}
	damaged := file("files.json", "{")
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Path: filepath.Join(dir, "none")}, "no such file"},
		{Config{Path: dir}, "is a folder; name a file in it"},
		{Config{Path: "/dev/null", Follow: true}, "no regular file and cannot be followed"},
		{Config{Path: file("a.gz", "\x1f\x8b broken")}, "opening gzip"},
		{Config{Path: file("b.gz", packed(t, "a", packers[0].pack)), Follow: true}, "packed and cannot be followed"},
		{Config{Path: file("a.json", " [\n{}]")}, "one JSON array"},
		{Config{Path: file("a.csv", "x,y\n")}, "say with --text-field which one is, the header has: x, y"},
		{Config{Path: file("b.csv", "x,y\n"), TextColumn: "z"}, `there is no column "z"; the header has: x, y`},
		{Config{Path: file("c.csv", "x,x\n")}, `two columns are called "x"`},
		{Config{Path: file("a.parquet", "PAR1\x15\x00")}, "it is Parquet"},
		{Config{Path: file("d.csv", "\"x\n")}, "not closed"},
		{Config{Path: file("a.txt", "a"), Positions: damaged}, damaged + " is damaged"},
		{Config{Path: "a", Format: "xml"}, `unknown format "xml"`},
		{Config{Path: Stdin, Stdin: os.Stdin, Follow: true}, "standard input cannot be followed"},
		{Config{Path: Stdin}, "there is no standard input"},
	} {
		_, err := Open(test.config)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got the error %v, want %q", test.config, err, test.want)
		}
		if checked := Check(test.config); checked == nil || checked.Error() != err.Error() {
			t.Errorf("%+v: Check says %v, want %v", test.config, checked, err)
		}
	}
}

func TestDamageInTheMiddleEndsTheReadingWithItsName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt.gz")
	content := packed(t, strings.Repeat("a line of text\n", 1000), packers[0].pack)
	write(t, path, content[:len(content)-4])
	s, _ := opened(t, Config{Path: path})
	for {
		m, err := s.Receive(t.Context())
		if err == nil {
			settle(m)
			continue
		}
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "reading "+path) {
			t.Errorf("got the error %v", err)
		}
		return
	}
}

func TestStandardInputThatComesAgainHasTheSameIDs(t *testing.T) {
	read := func(input string) []string {
		s, _ := opened(t, Config{Path: Stdin, Stdin: strings.NewReader(input)})
		_, ids := bodies(t, s)
		return ids
	}
	first, again, longer, other := read("a\nb\n"), read("a\nb\n"), read("a\nb\nc\n"), read("x\nb\n")
	if len(first) != 2 || !slices.Equal(first, again) || !slices.Equal(first, longer[:2]) {
		t.Errorf("the ids are %q, %q, %q", first, again, longer)
	}
	if first[1] == other[1] || !strings.HasPrefix(first[1], "stdin:2:") {
		t.Errorf("behind other lines, b is called %s, as before %s", other[1], first[1])
	}
}

// TestALineOfStandardInputComesAtOnce writes to a pipe, as who types does.
func TestALineOfStandardInputComesAtOnce(t *testing.T) {
	in, out := io.Pipe()
	s, _ := opened(t, Config{Path: Stdin, Stdin: in})
	for i := range 3 {
		if _, err := fmt.Fprintln(out, i); err != nil {
			t.Fatal(err)
		}
		m := next(t, s)
		if string(m.Body) != fmt.Sprint(i) {
			t.Errorf("got %q, want %d", m.Body, i)
		}
		settle(m)
	}
	_ = out.Close()
	if m := next(t, s); m != nil {
		t.Errorf("got %q after the end", m.Body)
	}
}

func TestWhatIsGivenBackAtTheEndComesAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	write(t, path, "a\nb\n")
	s, _ := opened(t, Config{Path: path})
	a, b := next(t, s), next(t, s)
	ended := make(chan *feed.Message)
	go func() { ended <- next(t, s) }()
	settle(b)
	a.Settle(nil)
	again := <-ended
	if again == nil || again.ID != a.ID || again.Attempt != 2 {
		t.Fatalf("%q came back as %+v", a.Body, again)
	}
	settle(again)
	if m := next(t, s); m != nil {
		t.Errorf("got %q after the end", m.Body)
	}
}
