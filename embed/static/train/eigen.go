package train

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// oversampling is how many more directions than asked for the subspace holds,
// so that the last ones asked for are found well.
const oversampling = 20

// leading returns the c.Dim eigenvalues of largest size of the symmetric matrix
// m, largest first, and the eigenvectors as columns.
//
// It is randomised subspace iteration (Halko, Martinsson and Tropp, "Finding
// structure with randomness", 2011, algorithm 4.4), for a symmetric matrix: a
// random subspace is multiplied with m again and again and made orthonormal
// between.
func leading(ctx context.Context, m *sparse, c Config, done func(iteration int)) ([]float64, dense, error) {
	n := len(m.columns)
	width := min(n, c.Dim+oversampling)
	random := rand.New(rand.NewPCG(c.Seed, 0))
	q, y := newDense(n, width), newDense(n, width)
	for i := range q.values {
		q.values[i] = float32(random.NormFloat64())
	}
	for i := range c.Iterations {
		m.times(y, q)
		q = orthonormal(y)
		done(i + 1)
		if err := ctx.Err(); err != nil {
			return nil, q, err
		}
	}
	q = orthonormal(q) // once more, for precision
	m.times(y, q)
	values, vectors := eigen(gram(q, y))
	for i := range vectors {
		vectors[i] = vectors[i][:c.Dim]
	}
	done(c.Iterations + 1)
	return values[:c.Dim], q.mapped(vectors), nil
}

// orthonormal returns a matrix whose columns are orthonormal and span what those
// of y do: y times the inverse of the Cholesky factor of y'y.
func orthonormal(y dense) dense { return y.mapped(inverse(cholesky(gram(y, y)))) }

// cholesky returns the upper triangular r with r'r = g, for a positive definite
// g. Where g has lost a direction, r has an infinite diagonal value, whose
// inverse leaves the direction out.
func cholesky(g square) square {
	r := newSquare(len(g))
	for i := range r {
		copy(r[i][i:], g[i][i:])
		for k := range i {
			addScaled64(r[i][i:], r[k][i:], -r[k][i])
		}
		if r[i][i] <= 1e-12*g[i][i] {
			clear(r[i])
			r[i][i] = math.Inf(1)
			continue
		}
		root := math.Sqrt(r[i][i])
		for j := i; j < len(r); j++ {
			r[i][j] /= root
		}
	}
	return r
}

// inverse returns the inverse of an upper triangular matrix.
func inverse(r square) square {
	x := newSquare(len(r))
	for i := len(r) - 1; i >= 0; i-- {
		x[i][i] = 1
		for k := i + 1; k < len(r); k++ {
			addScaled64(x[i][k:], x[k][k:], -r[i][k])
		}
		for j := i; j < len(r); j++ {
			x[i][j] /= r[i][i]
		}
	}
	return x
}

// eigen returns the eigenvalues of a symmetric matrix, of largest size first,
// and the eigenvectors as columns, by Jacobi rotations (Golub and Van Loan,
// "Matrix computations", 4th edition, section 8.5). It destroys a.
func eigen(a square) ([]float64, square) {
	n := len(a)
	v := newSquare(n) // eigenvectors as rows
	for i := range v {
		v[i][i] = 1
	}
	for range 30 {
		if offDiagonal(a) <= 1e-28 {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, v, p, q)
			}
		}
	}
	return sorted(a, v)
}

// offDiagonal returns the share of the squared size that is off the diagonal.
func offDiagonal(a square) float64 {
	off, all := 0.0, 0.0
	for i, row := range a {
		for j, x := range row {
			all += float64(x * x)
			if i != j {
				off += float64(x * x)
			}
		}
	}
	return off / max(all, math.SmallestNonzeroFloat64)
}

// rotate makes a[p][q] zero.
func rotate(a, v square, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := t * c
	for k := range a {
		x, y := a[k][p], a[k][q]
		a[k][p], a[k][q] = float64(c*x)-float64(s*y), float64(s*x)+float64(c*y)
	}
	rotateRows(a[p], a[q], c, s)
	rotateRows(v[p], v[q], c, s)
}

func rotateRows(x, y []float64, c, s float64) {
	for k, a := range x {
		b := y[k]
		x[k], y[k] = float64(c*a)-float64(s*b), float64(s*a)+float64(c*b)
	}
}

// sorted returns the diagonal of a, largest size first, and the rows of v as
// columns in that order.
func sorted(a, v square) ([]float64, square) {
	order := make([]int, len(a))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(math.Abs(a[j][j]), math.Abs(a[i][i]))
	})
	values, vectors := make([]float64, len(a)), newSquare(len(a))
	for column, i := range order {
		values[column] = a[i][i]
		for k, x := range v[i] {
			vectors[k][column] = x
		}
	}
	return values, vectors
}
