package eval

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func vectorFile(t testing.TB, content []byte) string {
	name := filepath.Join(t.TempDir(), "rows.f32")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func littleEndian(values ...float32) (raw []byte) {
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return raw
}

// rows reads all vectors of a file and returns the error that ended it.
func rows(t testing.TB, name string, dim int) (vectors [][]float32, end error) {
	f, err := OpenVectors(name, dim)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	for {
		vector, err := f.Next()
		if err != nil {
			return vectors, err
		}
		vectors = append(vectors, vector)
	}
}

func TestRowsComeAtLengthOne(t *testing.T) {
	vectors, end := rows(t, vectorFile(t, littleEndian(3, 4, 0, 0, 0, -1e30, 1e-30, 0, 0)), 3)
	if !errors.Is(end, io.EOF) || len(vectors) != 3 {
		t.Fatalf("%d rows, then %v", len(vectors), end)
	}
	for i, want := range [][]float32{{0.6, 0.8, 0}, {0, 0, -1}, {1, 0, 0}} {
		for j := range want {
			if math.Abs(float64(vectors[i][j]-want[j])) > 1e-6 {
				t.Errorf("row %d is %v, want %v", i+1, vectors[i], want)
			}
		}
	}
}

func TestBadVectorsAreNamed(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for want, c := range map[string]struct {
		content []byte
		dim     int
	}{
		"row 2: value 2 of the vector is NaN":              {littleEndian(1, 2, 3, nan), 2},
		"row 1: value 1 of the vector is -Inf":             {littleEndian(inf, 2, 3, 4), 2},
		"row 2: the vector has only zeros":                 {littleEndian(1, 2, 0, 0), 2},
		"12 bytes are not whole vectors of 2":              {littleEndian(1, 2, 3), 2},
		"5 bytes are not whole vectors of 1":               {[]byte("hello"), 1},
		"the dimension must be from 1 to 65536":            {nil, 0},
		"vectors of 70000 values; the dimension must be":   {nil, 70000},
		"vectors of -1 values; the dimension must be from": {nil, -1},
	} {
		name := vectorFile(t, c.content)
		if _, err := rows(t, name, c.dim); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q and the file's name", err, want)
		}
	}
	if _, err := OpenVectors(t.TempDir(), 2); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := OpenVectors(filepath.Join(t.TempDir(), "none.f32"), 2); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzVectors(f *testing.F) {
	f.Add(littleEndian(1, 2, 3, 4), 2)
	f.Add(littleEndian(0, float32(math.Inf(1)), 1e38, 1e-45), 1)
	f.Add([]byte{1, 2, 3}, 3)
	f.Fuzz(func(t *testing.T, content []byte, dim int) {
		vectors, _ := rows(t, vectorFile(t, content), dim)
		for _, vector := range vectors {
			square := 0.0
			for _, v := range vector {
				square += float64(v) * float64(v)
			}
			if !(math.Abs(square-1) < 1e-5) || len(vector) != dim {
				t.Fatalf("a row of %d values has the squared length %v", len(vector), square)
			}
		}
	})
}
