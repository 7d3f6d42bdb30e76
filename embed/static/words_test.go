package static

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"starling/embed/safetensors"
	"starling/vec"
)

// saveSmall writes a model of four words whose vectors say that cat and dog are
// alike, and returns its folder.
func saveSmall(t *testing.T) (string, Card) {
	t.Helper()
	w := Weights{
		Words:   []string{"the", "cat", "dog", "42"},
		Shares:  []float32{0.05, 1e-4, 1e-4, 1e-5},
		Vectors: Quantise([]float32{0, 0, 0.01, 1, 0.2, 0, 1, -0.2, 0, 0, 1, 0}, 3),
		Ngrams:  Quantise([]float32{0, 0, 1, 0, 0, 1}, 3),
	}
	dir := filepath.Join(t.TempDir(), "small")
	card, err := Save(dir, Card{Name: "small", WordDim: 3, LexicalDim: 128, Balance: 2, BalanceRare: 2, Licence: "CC0-1.0"}, w)
	if err != nil {
		t.Fatal(err)
	}
	return dir, card
}

func openSmall(t *testing.T) *WordModel {
	t.Helper()
	dir, _ := saveSmall(t)
	m, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// product returns the cosine of the vectors of two texts.
func product(t *testing.T, m *WordModel, a, b string) float64 {
	t.Helper()
	rows, err := m.Embed(t.Context(), []string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, x := range rows[0] {
		sum += float64(x) * float64(rows[1][i])
	}
	return sum
}

func TestWhatIsSavedIsOpened(t *testing.T) {
	dir, card := saveSmall(t)
	m, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if info := m.Info(); info.Name != "small" || info.Dim != 131 || info.Licence != "CC0-1.0" || len(info.Fingerprint) != 32 {
		t.Errorf("described as %+v", info)
	}
	if m.Card().SHA256 != card.SHA256 || !slices.Equal(m.weights.Words, []string{"the", "cat", "dog", "42"}) {
		t.Errorf("opened %+v with the words %q", m.Card(), m.weights.Words)
	}
	if !IsFolder(dir) || IsFolder(t.TempDir()) {
		t.Error("the folder is not told from another")
	}
}

func TestWordsOfLikeMeaningAreClose(t *testing.T) {
	m := openSmall(t)
	// The semantic parts have a cosine of 0.92 and count four fifths.
	if got := product(t, m, "cat", "dog"); got < 0.65 {
		t.Errorf("cosine %v of cat and dog", got)
	}
	if got := product(t, m, "cat", "42"); got > 0.2 {
		t.Errorf("cosine %v of cat and 42", got)
	}
	nearest, err := m.Nearest("cat", 1)
	if err != nil || len(nearest) != 1 || nearest[0].Word != "dog" {
		t.Errorf("nearest to cat: %v, %v", nearest, err)
	}
	if _, err := m.Nearest("?!", 1); !errors.Is(err, ErrNoWord) {
		t.Errorf("%v, want ErrNoWord", err)
	}
}

func TestTextsWithoutKnownWordsHaveAVector(t *testing.T) {
	m := openSmall(t)
	for _, text := range []string{"東京の天気", "😂😂", "?!", "مرحبا بالعالم", "1 2 3", "\xff", "the"} {
		rows, err := m.Embed(t.Context(), []string{text})
		if err != nil {
			t.Fatal(err)
		}
		checkUnit(t, rows[0])
	}
	if got := product(t, m, "😂😂 🍕", "🍕"); got < 0.3 {
		t.Errorf("cosine %v of texts that share an emoji", got)
	}
}

func TestEveryTextHasAUnitVectorOfWordsToo(t *testing.T) {
	m := openSmall(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), bytesAsText()).Draw(t, "text")
		rows, err := m.Embed(t.Context(), []string{text})
		if isBlank(text) {
			if !errors.Is(err, ErrBlank) {
				t.Fatalf("blank %q: error %v", text, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkUnit(t, rows[0])
	})
}

func TestQuantisedRowsAreCloseToTheirValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SliceOfN(rapid.Float32Range(-100, 100), 1, 20).Draw(t, "row")
		q, got := Quantise(row, len(row)), make([]float32, len(row))
		q.addRow(got, 0, 1)
		for i, x := range row {
			if diff := math.Abs(float64(got[i] - x)); diff > 0.51*float64(q.Scales[0]) {
				t.Fatalf("value %v became %v, with steps of %v", x, got[i], q.Scales[0])
			}
		}
	})
}

func TestTheFingerprintTellsOfTheBalance(t *testing.T) {
	_, card := saveSmall(t)
	other := card
	other.Balance = 1
	rare := card
	rare.BalanceRare = 1
	if card.fingerprint() == other.fingerprint() || card.fingerprint() == rare.fingerprint() || other.fingerprint() == rare.fingerprint() {
		t.Error("two balances have one fingerprint")
	}
}

// A text of everyday words is told by what it means, one of names by how it is written.
func TestTheBalanceFollowsHowRareTheWordsAre(t *testing.T) {
	dir, _ := saveSmall(t)
	rewrite(t, filepath.Join(dir, CardName), `"balance_rare": 2`, `"balance_rare": 0.5`)
	m, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	shares := func(text string) float64 { // of the semantic part
		rows, err := m.Embed(t.Context(), []string{text})
		if err != nil {
			t.Fatal(err)
		}
		return float64(vec.Dot(rows[0][:3], rows[0][:3]))
	}
	if got := shares("the the cat the dog the the"); math.Abs(got-0.8) > 0.01 { // 2²/(1+2²)
		t.Errorf("the semantic part of a text of everyday words is %.3f of it", got)
	}
	if got := shares("zanzibar quokka dolomite"); math.Abs(got-0.2) > 0.03 { // 0.5²/(1+0.5²)
		t.Errorf("the semantic part of a text of rare words is %.3f of it", got)
	}
}

func TestDamagedFoldersNameWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		file, old, new, want string
	}{
		"no card":            {CardName, "", "", CardName},
		"card cut short":     {CardName, "}", "", CardName},
		"another algorithm":  {CardName, Algorithm, "words/0", "algorithm"},
		"dimension":          {CardName, `"word_dim": 3`, `"word_dim": 4`, "vectors"},
		"zero dimension":     {CardName, `"word_dim": 3`, `"word_dim": 0`, "word_dim"},
		"too many words":     {CardName, `"words": 4`, `"words": 1000000000`, "words"},
		"fewer words":        {CardName, `"words": 4`, `"words": 3`, "shares"},
		"lexical width":      {CardName, `"lexical_dim": 128`, `"lexical_dim": 100`, "lexical_dim"},
		"balance":            {CardName, `"balance": 2`, `"balance": -2`, "balance"},
		"rare balance":       {CardName, `"balance_rare": 2`, `"balance_rare": 1000`, "balance_rare"},
		"a key twice":        {CardName, `"balance": 2`, `"balance": 2, "balance": 1`, "twice"},
		"no weights":         {safetensors.FileName, "", "", safetensors.FileName},
		"weights changed":    {safetensors.FileName, "cat", "cow", "SHA-256"},
		"weights not theirs": {CardName, `"sha256": "`, `"sha256": "0`, "SHA-256"},
	} {
		dir, _ := saveSmall(t)
		path := filepath.Join(dir, test.file)
		if test.old == "" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		} else {
			rewrite(t, path, test.old, test.new)
		}
		if _, err := Open(dir, ""); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v does not say %s", name, err, test.want)
		}
	}
}

func rewrite(t *testing.T, path, from, to string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(from)) {
		t.Fatalf("%s has no %q", path, from)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(data, []byte(from), []byte(to)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func FuzzParseWeights(f *testing.F) {
	w := Weights{[]string{"a", "b"}, []float32{0.5, 0.5}, Quantise([]float32{1, 2, 3, 4}, 2), Quantise([]float32{1, 2}, 2)}
	file, err := w.encode(2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		card := Card{Name: "fuzz", Words: 2, WordDim: 2, Ngrams: 1, LexicalDim: 128, Balance: 1, BalanceRare: 2, SHA256: sumOf(file)}
		w, err := parseWeights("fuzz", file, card)
		if err != nil {
			return
		}
		rows, err := NewWordModel(card, w).Embed(t.Context(), []string{"a b c 12"})
		if err != nil {
			t.Fatal(err)
		}
		checkUnit(t, rows[0])
	})
}
