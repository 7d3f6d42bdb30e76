//go:build !amd64 || purego

package kernel

const best = Generic

// loops returns the inner loops of p.
func (p Path) loops() *loops { return &generic }
