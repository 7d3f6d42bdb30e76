package birch

import "iter"

// Spilled yields the entries that are kept beside the tree, in no order that means
// anything: outliers that a rebuild moved out and vectors that wait for one. Their ids,
// by which Entry and Remove find them, stay when they return; one that a leaf entry
// absorbs is reported as a merge.
func (t *Tree) Spilled() iter.Seq[Entry] { return t.spill.all() }

// Readmit returns all spilled entries to the tree, for the end of a stream: each is
// absorbed by the nearest leaf entry or becomes one, for which the tree is rebuilt where
// it is full. It returns the merges.
func (t *Tree) Readmit() []Merge {
	spilled := t.spill
	t.spill = newRoster(t.config.Dim, t.config.SpillLimit)
	var merges []Merge
	for slot, id := range spilled.ids {
		f := spilled.at(int32(slot))
		near, absorbs := t.guardedLookup(&f)
		if !absorbs && t.isFull() {
			merges = append(merges, t.shrink()...)
			near, absorbs = t.guardedLookup(&f)
		}
		if absorbs {
			merges = append(merges, t.join(near, &f, id))
		} else {
			t.create(near, &f, id)
		}
	}
	return merges
}

// delays reports whether x, for which the tree has no room, shall wait for a rebuild.
func (t *Tree) delays() bool {
	return t.config.DelaySplits && t.spill.len() < t.config.SpillLimit
}

// spillOutliers moves entries that are light out of the tree while the spill has
// room.
func (t *Tree) spillOutliers() {
	floor, before := t.outlierWeight(), t.Len()
	for slot := int32(0); int(slot) < t.Len() && t.spill.len() < t.config.SpillLimit; {
		f := t.entries.at(slot)
		if f.n >= floor {
			slot++
			continue
		}
		t.spill.enrol(&f, t.entries.ids[slot])
		t.unlink(slot) // another entry has the slot now
	}
	if t.Len() < before {
		t.shrinkRoot()
		t.sumAll()
	}
}

// outlierWeight returns the weight below which an entry is light: the configured
// share of the mean weight of a leaf entry.
func (t *Tree) outlierWeight() float64 {
	var sum float64
	for slot := range t.entries.moments {
		sum += t.entries.moments[slot].n
	}
	return t.config.OutlierShare * sum / float64(max(1, t.Len()))
}

// retry returns spilled entries to the tree that a leaf entry absorbs, or that are not
// light while there is room, and returns the merges.
func (t *Tree) retry() []Merge {
	var merges []Merge
	floor := t.outlierWeight()
	most := int(mostKept * float64(t.config.MaxEntries))
	for slot := int32(0); int(slot) < t.spill.len(); {
		f, id := t.spill.at(slot), t.spill.ids[slot]
		near, absorbs := t.guardedLookup(&f)
		switch {
		case absorbs:
			merges = append(merges, t.join(near, &f, id))
		case f.n >= floor && t.Len() < most && !t.isFull():
			t.create(near, &f, id)
		default:
			slot++
			continue
		}
		t.spill.strike(slot) // another entry has the slot now
	}
	return merges
}
