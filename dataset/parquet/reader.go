package parquet

import (
	"bufio"
	"fmt"
	"io"
)

// A Reader reads a column's values from the first row to the last. It holds a
// page and a dictionary at a time.
type Reader struct {
	file   *File
	column Column

	group  int           // the next row group
	chunk  chunk         // the pages being read
	pages  *bufio.Reader // over chunk
	left   int64         // values left in chunk
	unpack unpacker
	dict   *dictionary

	inPage int64   // values left in the page, nulls included
	levels *hybrid // 1 where there is a value; nil where every row has one
	values values
}

// Next returns the value of the next row as text: byte arrays as they are,
// numbers in decimal, "" for a null. The error is io.EOF after the last row.
// No error is passed by calling Next again.
func (r *Reader) Next() (string, error) {
	for r.inPage == 0 {
		if err := r.advance(); err != nil {
			return "", err
		}
	}
	v, err := r.value()
	if err != nil {
		return "", r.wrap(fmt.Errorf("%w: %w", errFormat, err))
	}
	r.inPage--
	r.left--
	return v, nil
}

func (r *Reader) value() (string, error) {
	if r.levels != nil {
		present, err := r.levels.next()
		if err != nil || present == 0 {
			return "", err
		}
	}
	return r.values.next()
}

func (r *Reader) wrap(err error) error {
	return fmt.Errorf("row group %d, column %q: %w", r.group-1, r.column.Name, err)
}

// advance goes to the next page that may hold values.
func (r *Reader) advance() error {
	if r.left > 0 {
		if err := r.nextPage(); err != nil {
			return r.wrap(err)
		}
		return nil
	}
	if r.group == len(r.file.groups) {
		return io.EOF
	}
	r.chunk = r.file.groups[r.group].chunks[r.column.leaf]
	r.group++
	r.left = r.chunk.values
	r.dict = nil
	section := io.NewSectionReader(r.file.r, r.chunk.start(), r.chunk.bytes)
	r.pages = bufio.NewReaderSize(section, headerWindow)
	return nil
}

func (r *Reader) nextPage() error {
	h, err := readPageHeader(r.pages)
	if err != nil {
		return err
	}
	packed, err := readPage(r.pages, h)
	if err != nil {
		return err
	}
	switch h.kind {
	case dataPage:
		return r.dataPage(h, packed)
	case dataPageV2:
		return r.dataPageV2(h, packed)
	case dictionaryPage:
		return r.dictionaryPage(h, packed)
	}
	return nil // an index page, which holds no values
}

func (r *Reader) dictionaryPage(h pageHeader, packed []byte) error {
	if r.dict != nil {
		return fmt.Errorf("%w: two dictionaries", errFormat)
	}
	page, err := r.unpack.unpack(r.chunk.codec, packed, int(h.size))
	if err != nil {
		return err
	}
	r.dict, err = newDictionary(r.column.kind, page, h.values)
	return err
}

func (r *Reader) dataPage(h pageHeader, packed []byte) error {
	page, err := r.unpack.unpack(r.chunk.codec, packed, int(h.size))
	if err != nil {
		return err
	}
	levels, body, err := splitLevels(page, h, r.column.optional)
	if err != nil {
		return err
	}
	return r.begin(h, levels, body)
}

// dataPageV2 reads a page whose levels come first and are never packed.
func (r *Reader) dataPageV2(h pageHeader, packed []byte) error {
	levels, body := packed[h.repLen:h.repLen+h.defLen], packed[h.repLen+h.defLen:]
	if !h.plainBody {
		var err error
		size := h.size - h.repLen - h.defLen
		if size < 0 {
			return fmt.Errorf("%w: levels longer than their page", errFormat)
		}
		if body, err = r.unpack.unpack(r.chunk.codec, body, int(size)); err != nil {
			return err
		}
	}
	return r.begin(h, levels, body)
}

// begin makes a data page the one that is read from.
func (r *Reader) begin(h pageHeader, levels, body []byte) error {
	if h.values > r.left {
		return fmt.Errorf("%w: more values in the pages than in the column", errFormat)
	}
	switch h.encoding {
	case encodingPlain:
		r.values = &plain{kind: r.column.kind, data: body}
	case encodingPlainDict, encodingRLEDict:
		x, err := newIndexed(r.dict, body)
		if err != nil {
			return err
		}
		r.values = x
	default:
		return fmt.Errorf("values are encoded as %s; PLAIN and dictionary can be read", encodingName(h.encoding))
	}
	r.inPage, r.levels = h.values, nil
	if r.column.optional {
		r.levels = &hybrid{data: levels, width: 1}
	}
	return nil
}
