package static

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // for the table of words
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

//go:embed words.tsv.gz
var packedWords []byte

// shippedTable returns the table in the binary, unpacked once.
var shippedTable = sync.OnceValues(func() (*table, error) {
	return readTable(bytes.NewReader(packedWords))
})

// A table holds the words of general English by the hash of the word: an
// open-addressed hash table with linear probing.
type table struct {
	slots []slot // a power of two, at least a third of them empty
	size  int    // words
}

type slot struct {
	word   feature // 0 where the slot is empty
	rank   int32   // 0 is the most frequent word
	weight float32 // a/(a+p)
}

// readTable reads a packed table as internal/wordcount writes it.
func readTable(packed io.Reader) (*table, error) {
	text, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking the table of words: %w", err)
	}
	lines := bufio.NewScanner(text)
	total, err := readTotal(lines)
	if err != nil {
		return nil, fmt.Errorf("reading the table of words: %w", err)
	}
	t := &table{slots: make([]slot, 1<<10)}
	for lines.Scan() {
		word, count, ok := strings.Cut(lines.Text(), "\t")
		n, err := strconv.ParseUint(count, 10, 64)
		if !ok || word == "" || err != nil {
			return nil, fmt.Errorf("reading the table of words: %q is not a word, a tab and a count", lines.Text())
		}
		t.insert(hash(wordSeed, []byte(word)), smoothInverse(float64(n)/total))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("unpacking the table of words: %w", err)
	}
	return t, nil
}

// readTotal skips the comment and returns the number after it.
func readTotal(lines *bufio.Scanner) (float64, error) {
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		total, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil || total == 0 {
			return 0, fmt.Errorf("%q is not the number of tokens", lines.Text())
		}
		return float64(total), nil
	}
	return 0, errors.Join(errors.New("no number of tokens"), lines.Err())
}

// smoothInverse returns the weight of a word with the share p of all tokens.
func smoothInverse(p float64) float32 {
	return float32(smoothing / (smoothing + p))
}

func (t *table) insert(word feature, weight float32) {
	if 3*(t.size+1) > 2*len(t.slots) {
		t.grow()
	}
	*t.find(word) = slot{word, int32(t.size), weight}
	t.size++
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.word != 0 {
			*t.find(s.word) = s
		}
	}
}

// find returns the slot of word, or the empty one where it belongs.
func (t *table) find(word feature) *slot {
	mask := len(t.slots) - 1
	for i := int(word) & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.word == word || s.word == 0 {
			return s
		}
	}
}

// weight returns the weight of word, 1 if it is not in the table, and whether
// it is.
func (t *table) weight(word feature) (float32, bool) {
	if s := t.find(word); s.word != 0 {
		return s.weight, true
	}
	return 1, false
}

// id returns the id of a token by its feature, as [Model.Tokenize] describes.
func (t *table) id(f feature) int {
	if s := t.find(f); s.word != 0 {
		return int(s.rank)
	}
	return t.size + int(f%hashedIDs)
}

// hashedIDs is the number of ids for tokens outside the table.
const hashedIDs = 1 << 20
