package cluster

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

const (
	// maxTerms bounds the terms counted for one micro-cluster.
	maxTerms = 64
	// maxTermBytes leaves out terms that nobody would read as a word.
	maxTermBytes = 40
	// maxTermsPerText bounds the work that one document can cause.
	maxTermsPerText = 256
	// topTerms is how many terms describe a cluster.
	topTerms = 5
)

// A Term may describe a text. Its hash is found once, for all who look it up.
type Term struct {
	text string
	hash uint64
}

func newTerm(text string) Term { return Term{text, hashTerm(text)} }

// Terms returns what may describe a text: its words, lower-cased, at least two
// characters long, without stop words and bare numbers, and pairs of such words
// that follow each other. What is said twice comes once, so that one document
// cannot name a cluster by repeating itself.
func Terms(text string) []Term {
	var found []Term
	add := func(text string) {
		if term := newTerm(text); len(found) < maxTermsPerText && !containsTerm(found, term) {
			found = append(found, term)
		}
	}
	before := ""
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), isSeparator) {
		if len(found) == maxTermsPerText {
			break
		}
		word = strings.Trim(word, "'’_")
		if !isTerm(word) {
			before = ""
			continue
		}
		add(word)
		if before != "" && before != word {
			add(before + " " + word)
		}
		before = word
	}
	return found
}

// containsTerm compares hashes first: that spares a look at most texts.
func containsTerm(terms []Term, term Term) bool {
	for i := range terms {
		if terms[i].hash == term.hash && terms[i].text == term.text {
			return true
		}
	}
	return false
}

func isSeparator(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’' && r != '_'
}

func isTerm(word string) bool {
	if len(word) < 2 || len(word) > maxTermBytes || stopWords[strings.ReplaceAll(word, "’", "'")] {
		return false
	}
	return strings.IndexFunc(word, unicode.IsLetter) >= 0
}

// termCounts counts the terms of one micro-cluster in bounded space by the
// space-saving algorithm (Metwally, Agrawal and El Abbadi 2005): a new term
// takes the place of the rarest and inherits its count. Kept in the order in
// which the places were taken.
type termCounts []termCount

type termCount struct {
	Term
	count int64
	// over is at most how much of count belongs to terms that were replaced.
	over int64
}

func (c *termCounts) add(term Term, n int64) {
	for i := range *c {
		if (*c)[i].hash == term.hash && (*c)[i].text == term.text {
			(*c)[i].count += n
			return
		}
	}
	added := termCount{Term: Term{strings.Clone(term.text), term.hash}, count: n}
	if len(*c) < maxTerms {
		*c = append(*c, added)
		return
	}
	rarest := 0
	for i := range *c {
		if (*c)[i].count < (*c)[rarest].count {
			rarest = i
		}
	}
	added.over = (*c)[rarest].count
	added.count += added.over
	(*c)[rarest] = added
}

// remove takes back one of a term's count. A term of which no more is certain
// leaves.
func (c *termCounts) remove(term Term) {
	i := slices.IndexFunc(*c, func(t termCount) bool { return t.Term == term })
	if i < 0 {
		return // others took its place
	}
	if (*c)[i].count--; (*c)[i].count <= (*c)[i].over {
		*c = slices.Delete(*c, i, i+1)
	}
}

// halve halves all counts. What was counted stays counted, or a cluster that
// nothing comes to would lose its name.
func (c termCounts) halve() {
	for i := range c {
		c[i].count = (c[i].count + 1) / 2
		c[i].over /= 2
	}
}

// termsOf returns the terms that set a cluster apart, best first: by class-based
// TF-IDF (Grootendorst 2022), the certain count in its micro-clusters times the
// logarithm of one plus the ratio of all terms to the term's count in all
// documents. A pair of words stands for both where they mostly come together.
func termsOf(micros []*micro, common *termSketch) []string {
	counts := make(map[string]int64)
	for _, m := range micros {
		for _, t := range m.terms {
			counts[t.text] += t.count - t.over
		}
	}
	joinPairs(counts)
	type scored struct {
		term  string
		score float64
	}
	ranked := make([]scored, 0, len(counts))
	for term, count := range counts {
		rarity := math.Log1p(float64(common.total) / float64(max(1, common.count(newTerm(term)))))
		ranked = append(ranked, scored{term, float64(count) * rarity})
	}
	slices.SortFunc(ranked, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.term, b.term))
	})
	names := make([]string, 0, topTerms)
	for _, r := range ranked[:min(topTerms, len(ranked))] {
		names = append(names, r.term)
	}
	return names
}

// joinPairs leaves of each pair of words and its words either the pair or the
// words: the pair where it is said in at least two documents and two thirds of
// those that say one of its words.
func joinPairs(counts map[string]int64) {
	var covered []string
	for term, count := range counts {
		first, second, isPair := strings.Cut(term, " ")
		if !isPair {
			continue
		}
		if count < 2 || 3*count < 2*max(counts[first], counts[second]) {
			covered = append(covered, term)
		} else {
			covered = append(covered, first, second)
		}
	}
	for _, term := range covered {
		delete(counts, term)
	}
}
