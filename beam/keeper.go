package beam

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
)

// A machine is a deterministic state machine: the same entries in the same order
// give the same bytes.
type machine interface {
	AppendBinary(b []byte) ([]byte, error)
}

// A keeper keeps the machine of a key across bundles. The machine itself lives in the
// worker. The runner's state holds what brings it back, and what one entry changes
// there is as long as the entry:
//
//   - version: a digest that chains all entries, and a few sizes;
//   - journal: the entries since the snapshot;
//   - snapshot: the machine as it was then, in pieces.
//
// A snapshot is taken when the journal has grown to a multiple of it, so its cost
// per entry is a constant share of the entry's own, however much the machine holds.
//
// The machine in the worker is used only where its version is that of the state. A
// bundle that failed, or went to another worker, leaves a version behind that
// nothing in the state has, because it depends on the content of every entry; the
// machine is then brought back from the state. What is brought back must have the
// version's digests, so damage of any kind is an error, which fails the bundle, and
// never an empty machine.
type keeper[M machine] struct {
	// step names the step among those of this process.
	step string
	// fresh begins a machine, decode reads one from its snapshot, and replay does
	// again what an entry did.
	fresh  func() (M, error)
	decode func(snapshot []byte) (M, error)
	replay func(m M, entry []byte) error
}

// cells are where a keeper's state lies: fields of the DoFn, which the SDK must
// find there.
type cells struct {
	version           *state.Value[[]byte]
	journal, snapshot *state.Bag[[]byte]
}

const (
	// leastJournal is below how many bytes of journal no snapshot is taken.
	leastJournal = 4 << 20
	// journalShare is to how many times the size of the snapshot the journal grows.
	journalShare = 2
	// pieceBytes is the size of a piece of the snapshot.
	pieceBytes = 1 << 20
)

// apply lets do work on the machine of a key. What it returns is the entry with which
// replay would do the same, or nothing where the machine has not changed. After an
// error the machine is not used again.
func (k keeper[M]) apply(p state.Provider, c cells, key string, do func(M) (entry []byte, err error)) error {
	stored, known, err := readVersion(p, c)
	if err != nil {
		return fmt.Errorf("reading the state of %s of %s: %w", key, k.step, err)
	}
	m, err := k.machine(p, c, key, stored, known)
	if err != nil {
		return fmt.Errorf("bringing back the state of %s of %s: %w", key, k.step, err)
	}
	entry, err := do(m)
	if err != nil {
		return err
	}
	next := stored
	if len(entry) > 0 {
		next = stored.after(entry)
		if err := k.write(p, c, m, &next, entry); err != nil {
			return fmt.Errorf("writing the state of %s of %s: %w", key, k.step, err)
		}
	}
	live.put(k.step, key, liveMachine{version: next.chain, machine: m})
	return nil
}

// machine returns the machine of a key as it was after the last entry.
func (k keeper[M]) machine(p state.Provider, c cells, key string, stored version, known bool) (M, error) {
	if cached, ok := live.take(k.step, key); ok && known && cached.version == stored.chain {
		return cached.machine.(M), nil
	}
	return k.rebuild(p, c, stored, known)
}

// rebuild brings a machine back from the state, and checks that it is all there.
func (k keeper[M]) rebuild(p state.Provider, c cells, stored version, known bool) (M, error) {
	var none M
	snapshot, err := readBag(p, c.snapshot)
	if err != nil {
		return none, err
	}
	journal, err := readBag(p, c.journal)
	if err != nil {
		return none, err
	}
	if !known {
		if len(snapshot)+len(journal) > 0 {
			return none, errors.New("there is a journal or a snapshot and no version: the state is damaged")
		}
		return k.fresh()
	}
	m, chain, err := k.fromSnapshot(bytes.Join(snapshot, nil), stored)
	if err != nil {
		return none, err
	}
	for i, entry := range journal {
		chain = link(chain, entry)
		if err := k.replay(m, entry); err != nil {
			return none, fmt.Errorf("entry %d of the journal: %w", i+1, err)
		}
	}
	if chain != stored.chain {
		return none, errors.New("the journal is not the one that was written: the state is damaged")
	}
	return m, nil
}

// fromSnapshot returns the machine of the snapshot and its version.
func (k keeper[M]) fromSnapshot(snapshot []byte, stored version) (M, digest, error) {
	if stored.snapshotBytes == 0 && len(snapshot) == 0 {
		m, err := k.fresh()
		return m, digest{}, err
	}
	var none M
	if sha256.Sum256(snapshot) != stored.snapshot || len(snapshot) < len(digest{}) {
		return none, digest{}, fmt.Errorf("the snapshot, %d bytes, is not the one that was written: the state is damaged", len(snapshot))
	}
	chain := digest(snapshot[:len(digest{})])
	m, err := k.decode(snapshot[len(chain):])
	if err != nil {
		return none, digest{}, fmt.Errorf("the snapshot: %w", err)
	}
	return m, chain, nil
}

// write adds an entry to the state, as an entry of the journal or as part of a new
// snapshot, and then the version.
func (k keeper[M]) write(p state.Provider, c cells, m M, next *version, entry []byte) error {
	var err error
	if next.journalBytes >= max(leastJournal, journalShare*next.snapshotBytes) {
		err = takeSnapshot(p, c, m, next)
	} else {
		err = c.journal.Add(p, numbered(next.entries, entry))
	}
	if err != nil {
		return err
	}
	return c.version.Write(p, next.appendBinary(nil))
}

// takeSnapshot puts the machine in the place of the snapshot and the journal.
func takeSnapshot(p state.Provider, c cells, m machine, next *version) error {
	data, err := m.AppendBinary(next.chain[:])
	if err != nil {
		return fmt.Errorf("taking a snapshot: %w", err)
	}
	if err := errors.Join(c.journal.Clear(p), c.snapshot.Clear(p)); err != nil {
		return err
	}
	next.snapshot, next.snapshotBytes, next.journalBytes = sha256.Sum256(data), uint64(len(data)), 0
	for i, piece := range slices.Collect(slices.Chunk(data, pieceBytes)) {
		if err := c.snapshot.Add(p, numbered(uint64(i), piece)); err != nil {
			return err
		}
	}
	return nil
}

// numbered puts a number before the bytes of an element of a bag, which Beam does not
// promise to keep in order.
func numbered(n uint64, data []byte) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(data)), n), data...)
}

// readBag returns the elements of a bag in the order of their numbers.
func readBag(p state.Provider, bag *state.Bag[[]byte]) ([][]byte, error) {
	elements, _, err := bag.Read(p)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(elements, func(a, b []byte) int { return bytes.Compare(a[:min(8, len(a))], b[:min(8, len(b))]) })
	for i, element := range elements {
		if len(element) < 8 {
			return nil, errCutShort
		}
		elements[i] = element[8:]
	}
	return elements, nil
}

// A digest is a SHA-256.
type digest = [sha256.Size]byte

// link chains an entry to the entries before.
func link(chain digest, entry []byte) digest {
	h := sha256.New()
	h.Write(chain[:])
	h.Write(entry)
	return digest(h.Sum(nil))
}

// A version says what the state holds.
type version struct {
	entries       uint64 // how many there were
	chain         digest // of all of them
	snapshot      digest // of the snapshot's bytes
	snapshotBytes uint64
	journalBytes  uint64 // of the entries since the snapshot
}

// after returns the version after one more entry of the journal.
func (v version) after(entry []byte) version {
	v.entries++
	v.chain = link(v.chain, entry)
	v.journalBytes += uint64(len(entry))
	return v
}

func (v version) appendBinary(b []byte) []byte {
	b = append(append(b, v.chain[:]...), v.snapshot[:]...)
	b = binary.AppendUvarint(b, v.entries)
	b = binary.AppendUvarint(b, v.snapshotBytes)
	return binary.AppendUvarint(b, v.journalBytes)
}

// readVersion reads the version of a key, and says whether there is one.
func readVersion(p state.Provider, c cells) (version, bool, error) {
	data, known, err := c.version.Read(p)
	if err != nil || !known {
		return version{}, false, err
	}
	if len(data) < 2*sha256.Size {
		return version{}, false, errCutShort
	}
	v := version{chain: digest(data), snapshot: digest(data[sha256.Size:])}
	r := reader{rest: data[2*sha256.Size:]}
	v.entries, v.snapshotBytes, v.journalBytes = r.uvarint(), r.uvarint(), r.uvarint()
	return v, true, r.end("version")
}
