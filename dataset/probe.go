package dataset

// countBytes is the size up to which a file is read to count its items.
const countBytes = 8 << 20

// probe reads ahead what is cheap to read: the whole collection if it is
// small, else the first item. It sets Total and returns the errors that would
// end the iteration.
func (c *Collection) probe() error {
	size := int64(0)
	for _, s := range c.sources {
		if s.size == unknownSize {
			return c.first()
		}
		size += s.size
	}
	if size > countBytes {
		return c.first()
	}
	return c.count()
}

// count reads all, past the limit too, so that an unknown class is found.
func (c *Collection) count() error {
	unlimited := *c
	unlimited.limit = 0
	for _, err := range unlimited.Items() {
		if !passable(err) {
			return err
		}
		if err == nil {
			c.Total++
		}
	}
	if c.limit > 0 {
		c.Total = min(c.Total, int64(c.limit))
	}
	return nil
}

// first reads the first item of a file that can be read again.
func (c *Collection) first() error {
	if !c.sources[0].again {
		return nil
	}
	for _, err := range c.all() {
		if err == nil {
			return nil
		}
		if !passable(err) {
			return err
		}
	}
	return nil
}
