package static

// elongated reports whether a letter of word is repeated as in "soooo".
func elongated(word []byte) bool {
	run := 1
	for i := 1; i < len(word); i++ {
		if word[i] != word[i-1] || !isASCIILetter(word[i]) {
			run = 0
		}
		if run++; run == elongation {
			return true
		}
	}
	return false
}

// unstretch returns what the writer of an elongated word meant: the word with
// every such run cut to two letters if the table has that ("goooood"), else
// cut to one if it has that ("soooo"), else again two. The result is valid
// until the next call.
func (e *encoder) unstretch(word []byte) []byte {
	e.squeezed = appendSqueezed(e.squeezed[:0], word, 2)
	double := len(e.squeezed)
	if _, known := e.words.weight(hash(wordSeed, e.squeezed)); known {
		return e.squeezed
	}
	e.squeezed = appendSqueezed(e.squeezed, word, 1)
	if _, known := e.words.weight(hash(wordSeed, e.squeezed[double:])); known {
		return e.squeezed[double:]
	}
	return e.squeezed[:double]
}

// appendSqueezed appends word with its elongated runs of letters cut to keep.
func appendSqueezed(dst, word []byte, keep int) []byte {
	for i := 0; i < len(word); {
		end := i + 1
		for end < len(word) && word[end] == word[i] && isASCIILetter(word[i]) {
			end++
		}
		if end-i >= elongation {
			dst = append(dst, word[i:i+keep]...)
		} else {
			dst = append(dst, word[i:end]...)
		}
		i = end
	}
	return dst
}

func isASCIILetter(b byte) bool { return b >= 'a' && b <= 'z' }
