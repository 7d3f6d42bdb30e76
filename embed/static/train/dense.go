package train

// A dense matrix holds rows of width values one after the other.
type dense struct {
	values []float32
	width  int
}

func newDense(rows, width int) dense {
	return dense{make([]float32, rows*width), width}
}

func (d dense) row(i int) []float32 { return d.values[i*d.width : (i+1)*d.width] }

func (d dense) rows() int { return len(d.values) / d.width }

// addScaled adds a*x to dst. The conversion keeps the compiler from fusing the
// product with the sum, so that the bits do not depend on the processor.
func addScaled(dst, x []float32, a float32) {
	for len(dst) >= 4 && len(x) >= 4 {
		d, s := (*[4]float32)(dst), (*[4]float32)(x)
		d[0] += float32(a * s[0])
		d[1] += float32(a * s[1])
		d[2] += float32(a * s[2])
		d[3] += float32(a * s[3])
		dst, x = dst[4:], x[4:]
	}
	for i := range dst {
		dst[i] += float32(a * x[i])
	}
}

// A square matrix is small and in double precision.
type square [][]float64

func newSquare(n int) square {
	values := make([]float64, n*n)
	s := make(square, n)
	for i := range s {
		s[i] = values[i*n : (i+1)*n]
	}
	return s
}

// gram returns the products of the columns of a with those of b, the sums over
// the rows i of a[i][p]*b[i][q], where that matrix is symmetric.
func gram(a, b dense) square {
	parts := make([]square, chunks(a.rows()))
	eachChunk(a.rows(), func(chunk, from, to int) {
		part := newSquare(a.width)
		wide := make([]float64, b.width)
		for i := from; i < to; i++ {
			widen(wide, b.row(i))
			for p, x := range a.row(i) {
				addScaled64(part[p][p:], wide[p:], float64(x))
			}
		}
		parts[chunk] = part
	})
	sum := newSquare(a.width)
	for _, part := range parts {
		for p := range sum {
			addScaled64(sum[p], part[p], 1)
		}
	}
	for p := range sum {
		for q := range p {
			sum[p][q] = sum[q][p]
		}
	}
	return sum
}

func widen(dst []float64, x []float32) {
	for i, v := range x {
		dst[i] = float64(v)
	}
}

func addScaled64(dst, x []float64, a float64) {
	for len(dst) >= 4 && len(x) >= 4 {
		d, s := (*[4]float64)(dst), (*[4]float64)(x)
		d[0] += float64(a * s[0])
		d[1] += float64(a * s[1])
		d[2] += float64(a * s[2])
		d[3] += float64(a * s[3])
		dst, x = dst[4:], x[4:]
	}
	for i := range dst {
		dst[i] += float64(a * x[i])
	}
}

// mapped returns the rows of d times m, which has d.width rows.
func (d dense) mapped(m square) dense {
	out := newDense(d.rows(), len(m[0]))
	eachChunk(d.rows(), func(_, from, to int) {
		sum := make([]float64, out.width)
		for i := from; i < to; i++ {
			clear(sum)
			for p, x := range d.row(i) {
				addScaled64(sum, m[p], float64(x))
			}
			for q, x := range sum {
				out.row(i)[q] = float32(x)
			}
		}
	})
	return out
}
