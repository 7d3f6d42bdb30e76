package main

import "math"

// nodes returns the n Chebyshev nodes of an interval, at which an
// interpolating polynomial is close to the best one.
func nodes(n int, from, to float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = (from+to)/2 - (to-from)/2*math.Cos(math.Pi*(float64(i)+0.5)/float64(n))
	}
	return x
}

// polynomial returns the coefficients, constant first, of the polynomial that
// meets f at the Chebyshev nodes of an interval.
func polynomial(f func(float64) float64, degree int, from, to float64) []float64 {
	p, _ := rational(f, degree, 0, from, to)
	return p
}

// rational returns the coefficients of polynomials p and q, whose constant is
// 1, such that p/q meets f at the Chebyshev nodes of an interval.
func rational(f func(float64) float64, degreeP, degreeQ int, from, to float64) (p, q []float64) {
	n := degreeP + degreeQ + 1
	unit := max(math.Abs(from), math.Abs(to)) // keeps powers near 1
	rows := make([][]float64, n)
	for i, x := range nodes(n, from, to) {
		y := f(x)
		for j := range degreeP + 1 {
			rows[i] = append(rows[i], math.Pow(x/unit, float64(j)))
		}
		for j := range degreeQ {
			rows[i] = append(rows[i], -y*math.Pow(x/unit, float64(j+1)))
		}
		rows[i] = append(rows[i], y)
	}
	c := solve(rows)
	p, q = c[:degreeP+1], append([]float64{1}, c[degreeP+1:]...)
	for _, polynomial := range [][]float64{p, q} {
		for j := range polynomial {
			polynomial[j] /= math.Pow(unit, float64(j))
		}
	}
	return p, q
}

// solve returns the solution of linear equations, each given as its
// coefficients and right side, by Gaussian elimination with partial pivoting.
func solve(rows [][]float64) []float64 {
	n := len(rows)
	for c := range n {
		for r := c + 1; r < n; r++ {
			if math.Abs(rows[r][c]) > math.Abs(rows[c][c]) {
				rows[r], rows[c] = rows[c], rows[r]
			}
		}
		for r := range n {
			if r != c {
				eliminate(rows[r], rows[c], c)
			}
		}
	}
	x := make([]float64, n)
	for r := range x {
		x[r] = rows[r][n] / rows[r][r]
	}
	return x
}

// eliminate subtracts a multiple of pivot from row such that column c vanishes.
func eliminate(row, pivot []float64, c int) {
	factor := row[c] / pivot[c]
	for k := c; k < len(row); k++ {
		row[k] -= factor * pivot[k]
	}
}
