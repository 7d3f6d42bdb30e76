package beam

import (
	"crypto/sha256"
	"encoding/binary"
)

// A recent knows the ids that came last: at least the last half of what it may hold,
// at most all of it. A broker delivers a message again within minutes or hours, so
// that suffices to count each document once, in bounded memory.
type recent struct {
	most         int
	young, older []uint64 // digests of ids in the order they came
	known        map[uint64]struct{}
}

func newRecent(most int) *recent { return &recent{most: most, known: make(map[uint64]struct{})} }

// add adds an id, and says whether it was new.
func (r *recent) add(id string) bool {
	sum := sha256.Sum256([]byte(id))
	return r.insert(binary.LittleEndian.Uint64(sum[:]))
}

func (r *recent) insert(d uint64) bool {
	if _, ok := r.known[d]; ok {
		return false
	}
	if 2*(len(r.young)+1) > r.most {
		for _, old := range r.older {
			delete(r.known, old)
		}
		r.young, r.older = r.older[:0], r.young
	}
	r.young = append(r.young, d)
	r.known[d] = struct{}{}
	return true
}

// appendBinary appends the number of the older ids and of the young ones, and then
// their digests.
func (r *recent) appendBinary(b []byte) []byte {
	for _, generation := range [][]uint64{r.older, r.young} {
		b = binary.AppendUvarint(b, uint64(len(generation)))
		for _, d := range generation {
			b = binary.LittleEndian.AppendUint64(b, d)
		}
	}
	return b
}

// recent reads what appendBinary wrote.
func (r *reader) recent(most int) *recent {
	ids := newRecent(most)
	for _, generation := range []*[]uint64{&ids.older, &ids.young} {
		n := r.uvarint()
		if n > uint64(len(r.rest)/8) {
			r.fail(errCutShort)
			return ids
		}
		for range n {
			d := binary.LittleEndian.Uint64(r.rest)
			r.rest = r.rest[8:]
			*generation = append(*generation, d)
			ids.known[d] = struct{}{}
		}
	}
	return ids
}
