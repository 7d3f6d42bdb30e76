package static

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"starling/embed"
	"starling/embed/internal/jsonfile"
)

const (
	// CardName is the file of a model folder that describes the model.
	CardName = "config.json"
	// ModelType is what a card calls the models of this package.
	ModelType = "starling-static"
	// maxCardBytes bounds the card.
	maxCardBytes = 1 << 20
)

// A Card describes a model that was trained: what its folder's [CardName] holds.
type Card struct {
	// ModelType is [ModelType]. It tells these folders from others.
	ModelType string `json:"model_type"`
	// Algorithm names the steps from text to vector; see [Algorithm].
	Algorithm string `json:"algorithm"`
	// Name is what the model is called.
	Name        string `json:"name"`
	Description string `json:"description"`
	// Licence is an SPDX expression.
	Licence string `json:"licence"`
	// Words has a vector each, of WordDim values.
	Words   int `json:"words"`
	WordDim int `json:"word_dim"`
	// Ngrams is the number of vectors that character n-grams share.
	Ngrams int `json:"ngrams"`
	// LexicalDim is how many values the lexical part has: 512, 256 or 128.
	LexicalDim int `json:"lexical_dim"`
	// Balance is the length of the semantic part where the lexical part has
	// length one, in texts of everyday words; BalanceRare that in texts of rare
	// words, such as names, of which vectors know less. Between them the balance
	// follows how rare a text's words are.
	Balance     float64 `json:"balance"`
	BalanceRare float64 `json:"balance_rare"`
	// SHA256 is that of the file of weights, in hexadecimal.
	SHA256 string `json:"sha256"`
	// Training says how the vectors were found; nothing reads it back.
	Training json.RawMessage `json:"training,omitempty"`
	// Scores say how well closeness goes with the labels of the collections named;
	// nothing reads them back.
	Scores map[string]Scores `json:"scores,omitempty"`
	// Nearest lists, for some words, the words with the closest vectors.
	Nearest map[string][]string `json:"nearest,omitempty"`
}

// Scores compare the labels of texts with how close their vectors are.
type Scores struct {
	// Documents were compared; Labels is how many labels they have.
	Documents int `json:"documents"`
	Labels    int `json:"labels"`
	// NearestLabel is the share of texts whose closest text has the same label,
	// ByChance what it would be for a random text.
	NearestLabel float64 `json:"nearest_label"`
	ByChance     float64 `json:"by_chance"`
	// AUC is how often two texts of one label are closer than two of different
	// labels, 0.5 by chance.
	AUC float64 `json:"auc"`
}

// Algorithm names the steps from text to vector of a trained model.
const Algorithm = "words/2"

// Dim is the length of a text's vector.
func (c Card) Dim() int { return c.WordDim + c.LexicalDim }

// IsFolder says whether dir is the folder of a model of this package.
func IsFolder(dir string) bool {
	object, err := jsonfile.Read(filepath.Join(dir, CardName), maxCardBytes)
	if err != nil {
		return false
	}
	var kind string
	return object.Get("model_type", &kind) == nil && kind == ModelType
}

func readCard(dir string) (Card, error) {
	path := filepath.Join(dir, CardName)
	data, err := jsonfile.ReadBounded(path, maxCardBytes)
	if err != nil {
		return Card{}, fmt.Errorf("opening a word-vector model: %w", err)
	}
	card, err := parseCard(data)
	if err != nil {
		return Card{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return card, nil
}

func parseCard(data []byte) (Card, error) {
	var card Card
	if _, err := jsonfile.Parse(data); err != nil { // no key twice
		return card, err
	}
	if err := json.Unmarshal(data, &card); err != nil {
		return card, err
	}
	return card, card.validate()
}

const (
	maxWords   = 1 << 21
	maxNgrams  = 1 << 20
	maxWordDim = 4096
)

func (c Card) validate() error {
	switch {
	case c.ModelType != ModelType:
		return fmt.Errorf("model_type is %q, want %q", c.ModelType, ModelType)
	case c.Algorithm != Algorithm:
		return fmt.Errorf("algorithm is %q, but this version knows %q only: train the model again", c.Algorithm, Algorithm)
	case c.Words < 1 || c.Words > maxWords:
		return fmt.Errorf("words is %d, want 1 to %d", c.Words, maxWords)
	case c.WordDim < 1 || c.WordDim > maxWordDim:
		return fmt.Errorf("word_dim is %d, want 1 to %d", c.WordDim, maxWordDim)
	case c.Ngrams < 1 || c.Ngrams > maxNgrams:
		return fmt.Errorf("ngrams is %d, want 1 to %d", c.Ngrams, maxNgrams)
	case c.LexicalDim != 512 && c.LexicalDim != 256 && c.LexicalDim != 128:
		return fmt.Errorf("lexical_dim is %d, want 512, 256 or 128", c.LexicalDim)
	case !isBalance(c.Balance):
		return fmt.Errorf("balance is %v, want 0 to 100", c.Balance)
	case !isBalance(c.BalanceRare):
		return fmt.Errorf("balance_rare is %v, want 0 to 100", c.BalanceRare)
	}
	return nil
}

func isBalance(x float64) bool { return x >= 0 && x <= 100 } // NaN is not

// checkSum returns an error unless weights are those that the card describes.
func (c Card) checkSum(weights []byte) error {
	if sum := sumOf(weights); sum != c.SHA256 {
		return fmt.Errorf("its SHA-256 is %s, but the card says %q: it is damaged, or of another model", sum, c.SHA256)
	}
	return nil
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// fingerprint returns a hash of all that the vectors depend on.
func (c Card) fingerprint() string {
	return fingerprint([]byte(fmt.Sprintln(Algorithm, c.SHA256, c.LexicalDim, c.Balance, c.BalanceRare)))
}

func (c Card) info() embed.Info {
	return embed.Info{
		Name: c.Name, Fingerprint: c.fingerprint(), Dim: c.Dim(), Description: c.Description, Licence: c.Licence,
	}
}

// write writes the card into a folder.
func (c Card) write(dir string) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the card: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, CardName), append(data, '\n'), 0o644)
}
