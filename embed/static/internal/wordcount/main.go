// Command wordcount counts how often words occur in general English and
// writes the table that package static weighs words with.
//
//	wordcount -out words.tsv.gz FOLDER
//
// FOLDER holds the sources, *.txt.zst, one sentence or paragraph a line. So
// that no genre drowns the others, a source of more than -cap tokens counts as
// if it had -cap. The table lists the words with at least -min of all tokens,
// most frequent first, as "word<TAB>tokens" lines; lines that begin with # say
// where it is from, and the first line without one is the number of all tokens.
package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"starling/embed/static/internal/token"
)

const header = `# Words of general English by frequency, counted by embed/static/internal/wordcount.
# Sources: public collections of English (novels, dialogues, documentation, dictionaries,
# encyclopaedias, chat, news, questions, speeches), each under a licence that permits it;
# the table holds counts of words and nothing else of their text. See WORDS.md.
`

func main() {
	log.SetFlags(0)
	log.SetPrefix("wordcount: ")
	out := flag.String("out", "words.tsv.gz", "write the table to `FILE`")
	limit := flag.Float64("cap", 500_000, "let no source count for more than `N` tokens")
	least := flag.Float64("min", 1e-6, "list words with at least this share of all tokens")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("name the folder of the sources")
	}
	if err := run(flag.Arg(0), *out, *limit, *least); err != nil {
		log.Fatal(err)
	}
}

func run(folder, out string, limit, least float64) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.txt.zst"))
	if err != nil {
		return fmt.Errorf("listing sources: %w", err)
	}
	if len(paths) == 0 {
		return fmt.Errorf("no *.txt.zst in %s", folder)
	}
	table := counts{}
	for _, path := range paths {
		source, err := count(path)
		if err != nil {
			return fmt.Errorf("counting %s: %w", path, err)
		}
		table.add(source, limit)
	}
	return write(out, table, least)
}

// counts holds tokens by word.
type counts map[string]float64

func (c counts) total() float64 {
	sum := 0.0
	for _, word := range c.words() { // in a fixed order, for a fixed sum
		sum += c[word]
	}
	return sum
}

// words returns the words, most frequent first, equals in alphabetical order.
func (c counts) words() []string {
	words := make([]string, 0, len(c))
	for word := range c {
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int {
		switch {
		case c[a] > c[b]:
			return -1
		case c[a] < c[b]:
			return 1
		}
		return strings.Compare(a, b)
	})
	return words
}

// add adds source, scaled down to limit tokens if it has more.
func (c counts) add(source counts, limit float64) {
	scale := min(1, limit/source.total())
	for word, n := range source {
		c[word] += n * scale
	}
}

// count counts the words and numbers of one source.
func count(path string) (counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	text, err := zstd.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer text.Close()
	source := counts{}
	lines := bufio.NewReaderSize(text, 1<<20)
	var splitter token.Splitter
	for {
		line, readErr := lines.ReadString('\n')
		for _, t := range splitter.Split(line) {
			if t.Kind == token.Word || t.Kind == token.Number {
				source[string(t.Text)]++
			}
		}
		if errors.Is(readErr, io.EOF) {
			return source, nil
		}
		if readErr != nil {
			return nil, readErr
		}
	}
}

// write writes the words of table with at least the share least of all tokens.
func write(path string, table counts, least float64) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	packed, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	total := table.total()
	text := bufio.NewWriter(packed)
	_, err = fmt.Fprintf(text, "%s%.0f\n", header, total)
	for _, word := range table.words() {
		if err != nil || table[word] < least*total {
			break
		}
		_, err = fmt.Fprintf(text, "%s\t%.0f\n", word, table[word])
	}
	return errors.Join(err, text.Flush(), packed.Close())
}
