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
// every such run cut to two letters ("goooood"), or to one ("soooo"), or as it
// is ("www"), whichever is the commonest word, and cut to two where the table
// has none of them. The result is valid until the next call.
func (e *encoder) unstretch(word []byte) []byte {
	e.squeezed = appendSqueezed(e.squeezed[:0], word, 2)
	length := len(e.squeezed)
	e.squeezed = appendSqueezed(e.squeezed, word, 1)
	meant := e.squeezed[:length]
	least, _ := e.words.weight(hash(wordSeed, meant))
	for _, other := range [][]byte{e.squeezed[length:], word} {
		if weight, known := e.words.weight(hash(wordSeed, other)); known && weight < least {
			meant, least = other, weight
		}
	}
	return meant
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
