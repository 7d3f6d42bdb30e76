package dataset

import (
	"fmt"
	"maps"
	"slices"
)

// maxSeen bounds how many labels are remembered for an error message.
const maxSeen = 100

// A filter keeps the items of some classes and remembers what it saw.
type filter struct {
	wanted map[string]bool // whether an item of the class came; nil keeps all
	seen   map[string]bool
}

func newFilter(classes []string) *filter {
	f := &filter{seen: map[string]bool{}}
	if classes != nil {
		f.wanted = map[string]bool{}
	}
	for _, class := range classes {
		f.wanted[class] = false
	}
	return f
}

func (f *filter) item(item Item) bool {
	if f.wanted == nil {
		return true
	}
	if came, ok := f.wanted[item.Label]; ok {
		if !came {
			f.wanted[item.Label] = true
		}
		return true
	}
	if len(f.seen) < maxSeen {
		f.seen[item.Label] = true
	}
	return false
}

// missing returns an error if a class was asked for that no item has. It is
// to be called after the last item.
func (f *filter) missing() error {
	for _, class := range slices.Sorted(maps.Keys(f.wanted)) {
		if !f.wanted[class] {
			return unknownClass(class, f.classes())
		}
	}
	return nil
}

// classes returns the labels that came, as far as they are remembered.
func (f *filter) classes() []string {
	all := maps.Clone(f.seen)
	for class, came := range f.wanted {
		if came {
			all[class] = true
		}
	}
	delete(all, "")
	return slices.Sorted(maps.Keys(all))
}

func unknownClass(class string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("unknown class %q; the items have no labels", class)
	}
	return fmt.Errorf("unknown class %q; there are %s", class, list(known))
}
