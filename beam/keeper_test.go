package beam

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
)

// A stateOfKey is the state of one key as a runner keeps it. What a bundle wrote is
// kept when it is committed and forgotten when it fails.
type stateOfKey struct {
	state.Provider // what the keeper does not use
	values         map[string][]byte
	bags           map[string][][]byte
}

func newStateOfKey() *stateOfKey {
	return &stateOfKey{values: make(map[string][]byte), bags: make(map[string][][]byte)}
}

func (s *stateOfKey) clone() *stateOfKey {
	c := newStateOfKey()
	for k, v := range s.values {
		c.values[k] = slices.Clone(v)
	}
	for k, v := range s.bags {
		for _, e := range v {
			c.bags[k] = append(c.bags[k], slices.Clone(e))
		}
	}
	return c
}

func (s *stateOfKey) ReadValueState(id string) (any, []state.Transaction, error) {
	if v, ok := s.values[id]; ok {
		return v, nil, nil
	}
	return nil, nil, nil
}

func (s *stateOfKey) WriteValueState(t state.Transaction) error {
	s.values[t.Key] = slices.Clone(t.Val.([]byte))
	return nil
}

// ReadBagState returns a bag backwards: Beam promises no order.
func (s *stateOfKey) ReadBagState(id string) ([]any, []state.Transaction, error) {
	var all []any
	for _, e := range slices.Backward(s.bags[id]) {
		all = append(all, slices.Clone(e))
	}
	return all, nil, nil
}

func (s *stateOfKey) WriteBagState(t state.Transaction) error {
	s.bags[t.Key] = append(s.bags[t.Key], slices.Clone(t.Val.([]byte)))
	return nil
}

func (s *stateOfKey) ClearBagState(t state.Transaction) error {
	delete(s.bags, t.Key)
	return nil
}

// An entryList is a machine that remembers its entries.
type entryList struct{ entries []string }

func (l *entryList) AppendBinary(b []byte) ([]byte, error) {
	return append(b, strings.Join(l.entries, "\n")...), nil
}

// A listStep is a stateful step whose machines are lists.
type listStep struct {
	keeper            keeper[*entryList]
	version           state.Value[[]byte]
	journal, snapshot state.Bag[[]byte]
	rebuilt           int
}

func newListStep(t *testing.T) *listStep {
	s := &listStep{
		version: state.MakeValueState[[]byte]("version"), journal: state.MakeBagState[[]byte]("journal"),
		snapshot: state.MakeBagState[[]byte]("snapshot"),
	}
	s.keeper = keeper[*entryList]{
		step:  t.Name(),
		fresh: func() (*entryList, error) { s.rebuilt++; return &entryList{}, nil },
		decode: func(b []byte) (*entryList, error) {
			s.rebuilt++
			return &entryList{strings.Split(string(b), "\n")}, nil
		},
		replay: func(l *entryList, entry []byte) error { l.entries = append(l.entries, string(entry)); return nil },
	}
	return s
}

// add adds an entry, and returns all.
func (s *listStep) add(p state.Provider, entry string) (all []string, err error) {
	err = s.keeper.apply(p, cells{&s.version, &s.journal, &s.snapshot}, "key", func(l *entryList) ([]byte, error) {
		l.entries = append(l.entries, entry)
		all = slices.Clone(l.entries)
		return []byte(entry), nil
	})
	return all, err
}

// longEntry is one of which few make a snapshot.
func longEntry(i int) string { return fmt.Sprintf("%d:%s", i, strings.Repeat("x", 1<<20)) }

func TestAMachineStaysInTheWorkerAndIsBroughtBackWhereItIsStale(t *testing.T) {
	s, p := newListStep(t), newStateOfKey()
	var want []string
	check := func(got []string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d entries, want %d", len(got), len(want))
		}
	}
	for i := range 20 {
		want = append(want, longEntry(i))
		check(s.add(p, longEntry(i)))
	}
	if s.rebuilt != 1 {
		t.Errorf("the machine was brought back %d times, want once", s.rebuilt)
	}
	if len(p.bags["snapshot"]) == 0 || len(p.bags["journal"]) >= 20 {
		t.Errorf("a snapshot of %d pieces, a journal of %d entries", len(p.bags["snapshot"]), len(p.bags["journal"]))
	}
	// A bundle that fails leaves a machine behind that is ahead of the state.
	failed := p.clone()
	if _, err := s.add(failed, "lost"); err != nil {
		t.Fatal(err)
	}
	want = append(want, "again")
	check(s.add(p, "again"))
	// So does another worker, with as many entries.
	want = append(want, "elsewhere")
	here := p.clone()
	live.take(s.keeper.step, "key")
	check(s.add(p, "elsewhere"))
	want[len(want)-1] = "here"
	check(s.add(here, "here"))
}

func TestAFunctionThatFailsLeavesNoMachineBehind(t *testing.T) {
	s, p := newListStep(t), newStateOfKey()
	if _, err := s.add(p, "a"); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("failed")
	err := s.keeper.apply(p, cells{&s.version, &s.journal, &s.snapshot}, "key", func(l *entryList) ([]byte, error) {
		l.entries = append(l.entries, "half done")
		return nil, failure
	})
	if !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if got, err := s.add(p, "b"); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Fatal(got, err)
	}
}

func TestDamageIsAnErrorAndNeverAnEmptyMachine(t *testing.T) {
	s, whole := newListStep(t), newStateOfKey()
	for i := range 7 {
		if _, err := s.add(whole, longEntry(i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(whole.bags["snapshot"]) < 2 || len(whole.bags["journal"]) < 2 {
		t.Fatalf("a snapshot of %d pieces, a journal of %d entries", len(whole.bags["snapshot"]), len(whole.bags["journal"]))
	}
	for name, damage := range map[string]func(*stateOfKey){
		"no version":          func(s *stateOfKey) { delete(s.values, "version") },
		"version cut short":   func(s *stateOfKey) { s.values["version"] = s.values["version"][:20] },
		"version changed":     func(s *stateOfKey) { s.values["version"][3] ^= 1 },
		"no snapshot":         func(s *stateOfKey) { delete(s.bags, "snapshot") },
		"piece lost":          func(s *stateOfKey) { s.bags["snapshot"] = s.bags["snapshot"][1:] },
		"snapshot changed":    func(s *stateOfKey) { s.bags["snapshot"][1][100] ^= 1 },
		"no journal":          func(s *stateOfKey) { delete(s.bags, "journal") },
		"entry lost":          func(s *stateOfKey) { s.bags["journal"] = s.bags["journal"][1:] },
		"entry changed":       func(s *stateOfKey) { s.bags["journal"][0][100] ^= 1 },
		"entry cut short":     func(s *stateOfKey) { s.bags["journal"][0] = s.bags["journal"][0][:4] },
		"everything but that": func(s *stateOfKey) { s.bags = make(map[string][][]byte) },
	} {
		damaged := whole.clone()
		damage(damaged)
		live.take(s.keeper.step, "key")
		if got, err := s.add(damaged, "more"); err == nil {
			t.Errorf("%s: no error, and %d entries", name, len(got))
		}
	}
}
