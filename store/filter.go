package store

import (
	"context"
	"encoding/binary"
	"sync"
)

// A filter knows of most digests that are not in the table ids that they are
// not, so that a new id costs no look into the file. It is a Bloom filter (Bloom
// 1970) that grows by adding another, larger one (Almeida, Baquero, Preguiça and
// Hutchison, "Scalable Bloom Filters", 2007), up to a bound.
type filter struct {
	mu sync.RWMutex
	// complete says that every digest of the table is in layers.
	complete bool
	layers   []layer
}

// A layer is one Bloom filter of eight bits per digest's worth of room or more.
type layer struct {
	words []uint64 // a power of two of them
	room  int      // how many more digests it takes
}

const (
	// bitsPerDigest and bitsSet give one false answer in about a hundred.
	bitsPerDigest = 10
	bitsSet       = 7
	// firstRoom is how many digests the first layer takes; each further one
	// takes four times as many as the one before.
	firstRoom = 1 << 18
	// maxLayers bounds the memory, at 140 MB: beyond some ninety million
	// digests the last layer fills up and more looks into the file are needed.
	maxLayers = 5
)

func newLayer(room int) layer {
	words := 1
	for words*64 < room*bitsPerDigest {
		words *= 2
	}
	return layer{words: make([]uint64, words), room: room}
}

// bits calls visit with the word and the mask of each bit of a digest, until
// visit returns false. A digest is random, so its halves serve as hashes
// (Kirsch and Mitzenmacher 2006).
func (l *layer) bits(d digest, visit func(word *uint64, mask uint64) bool) bool {
	first, step := binary.LittleEndian.Uint64(d[:8]), binary.LittleEndian.Uint64(d[8:])|1
	for i := range uint64(bitsSet) {
		bit := first + i*step
		if !visit(&l.words[bit>>6&uint64(len(l.words)-1)], 1<<(bit&63)) {
			return false
		}
	}
	return true
}

func (l *layer) add(d digest) {
	l.bits(d, func(word *uint64, mask uint64) bool { *word |= mask; return true })
	l.room--
}

func (l *layer) mayHave(d digest) bool {
	return l.bits(d, func(word *uint64, mask uint64) bool { return *word&mask != 0 })
}

func (f *filter) add(digests []digest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range digests {
		last := len(f.layers) - 1
		if last < 0 || f.layers[last].room <= 0 && last+1 < maxLayers {
			f.layers = append(f.layers, newLayer(firstRoom<<(2*(last+1))))
			last++
		}
		f.layers[last].add(d)
	}
}

// mayHave reports whether the table may hold a digest that was added, or that
// it held when fill began.
func (f *filter) mayHave(d digest) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !f.complete {
		return true
	}
	for i := range f.layers {
		if f.layers[i].mayHave(d) {
			return true
		}
	}
	return false
}

// fillAtATime is how many buckets fill reads at once.
const fillAtATime = 128

const selectBuckets = "SELECT bucket, digests, checksum FROM ids WHERE bucket >= ? ORDER BY bucket LIMIT ?"

// fill adds what the table holds. It reads in pages, so that the write-ahead
// log can be emptied meanwhile; until it is done every digest may be there. A
// bucket that splits between two pages gives digests to later ones only.
func (f *filter) fill(ctx context.Context, q querier, path string) error {
	for next := int64(0); ; {
		rows, err := q.QueryContext(ctx, selectBuckets, next, fillAtATime)
		page, err := collect(path, rows, err, (*bucketRow).dest)
		if err != nil {
			return err
		}
		for _, row := range page {
			if row.bucket != next {
				return missingBucket(path, next)
			}
			if err := row.check(path); err != nil {
				return err
			}
			f.add(row.split())
			next++
		}
		if len(page) < fillAtATime {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.complete = true
	return nil
}
