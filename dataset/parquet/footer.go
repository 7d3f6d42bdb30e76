package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A physicalType is how values of a column are stored.
type physicalType int64

const (
	booleanType   physicalType = 0
	int32Type     physicalType = 1
	int64Type     physicalType = 2
	floatType     physicalType = 4
	doubleType    physicalType = 5
	byteArrayType physicalType = 6
)

const (
	optionalField = 1
	repeatedField = 2
)

// A rowGroup holds the same rows of every column.
type rowGroup struct {
	rows   int64
	chunks []chunk // one for each leaf of the schema
}

// A chunk is the pages of one column in one row group.
type chunk struct {
	external   bool // in another file
	codec      int64
	values     int64
	bytes      int64 // packed, headers and dictionary included
	data, dict int64 // offsets of the first data page and the dictionary; dict may be 0
}

// start is the offset of the chunk's first page.
func (c chunk) start() int64 {
	if c.dict > 0 && c.dict < c.data {
		return c.dict
	}
	return c.data
}

// An element is a node of the schema, which is stored depth first.
type element struct {
	name       string
	kind       physicalType
	leaf       bool
	repetition int64
	children   int64
}

// footer reads the bytes of the file's metadata.
func (f *File) footer() ([]byte, error) {
	var tail [8]byte
	if f.size < int64(len(magic)+len(tail)) {
		return nil, fmt.Errorf("%w: %d bytes long", errFormat, f.size)
	}
	if _, err := f.r.ReadAt(tail[:], f.size-int64(len(tail))); err != nil {
		return nil, fmt.Errorf("reading the end: %w", err)
	}
	if string(tail[4:]) == "PARE" {
		return nil, fmt.Errorf("the file is encrypted")
	}
	if string(tail[4:]) != magic {
		return nil, fmt.Errorf("%w: it does not end in %s, so it may be cut off", errFormat, magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4]))
	start := f.size - int64(len(tail)) - n
	if start < int64(len(magic)) {
		return nil, fmt.Errorf("%w: a footer of %d bytes in a file of %d", errFormat, n, f.size)
	}
	if n > maxFooterBytes {
		return nil, fmt.Errorf("a footer of %d bytes, over the limit of %d", n, maxFooterBytes)
	}
	footer := make([]byte, n)
	if _, err := f.r.ReadAt(footer, start); err != nil {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	return footer, nil
}

// parseFooter reads the structure FileMetaData.
func (f *File) parseFooter(footer []byte) error {
	c := &compact{data: footer}
	var schema []element
	f.Metadata = map[string]string{}
	c.fields(func(id int, typ byte) bool {
		switch {
		case id == 2 && typ == compactList:
			c.structs(func(c *compact) { schema = append(schema, readElement(c)) })
		case id == 4 && typ == compactList:
			c.structs(func(c *compact) { f.groups = append(f.groups, readRowGroup(c)) })
		case id == 5 && typ == compactList:
			c.structs(f.readKeyValue)
		default:
			return false
		}
		return true
	})
	if c.err != nil {
		return fmt.Errorf("%w: %w", errFormat, c.err)
	}
	leaves, err := f.setColumns(schema)
	if err != nil {
		return err
	}
	return f.checkGroups(leaves)
}

func (f *File) readKeyValue(c *compact) {
	var key, value string
	c.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == compactBinary:
			key = string(c.binary())
		case id == 2 && typ == compactBinary:
			value = string(c.binary())
		default:
			return false
		}
		return true
	})
	f.Metadata[key] = value
}

// readElement reads a SchemaElement.
func readElement(c *compact) element {
	var e element
	c.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == compactI32:
			e.kind, e.leaf = physicalType(c.int()), true
		case id == 3 && typ == compactI32:
			e.repetition = c.int()
		case id == 4 && typ == compactBinary:
			e.name = string(c.binary())
		case id == 5 && typ == compactI32:
			e.children = c.int()
		default:
			return false
		}
		return true
	})
	return e
}

// readRowGroup reads a RowGroup.
func readRowGroup(c *compact) rowGroup {
	var g rowGroup
	c.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == compactList:
			c.structs(func(c *compact) { g.chunks = append(g.chunks, readChunk(c)) })
		case id == 3 && typ == compactI64:
			g.rows = c.int()
		default:
			return false
		}
		return true
	})
	return g
}

// readChunk reads a ColumnChunk and the ColumnMetaData in it.
func readChunk(c *compact) chunk {
	var k chunk
	c.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == compactBinary:
			k.external = len(c.binary()) > 0
		case id == 3 && typ == compactStruct:
			k.readMetadata(c)
		default:
			return false
		}
		return true
	})
	return k
}

func (k *chunk) readMetadata(c *compact) {
	into := map[int]*int64{4: &k.codec, 5: &k.values, 7: &k.bytes, 9: &k.data, 11: &k.dict}
	c.fields(func(id int, typ byte) bool {
		field, ok := into[id]
		if !ok || typ != compactI32 && typ != compactI64 {
			return false
		}
		*field = c.int()
		return true
	})
}

// setColumns finds the columns of the top level and returns the number of
// leaves of the whole schema.
func (f *File) setColumns(schema []element) (leaves int, err error) {
	if len(schema) == 0 {
		return 0, fmt.Errorf("%w: no schema", errFormat)
	}
	// open counts the children still to come of every group we are in.
	open := []int64{schema[0].children}
	for _, e := range schema[1:] {
		for len(open) > 0 && open[len(open)-1] == 0 {
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			return 0, fmt.Errorf("%w: the schema has elements outside its root", errFormat)
		}
		open[len(open)-1]--
		if e.leaf {
			if len(open) == 1 && e.readable() {
				f.Columns = append(f.Columns, e.column(leaves))
			}
			leaves++
			continue
		}
		if e.children < 0 || e.children > int64(len(schema)) {
			return 0, fmt.Errorf("%w: the group %q has %d children", errFormat, e.name, e.children)
		}
		open = append(open, e.children)
	}
	return leaves, nil
}

// readable says whether the values of a leaf can be read.
func (e element) readable() bool {
	switch e.kind {
	case booleanType, int32Type, int64Type, floatType, doubleType, byteArrayType:
		return e.repetition != repeatedField
	}
	return false
}

func (e element) column(leaf int) Column {
	return Column{
		Name:     e.name,
		Integer:  e.kind == int32Type || e.kind == int64Type,
		kind:     e.kind,
		optional: e.repetition == optionalField,
		leaf:     leaf,
	}
}

// checkGroups holds every row group to the schema and the columns' chunks to
// the file's size.
func (f *File) checkGroups(leaves int) error {
	for i, g := range f.groups {
		if g.rows < 0 || g.rows > math.MaxInt64-f.Rows {
			return fmt.Errorf("%w: row group %d has %d rows", errFormat, i, g.rows)
		}
		if len(g.chunks) != leaves {
			return fmt.Errorf("%w: row group %d has %d columns, the schema %d", errFormat, i, len(g.chunks), leaves)
		}
		for _, c := range f.Columns {
			if err := f.checkChunk(g, g.chunks[c.leaf]); err != nil {
				return fmt.Errorf("row group %d, column %q: %w", i, c.Name, err)
			}
		}
		f.Rows += g.rows
	}
	return nil
}

func (f *File) checkChunk(g rowGroup, k chunk) error {
	switch {
	case k.external:
		return fmt.Errorf("the column is in another file")
	case k.values != g.rows:
		return fmt.Errorf("%w: %d values in %d rows", errFormat, k.values, g.rows)
	case k.data < 0 || k.dict < 0 || k.bytes < 0 || k.start() > f.size || k.bytes > f.size-k.start():
		return fmt.Errorf("%w: %d bytes at %d are outside the file", errFormat, k.bytes, k.start())
	}
	return nil
}
