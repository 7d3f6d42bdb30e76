package static

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"starling/embed/static/internal/token"
)

// algorithm names the steps from text to vector. It must change whenever they
// do, tokens included, for a state to notice.
const algorithm = "hash-512/1"

// The parameters were chosen by clustering news titles, tweets, banking
// questions and commands to an assistant (the collections News, Tweets,
// banking77 and clinc150), one setting for all.
const (
	// smoothing is the a of a/(a+p).
	smoothing = 3e-4
	// ngramShare is the n-grams' part of the squared length of a word.
	ngramShare = 0.6
	// shortestNgram and longestNgram are in characters, boundary marks included.
	shortestNgram, longestNgram = 3, 5
	// elongation is the number of equal letters in a row that no ordinary word
	// has, as in "soooo".
	elongation = 3
)

// kindWeights is what multiplies the weight of a token's text. Numbers and
// links seldom say what a text is about; who is addressed says less than what
// is said; a text of nothing else must still have a vector.
var kindWeights = [...]float32{
	token.Word:      1,
	token.Number:    0.5,
	token.Hashtag:   1,
	token.Mention:   0.5,
	token.Link:      0.1,
	token.Ideograph: 0.5,
	token.Symbol:    0.5,
	token.Character: 1,
}

// hashtagWeight is the weight of the mark on a hashtag, beside its word.
const hashtagWeight = 0.5

// Seeds keep features of different sorts apart, so that the n-gram "the" is
// not the word "the". A token that is not a word has otherSeed plus its kind.
const (
	wordSeed  = 0x7374_6172_6c69_6e67 // "starling"
	ngramSeed = 0x6d75_726d_7572_6174 // "murmurat"
	textSeed  = 0x726f_6f73_7469_6e67 // "roosting"
	otherSeed = 0x6665_6174_6865_7200 // "feather"
)

// fingerprint returns a hash of all that the vectors depend on.
func fingerprint(words []byte) string {
	sum := sha256.New()
	fmt.Fprintln(sum, algorithm, smoothing, ngramShare, shortestNgram, longestNgram, elongation,
		kindWeights, hashtagWeight, uint64(wordSeed), uint64(ngramSeed), uint64(textSeed), uint64(otherSeed))
	sum.Write(words)
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
