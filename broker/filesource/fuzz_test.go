package filesource

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzRecords reads any content as any format: it ends, and whoever goes on behind
// any record gets the same ones, called the same, as who reads on.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{
		"", "a\nb", "text,id\n\"a\nb\",1\n\"open,2\nc,3\n", "{\"text\":\"a\"}\n\n{}\n", "\ufefftext\tid\r\na\t1\r\n\r\n\"b\t2",
		packed(f, "a\nb\nc\n", packers[0].pack), packed(f, "text\na\n\"b\n\"\n", packers[1].pack),
	} {
		for format := range formats {
			f.Add([]byte(seed), uint8(format))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, format uint8) {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		config := Config{Path: path, Format: formats[int(format)%len(formats)]}
		g, err := open(config, position{}, nil)
		if err != nil {
			return
		}
		all := records(g)
		for i, r := range all {
			if i > 50 {
				break
			}
			at := position{Line: r.behind.Line, Offset: r.behind.Offset, Chain: r.chain, Head: r.head, HeadBytes: r.headBytes}
			g, err := open(config, at, nil)
			if err != nil {
				t.Fatal(err)
			}
			same := func(a, b *record) bool {
				return a.id == b.id && a.behind == b.behind && string(a.body) == string(b.body)
			}
			if rest := records(g); !slices.EqualFunc(rest, all[i+1:], same) {
				t.Fatalf("behind record %d of %d there are %d", i, len(all), len(rest))
			}
		}
	})
}

// records reads what can be read.
func records(g *generation) (all []*record) {
	defer func() { _ = g.close() }()
	defer g.free()
	if err := g.begin(); err != nil {
		return nil
	}
	for {
		r, err := g.next()
		if err != nil {
			return all
		}
		all = append(all, r)
	}
}
