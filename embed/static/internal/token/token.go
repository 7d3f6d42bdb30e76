// Package token splits a text into the tokens that a static model weighs.
//
// A [Splitter] reads one text after another and keeps its buffers:
//
//	var s token.Splitter
//	for _, t := range s.Split("Don't panic! #42things") {
//		fmt.Println(t.Kind, string(t.Text)) // word dont, word panic, hashtag 42things
//	}
//
// A text is first folded: HTML entities decoded, Unicode form NFKC, lower case.
// Then
//
//   - a run of letters, digits and combining marks is a word; apostrophes
//     inside it are dropped, so that "don't" and "dont" are one word;
//   - a run of digits, with single dots and commas inside, is a number;
//   - #name is a hashtag and @name a mention, with underscores as part of the
//     name;
//   - http://..., https://... and www... up to the next space are a link, of
//     which the host remains;
//   - each character of the Han, Hiragana and Katakana scripts is an ideograph;
//   - each emoji or other pictorial symbol is a symbol, a pair of regional
//     indicators (a flag) one symbol.
//
// All else separates tokens.
package token

// A Kind is what a token is.
type Kind uint8

// The kinds of tokens.
const (
	Word Kind = iota
	Number
	Hashtag
	Mention
	Link
	Ideograph
	Symbol
	// Character is any other character. Only [Splitter.Characters] makes it.
	Character
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"word", "number", "hashtag", "mention", "link", "ideograph", "symbol", "character"}[k]
}

// A Token is one unit of a text.
type Token struct {
	Kind Kind
	// Text is the folded text without the sign that marks the kind: no #, no @,
	// no https://. It is never empty and belongs to the Splitter.
	Text []byte
}
