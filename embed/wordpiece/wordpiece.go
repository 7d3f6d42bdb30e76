// Package wordpiece is BERT's tokenizer: it turns a text into the token ids
// that a BERT or DistilBERT model reads.
//
//	tokenizer, err := wordpiece.Load("models/all-MiniLM-L6-v2")
//	ids = tokenizer.Encode(ids[:0], "the train is late", 128)
//
// The ids are those of the Rust crate tokenizers 0.22, which Hugging Face's
// AutoTokenizer runs. A text goes through these steps:
//
//   - Added tokens such as [MASK] are cut out wherever the text spells them.
//   - The normaliser drops control characters, makes every white space a plain
//     one, puts spaces around ideographs, takes accents off and lower-cases, as
//     far as the model wants it.
//   - The pre-tokenizer cuts at white space and makes every punctuation
//     character a word of its own.
//   - WordPiece covers each word from the left with the longest token there is
//     (Wu et al., "Google's Neural Machine Translation System", 2016, section
//     4.1). A word that cannot be covered is one unknown token.
//   - The post-processor puts [CLS] before and [SEP] behind.
package wordpiece

import (
	"math"
	"sync"
)

// A Tokenizer turns texts into token ids. It is safe for use by several
// goroutines.
type Tokenizer struct {
	vocabulary vocabulary
	normaliser normaliser
	// raw are the added tokens that are looked for in the text as it is, and
	// normalised those that are looked for in the normalised text.
	raw, normalised addedTokens
	// prefix and suffix are the special tokens around a text.
	prefix, suffix []int32
	buffers        sync.Pool // of *[]byte
}

const (
	// maxLength is the most tokens of one text.
	maxLength = 1 << 30
	// blockBytes is about how much of a text is normalised at once.
	blockBytes = 1 << 10
	// maxPooledBytes is the largest buffer that is kept for the next text.
	maxPooledBytes = 1 << 16
)

// VocabSize returns the number of tokens, added ones included. Ids are less.
func (t *Tokenizer) VocabSize() int { return len(t.vocabulary.tokens) }

// Token returns the token with the id, or "" where there is none.
func (t *Tokenizer) Token(id int32) string {
	if id < 0 || int(id) >= len(t.vocabulary.tokens) {
		return ""
	}
	return t.vocabulary.tokens[id]
}

// Encode appends to dst the ids of text between those of the special tokens,
// maxTokens at most: where they are more, the last ones of the text are left
// out. The special tokens are never left out, so that a maxTokens below 2 counts
// as 2 for a model with [CLS] and [SEP]. Bytes of text that are not UTF-8 count
// as U+FFFD each. Reading stops at the last token that has room. While dst has
// room nothing is allocated, but by a tokenizer with normalised added tokens,
// which needs a copy of the text.
func (t *Tokenizer) Encode(dst []int32, text string, maxTokens int) []int32 {
	dst = append(dst, t.prefix...)
	dst = t.Tokenize(dst, text, min(max(maxTokens, 0), maxLength)-len(t.prefix)-len(t.suffix))
	return append(dst, t.suffix...)
}

// Tokenize is [Tokenizer.Encode] without special tokens around the text.
func (t *Tokenizer) Tokenize(dst []int32, text string, maxTokens int) []int32 {
	if maxTokens <= 0 {
		return dst
	}
	buffer, _ := t.buffers.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	o := output{ids: dst, limit: len(dst) + min(maxTokens, maxLength), buffer: *buffer}
	t.tokenize(&o, text)
	if cap(o.buffer) <= maxPooledBytes {
		*buffer = o.buffer
	}
	t.buffers.Put(buffer)
	return o.ids
}

// An output takes the ids of one text.
type output struct {
	ids   []int32
	limit int // the most of ids
	// buffer holds normalised text.
	buffer []byte
}

func (o *output) full() bool { return len(o.ids) >= o.limit }

func (o *output) append(id int32) {
	if !o.full() {
		o.ids = append(o.ids, id)
	}
}

// tokenize cuts the added tokens that are not normalised out of text.
func (t *Tokenizer) tokenize(o *output, text string) {
	for s := (splitter{added: &t.raw, text: text}); !o.full(); {
		from, to, token, found := s.next()
		if t.normalised.none() {
			t.readBlocks(o, text[from:to])
		} else {
			t.readWhole(o, text[from:to])
		}
		if !found {
			return
		}
		o.append(token)
	}
}

// readBlocks appends the tokens of a piece of text without added tokens, a block
// at a time: it reads little more of the piece than there is room for.
func (t *Tokenizer) readBlocks(o *output, piece string) {
	o.buffer = o.buffer[:0]
	for piece != "" && !o.full() {
		var read int
		o.buffer, read = t.normaliser.append(o.buffer, piece, len(o.buffer)+blockBytes)
		last := t.vocabulary.shorten(t.readWords(o, o.buffer))
		o.buffer = append(o.buffer[:0], last...)
		piece = piece[read:]
	}
	t.vocabulary.read(o, o.buffer)
}

// readWhole appends the tokens of a piece of text in which normalised added
// tokens may be.
func (t *Tokenizer) readWhole(o *output, piece string) {
	o.buffer, _ = t.normaliser.append(o.buffer[:0], piece, math.MaxInt)
	for s := (splitter{added: &t.normalised, text: string(o.buffer)}); !o.full(); {
		from, to, token, found := s.next()
		t.vocabulary.read(o, t.readWords(o, o.buffer[from:to]))
		if !found {
			return
		}
		o.append(token)
	}
}
