package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

const (
	encodingPlain     = 0
	encodingPlainDict = 2
	encodingRLE       = 3
	encodingRLEDict   = 8
)

// encodings names the encodings of the format by their numbers.
var encodings = []string{
	"PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED",
	"DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
}

func encodingName(n int64) string {
	if n >= 0 && n < int64(len(encodings)) {
		return encodings[n]
	}
	return fmt.Sprintf("number %d", n)
}

// headerWindow is how long a page header may be.
const headerWindow = 64 << 10

// A pageHeader is the part of PageHeader that matters here.
type pageHeader struct {
	kind           int64
	size, packed   int64 // of the page in bytes, unpacked and packed
	crc            int64
	hasCRC         bool
	values         int64 // nulls included
	encoding       int64
	levelEncoding  int64 // of the definition levels, version 1
	defLen, repLen int64 // of the levels in bytes, version 2
	plainBody      bool  // version 2: the values are not packed
}

// readPageHeader reads the header at the front of r and checks its sizes.
func readPageHeader(r *bufio.Reader) (pageHeader, error) {
	window, err := r.Peek(headerWindow)
	if err != nil && !errors.Is(err, io.EOF) {
		return pageHeader{}, fmt.Errorf("reading a page header: %w", err)
	}
	c := &compact{data: window}
	var h pageHeader
	c.fields(h.field(c))
	if c.err != nil {
		return h, fmt.Errorf("%w: reading a page header: %w", errFormat, c.err)
	}
	if _, err := r.Discard(len(window) - len(c.data)); err != nil {
		return h, fmt.Errorf("reading a page header: %w", err)
	}
	return h, h.check()
}

func (h *pageHeader) field(c *compact) func(id int, typ byte) bool {
	into := map[int]*int64{1: &h.kind, 2: &h.size, 3: &h.packed, 4: &h.crc}
	return func(id int, typ byte) bool {
		switch {
		case typ == compactI32 && into[id] != nil:
			*into[id] = c.int()
			h.hasCRC = h.hasCRC || id == 4
		case typ == compactStruct && id == 5:
			h.ints(c, map[int]*int64{1: &h.values, 2: &h.encoding, 3: &h.levelEncoding})
		case typ == compactStruct && id == 7:
			h.ints(c, map[int]*int64{1: &h.values, 2: &h.encoding})
		case typ == compactStruct && id == 8:
			h.ints(c, map[int]*int64{1: &h.values, 4: &h.encoding, 5: &h.defLen, 6: &h.repLen})
		default:
			return false
		}
		return true
	}
}

// ints reads the integers of one of the three kinds of data header, and
// is_compressed, the only boolean there with the id 7.
func (h *pageHeader) ints(c *compact, into map[int]*int64) {
	c.fields(func(id int, typ byte) bool {
		if id == 7 && typ == compactFalse {
			h.plainBody = true
		}
		if into[id] == nil || typ != compactI32 {
			return false
		}
		*into[id] = c.int()
		return true
	})
}

func (h *pageHeader) check() error {
	switch {
	case h.size < 0 || h.packed < 0 || h.values < 0 || h.defLen < 0 || h.repLen < 0:
		return fmt.Errorf("%w: a page header with a negative size", errFormat)
	case h.size > maxPageBytes || h.packed > maxPageBytes:
		return fmt.Errorf("a page of %d bytes, over the limit of %d; write the file with smaller pages", max(h.size, h.packed), maxPageBytes)
	case h.defLen > h.packed || h.repLen > h.packed-h.defLen:
		return fmt.Errorf("%w: levels longer than their page", errFormat)
	}
	return nil
}

// readPage reads the packed page that follows its header.
func readPage(r io.Reader, h pageHeader) ([]byte, error) {
	page, err := io.ReadAll(io.LimitReader(r, h.packed))
	if err != nil {
		return nil, fmt.Errorf("reading a page: %w", err)
	}
	if int64(len(page)) < h.packed {
		return nil, fmt.Errorf("%w: a page runs past the end of its column", errFormat)
	}
	if h.hasCRC && crc32.ChecksumIEEE(page) != uint32(h.crc) {
		return nil, fmt.Errorf("%w: a page does not match its checksum", errFormat)
	}
	return page, nil
}

// splitLevels parts an unpacked page of version 1 into definition levels,
// present in optional columns only, and values.
func splitLevels(page []byte, h pageHeader, optional bool) (levels, values []byte, err error) {
	if !optional {
		return nil, page, nil
	}
	if h.levelEncoding != encodingRLE {
		return nil, nil, fmt.Errorf("definition levels are encoded as %s; RLE can be read", encodingName(h.levelEncoding))
	}
	if len(page) < 4 {
		return nil, nil, fmt.Errorf("%w: a page without levels", errFormat)
	}
	n := binary.LittleEndian.Uint32(page)
	page = page[4:]
	if uint64(n) > uint64(len(page)) {
		return nil, nil, fmt.Errorf("%w: levels longer than their page", errFormat)
	}
	return page[:n], page[n:], nil
}
