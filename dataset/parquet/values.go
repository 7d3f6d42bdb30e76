package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
)

// values yields the values of a page, without the nulls, as text.
type values interface {
	next() (string, error)
}

// A plain reads PLAIN values of a kind: byte arrays as they are, whole numbers
// in decimal, booleans as true and false.
type plain struct {
	kind physicalType
	data []byte
	bit  uint64 // of a boolean page
}

func (p *plain) next() (string, error) {
	switch p.kind {
	case byteArrayType:
		b, err := p.bytes()
		return string(b), err
	case booleanType:
		return p.boolean()
	case int32Type, floatType:
		b, err := p.take(4)
		if err != nil {
			return "", err
		}
		return p.number(uint64(binary.LittleEndian.Uint32(b))), nil
	case int64Type, doubleType:
		b, err := p.take(8)
		if err != nil {
			return "", err
		}
		return p.number(binary.LittleEndian.Uint64(b)), nil
	}
	return "", fmt.Errorf("values of physical type %d cannot be read", p.kind)
}

func (p *plain) number(u uint64) string {
	switch p.kind {
	case int32Type:
		return strconv.FormatInt(int64(int32(u)), 10)
	case floatType:
		return strconv.FormatFloat(float64(math.Float32frombits(uint32(u))), 'g', -1, 32)
	case doubleType:
		return strconv.FormatFloat(math.Float64frombits(u), 'g', -1, 64)
	}
	return strconv.FormatInt(int64(u), 10)
}

func (p *plain) boolean() (string, error) {
	if p.bit >= 8*uint64(len(p.data)) {
		return "", io.ErrUnexpectedEOF
	}
	v := bits(p.data, p.bit, 1)
	p.bit++
	return strconv.FormatBool(v == 1), nil
}

// bytes reads a byte array, which lies in the page.
func (p *plain) bytes() ([]byte, error) {
	b, err := p.take(4)
	if err != nil {
		return nil, err
	}
	return p.take(uint64(binary.LittleEndian.Uint32(b)))
}

func (p *plain) take(n uint64) ([]byte, error) {
	if n > uint64(len(p.data)) {
		return nil, io.ErrUnexpectedEOF
	}
	b := p.data[:n]
	p.data = p.data[n:]
	return b, nil
}

// A dictionary holds the different values of a chunk. A value is made when it
// is looked up: the page takes 4 bytes a value at least, strings more.
type dictionary struct {
	kind    physicalType
	page    []byte
	offsets []uint32 // where in page each value begins
}

// newDictionary reads a dictionary page of n PLAIN values.
func newDictionary(kind physicalType, page []byte, n int64) (*dictionary, error) {
	if n > int64(len(page))/4 {
		return nil, fmt.Errorf("%w: a dictionary of %d values in %d bytes", errFormat, n, len(page))
	}
	d := &dictionary{kind: kind, page: page, offsets: make([]uint32, n)}
	p := &plain{kind: kind, data: page}
	for i := range d.offsets {
		d.offsets[i] = uint32(len(page) - len(p.data))
		if err := p.skip(); err != nil {
			return nil, fmt.Errorf("%w: reading value %d of a dictionary: %w", errFormat, i, err)
		}
	}
	return d, nil
}

func (p *plain) skip() error {
	var err error
	switch p.kind {
	case byteArrayType:
		_, err = p.bytes()
	case int32Type, floatType:
		_, err = p.take(4)
	case int64Type, doubleType:
		_, err = p.take(8)
	default:
		err = fmt.Errorf("a dictionary of physical type %d", p.kind)
	}
	return err
}

// indexed reads values that are indexes into a dictionary.
type indexed struct {
	dict    *dictionary
	indexes hybrid
}

func newIndexed(dict *dictionary, data []byte) (*indexed, error) {
	if dict == nil {
		return nil, fmt.Errorf("%w: dictionary indexes without a dictionary", errFormat)
	}
	if len(data) == 0 {
		// A page of nulls alone.
		return &indexed{dict: dict}, nil
	}
	if data[0] > 32 {
		return nil, fmt.Errorf("%w: dictionary indexes of %d bits", errFormat, data[0])
	}
	return &indexed{dict: dict, indexes: hybrid{data: data[1:], width: uint(data[0])}}, nil
}

func (x *indexed) next() (string, error) {
	i, err := x.indexes.next()
	if err != nil {
		return "", err
	}
	if int64(i) >= int64(len(x.dict.offsets)) {
		return "", fmt.Errorf("value %d of a dictionary of %d", i, len(x.dict.offsets))
	}
	p := plain{kind: x.dict.kind, data: x.dict.page[x.dict.offsets[i]:]}
	return p.next()
}
