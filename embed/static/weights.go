package static

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"starling/embed/internal/jsonfile"
	"starling/embed/safetensors"
)

// Weights are what a model was trained to. Two folders with equal weights and
// equal cards give equal vectors.
type Weights struct {
	// Words are in the order of their vectors, most frequent first, folded as
	// package token does.
	Words []string
	// Shares holds the part of all tokens that each word is.
	Shares []float32
	// Vectors holds a row for each word, Ngrams one for each bucket of
	// [Buckets]. A word's row has been multiplied with the weight of the word.
	Vectors, Ngrams Quantised
}

// Quantised holds rows of equal length in one byte a value.
type Quantised struct {
	// Values are int8, row after row.
	Values []byte
	// Scales holds what the values of each row are multiplied with.
	Scales []float32
}

// Quantise rounds rows of dim values to 255 steps between the largest value of a
// row and its negative.
func Quantise(rows []float32, dim int) Quantised {
	q := Quantised{make([]byte, len(rows)), make([]float32, len(rows)/dim)}
	for i := range q.Scales {
		row := rows[i*dim : (i+1)*dim]
		top := 0.0
		for _, x := range row {
			top = max(top, math.Abs(float64(x)))
		}
		if top == 0 {
			continue
		}
		for k, x := range row {
			q.Values[i*dim+k] = byte(int8(math.Round(float64(x) / top * 127)))
		}
		q.Scales[i] = float32(top / 127)
	}
	return q
}

// addRow adds w times row i to dst, whose length is that of a row. The
// conversion keeps the product from being fused with the sum.
func (q Quantised) addRow(dst []float32, i int, w float32) {
	w *= q.Scales[i]
	row := q.Values[i*len(dst):][:len(dst)]
	for len(dst) >= 8 && len(row) >= 8 {
		d, x := (*[8]float32)(dst), (*[8]byte)(row)
		d[0] += float32(w * signed[x[0]])
		d[1] += float32(w * signed[x[1]])
		d[2] += float32(w * signed[x[2]])
		d[3] += float32(w * signed[x[3]])
		d[4] += float32(w * signed[x[4]])
		d[5] += float32(w * signed[x[5]])
		d[6] += float32(w * signed[x[6]])
		d[7] += float32(w * signed[x[7]])
		dst, row = dst[8:], row[8:]
	}
	for k := range dst {
		dst[k] += float32(w * signed[row[k]])
	}
}

// signed holds the numbers that bytes are as int8: a look-up is faster than the
// conversion.
var signed = func() (table [256]float32) {
	for i := range table {
		table[i] = float32(int8(i))
	}
	return table
}()

// Save writes a model into the folder dir, which it makes: the weights, and the
// card with what it says of them filled in. It returns that card.
func Save(dir string, card Card, w Weights) (Card, error) {
	file, err := w.encode(card.WordDim)
	if err != nil {
		return card, err
	}
	card.ModelType, card.Algorithm, card.SHA256 = ModelType, Algorithm, sumOf(file)
	card.Words, card.Ngrams = len(w.Words), len(w.Ngrams.Scales)
	if err := card.validate(); err != nil {
		return card, fmt.Errorf("writing a word-vector model: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return card, err
	}
	if err := os.WriteFile(filepath.Join(dir, safetensors.FileName), file, 0o644); err != nil {
		return card, err
	}
	return card, card.write(dir)
}

func (w Weights) encode(dim int) ([]byte, error) {
	words := []byte(strings.Join(w.Words, "\n"))
	return safetensors.Encode([]safetensors.Tensor{
		safetensors.New("shares", safetensors.F32, []int{len(w.Shares)}, floatBytes(w.Shares)),
		safetensors.New("scales", safetensors.F32, []int{len(w.Words)}, floatBytes(w.Vectors.Scales)),
		safetensors.New("ngrams.scales", safetensors.F32, []int{len(w.Ngrams.Scales)}, floatBytes(w.Ngrams.Scales)),
		safetensors.New("vectors", "I8", []int{len(w.Words), dim}, w.Vectors.Values),
		safetensors.New("ngrams.vectors", "I8", []int{len(w.Ngrams.Scales), dim}, w.Ngrams.Values),
		safetensors.New("words", "U8", []int{len(words)}, words),
	})
}

func floatBytes(values []float32) []byte {
	var data []byte
	for _, x := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return data
}

// readFile reads the weights of the folder dir.
func readFile(dir string, card Card) (Weights, error) {
	// The most that such tensors and their header can take.
	rows := int64(card.Words + card.Ngrams)
	most := rows*int64(card.WordDim+8) + int64(card.Words)*maxWordBytes + 4096
	path := filepath.Join(dir, safetensors.FileName)
	file, err := jsonfile.ReadBounded(path, most)
	if err != nil {
		return Weights{}, fmt.Errorf("opening a word-vector model: %w", err)
	}
	return parseWeights(path, file, card)
}

// maxWordBytes bounds the mean length of the words of a model.
const maxWordBytes = 256

// parseWeights returns the weights of a file, which they are parts of. Errors
// call the file name.
func parseWeights(name string, file []byte, card Card) (w Weights, err error) {
	if err := card.checkSum(file); err != nil {
		return w, fmt.Errorf("reading %s: %w", name, err)
	}
	tensors, err := safetensors.Read(name, file)
	if err != nil {
		return w, err
	}
	r := reader{tensors: tensors}
	w.Shares = r.floats("shares", card.Words)
	w.Vectors = Quantised{r.bytes("vectors", card.Words*card.WordDim), r.floats("scales", card.Words)}
	w.Ngrams = Quantised{r.bytes("ngrams.vectors", card.Ngrams*card.WordDim), r.floats("ngrams.scales", card.Ngrams)}
	w.Words = splitWords(r.bytes("words", -1))
	if r.err == nil && len(w.Words) != card.Words {
		r.err = fmt.Errorf("there are %d words, but the card says %d", len(w.Words), card.Words)
	}
	if r.err != nil {
		return w, fmt.Errorf("reading %s: %w", name, r.err)
	}
	return w, nil
}

func splitWords(data []byte) []string {
	words := make([]string, 0, bytes.Count(data, []byte{'\n'})+1)
	return append(words, strings.Split(string(data), "\n")...)
}

// A reader takes tensors and keeps the first error.
type reader struct {
	tensors map[string]safetensors.Tensor
	err     error
}

// tensor returns a tensor of n numbers, -1 for any.
func (r *reader) tensor(name string, n int) (t safetensors.Tensor, ok bool) {
	if r.err != nil {
		return t, false
	}
	if t, ok = r.tensors[name]; !ok {
		r.err = fmt.Errorf("there is no tensor %q", name)
	} else if n >= 0 && t.Len() != n {
		r.err = fmt.Errorf("tensor %q has %d numbers, want %d", name, t.Len(), n)
	}
	return t, r.err == nil
}

// bytes returns the bytes of a tensor of n numbers of a byte each.
func (r *reader) bytes(name string, n int) []byte {
	t, ok := r.tensor(name, n)
	if !ok {
		return nil
	}
	data, err := t.Data()
	if err == nil && len(data) != t.Len() {
		err = fmt.Errorf("tensor %q holds %s, want numbers of one byte", name, t.DType)
	}
	r.err = err
	return data
}

// largest bounds the numbers of a model: sums of them stay finite.
const largest = 1e6

// floats returns n numbers, none larger than largest.
func (r *reader) floats(name string, n int) []float32 {
	t, ok := r.tensor(name, n)
	if !ok {
		return nil
	}
	values := make([]float32, n)
	r.err = t.Float32s(values, 0)
	for _, x := range values {
		if !(x >= -largest && x <= largest) { // nor NaN
			r.err = fmt.Errorf("tensor %q has the number %v, want at most %v", name, x, float32(largest))
		}
	}
	return values
}
