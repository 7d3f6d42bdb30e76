package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Types of the compact protocol.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
const (
	compactTrue   = 1
	compactFalse  = 2
	compactByte   = 3
	compactI16    = 4
	compactI32    = 5
	compactI64    = 6
	compactDouble = 7
	compactBinary = 8
	compactList   = 9
	compactSet    = 10
	compactMap    = 11
	compactStruct = 12
)

// maxDepth bounds how deep structures may nest.
const maxDepth = 32

var errNesting = errors.New("structures nest too deep")

// A compact reads the compact protocol of Thrift from memory. The first error
// sticks: reads after it return zero values. No length that the input states
// is believed before as many bytes are there, and nothing is copied.
type compact struct {
	data  []byte
	err   error
	depth int
}

func (c *compact) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.data = nil
}

func (c *compact) take(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.fail(io.ErrUnexpectedEOF)
		return nil
	}
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

func (c *compact) byte() byte {
	if b := c.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (c *compact) uvarint() uint64 {
	v, n := binary.Uvarint(c.data)
	if n <= 0 {
		c.fail(io.ErrUnexpectedEOF)
		return 0
	}
	c.data = c.data[n:]
	return v
}

// int reads an integer of any width.
func (c *compact) int() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// binary reads a string; it lies in the input.
func (c *compact) binary() []byte { return c.take(c.uvarint()) }

// list reads the head of a list: the number of elements, each of which takes
// at least one of the bytes left, and their type.
func (c *compact) list() (n int, typ byte) {
	head := c.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = c.uvarint()
	}
	if size > uint64(len(c.data)) {
		c.fail(fmt.Errorf("a list of %d elements in %d bytes", size, len(c.data)))
		return 0, 0
	}
	return int(size), head & 15
}

// structs reads a list of structures, calling element for each.
func (c *compact) structs(element func(*compact)) {
	n, typ := c.list()
	if n > 0 && typ != compactStruct {
		c.fail(fmt.Errorf("a list of type %d where structures belong", typ))
	}
	for range n {
		if c.err != nil {
			return
		}
		element(c)
	}
}

// fields reads a structure. For every field it calls field, which reads the
// value and returns true, or returns false to have it skipped.
func (c *compact) fields(field func(id int, typ byte) bool) {
	if c.depth++; c.depth > maxDepth {
		c.fail(errNesting)
	}
	defer func() { c.depth-- }()
	for id := 0; c.err == nil; {
		head := c.byte()
		typ := head & 15
		if typ == 0 {
			return
		}
		if delta := int(head >> 4); delta != 0 {
			id += delta
		} else {
			id = int(int16(c.int()))
		}
		if !field(id, typ) {
			c.skip(typ)
		}
	}
}

// skip reads over a value of a structure's field.
func (c *compact) skip(typ byte) {
	switch typ {
	case compactTrue, compactFalse:
	case compactByte:
		c.take(1)
	case compactI16, compactI32, compactI64:
		c.uvarint()
	case compactDouble:
		c.take(8)
	case compactBinary:
		c.binary()
	case compactList, compactSet:
		n, elem := c.list()
		c.skipElements(n, elem)
	case compactMap:
		c.skipMap()
	case compactStruct:
		c.fields(func(int, byte) bool { return false })
	default:
		c.fail(fmt.Errorf("unknown type %d", typ))
	}
}

func (c *compact) skipMap() {
	n := c.uvarint()
	if n == 0 {
		return
	}
	types := c.byte()
	for range min(n, uint64(len(c.data))) {
		c.skipElements(1, types>>4)
		c.skipElements(1, types&15)
	}
}

// skipElements reads over elements of a list or a map, whose booleans, unlike
// those of a field, take a byte.
func (c *compact) skipElements(n int, typ byte) {
	if c.depth++; c.depth > maxDepth {
		c.fail(errNesting)
	}
	defer func() { c.depth-- }()
	if typ == compactTrue || typ == compactFalse {
		typ = compactByte
	}
	for range n {
		if c.err != nil {
			return
		}
		c.skip(typ)
	}
}
