package birch

import "iter"

// A roster is an arena of cluster features that have ids.
type roster struct {
	features
	// ids are the names of the slots, and slots is the inverse of ids.
	ids   []ID
	slots map[ID]int32
	// limit is how many there will be at most.
	limit int
}

func newRoster(dim, limit int) roster {
	return roster{features: features{dim: dim}, slots: make(map[ID]int32), limit: limit}
}

// enrol appends a copy of x under an id that is not in use and returns its slot.
func (r *roster) enrol(x *feature, id ID) int32 {
	r.grow(r.limit)
	slot := r.add(x)
	r.ids = append(r.ids, id)
	r.slots[id] = slot
	return slot
}

// rename gives a slot another id, which is not in use.
func (r *roster) rename(slot int32, id ID) {
	delete(r.slots, r.ids[slot])
	r.ids[slot], r.slots[id] = id, slot
}

// strike takes a slot out. The last slot takes its place and its number.
func (r *roster) strike(slot int32) {
	last := int32(r.len() - 1)
	delete(r.slots, r.ids[slot])
	if slot != last {
		r.ids[slot] = r.ids[last]
		r.slots[r.ids[slot]] = slot
	}
	r.ids = r.ids[:last]
	r.moveLast(slot)
}

// all yields what is in the slots, in their order.
func (r *roster) all() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for slot := range r.ids {
			if !yield(r.entry(int32(slot))) {
				return
			}
		}
	}
}

func (r *roster) entry(slot int32) Entry {
	m := &r.moments[slot]
	return Entry{r.ids[slot], m.n, r.row(slot), m.s}
}
