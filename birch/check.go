package birch

// Check returns the error that Insert would return for x, or nil for a vector that
// it takes. It changes nothing, but needs the tree to itself as Insert does.
func (t *Tree) Check(x []float32) error {
	_, err := t.vector(x, t.meanBuffer())
	return err
}
