package static

import (
	_ "embed" // for the model
	"sync"

	"starling/embed"
)

// The shipped word vectors, as starling model train wrote them from the corpus
// that WORDS.md lists:
//
//	starling model train --corpus CORPUS/*.txt.zst --out embed/static/words --name starling-words-512 --licence CC-BY-SA-4.0
var (
	//go:embed words/config.json
	shippedCard []byte
	//go:embed words/model.safetensors
	shippedWeights []byte
)

// WordsName is the name of the shipped model with word vectors.
const WordsName = "starling-words-512"

// NewWords loads the shipped model with word vectors, which takes some tens of
// milliseconds the first time. The vectors stay where the binary has them.
func NewWords() (*WordModel, error) { return shippedWords() }

var shippedWords = sync.OnceValues(func() (*WordModel, error) {
	card, err := parseCard(shippedCard)
	if err != nil {
		return nil, err
	}
	weights, err := parseWeights("the shipped word vectors", shippedWeights, card)
	if err != nil {
		return nil, err
	}
	return NewWordModel(card, weights), nil
})

// DescribeWords returns that model's description without loading it.
func DescribeWords() embed.Info {
	card, err := parseCard(shippedCard)
	if err != nil {
		return embed.Info{Name: WordsName, Description: err.Error()}
	}
	return card.info()
}
