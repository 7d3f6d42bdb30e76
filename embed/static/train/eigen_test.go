package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestEigenvaluesOfTheHilbertMatrix(t *testing.T) {
	a := newSquare(3)
	for i := range a {
		for j := range a {
			a[i][j] = 1 / float64(i+j+1)
		}
	}
	// numpy.linalg.eigvalsh(scipy.linalg.hilbert(3))
	want := []float64{1.408318927123654, 0.12232706585390584, 0.0026873403557735306}
	values, _ := eigen(a)
	for i := range want {
		if math.Abs(values[i]-want[i]) > 1e-14 {
			t.Errorf("eigenvalue %d is %.17g, want %.17g", i, values[i], want[i])
		}
	}
}

func TestEigenvectorsAreWhatTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		a, b := newSquare(n), newSquare(n)
		for i := range n {
			for j := range i + 1 {
				x := random.NormFloat64()
				a[i][j], a[j][i], b[i][j], b[j][i] = x, x, x, x
			}
		}
		values, vectors := eigen(b)
		for k, value := range values {
			for i := range n {
				product := 0.0
				for j := range n {
					product += a[i][j] * vectors[j][k]
				}
				if math.Abs(product-value*vectors[i][k]) > 1e-10 {
					t.Fatalf("row %d of eigenvector %d: %v, want %v", i, k, product, value*vectors[i][k])
				}
			}
			if k > 0 && math.Abs(value) > math.Abs(values[k-1]) {
				t.Fatalf("eigenvalues %v are not sorted", values)
			}
		}
	})
}

func TestLeadingFindsWhatAMatrixIsMadeOf(t *testing.T) {
	const n = 600
	random := rand.New(rand.NewPCG(1, 2))
	y := newDense(n, 4)
	for i := range y.values {
		y.values[i] = float32(random.NormFloat64())
	}
	basis := orthonormal(orthonormal(y))
	sizes := []float32{100, -50, 25, 12}
	m := &sparse{make([][]int32, n), make([][]float32, n)}
	for i := range n {
		for j := range n {
			sum := float32(0)
			for k, s := range sizes {
				sum += s * basis.row(i)[k] * basis.row(j)[k]
			}
			m.columns[i] = append(m.columns[i], int32(j))
			m.values[i] = append(m.values[i], sum)
		}
	}
	values, vectors, err := leading(t.Context(), m, Config{Dim: 4, Iterations: 2, Seed: 3}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	products := gramOf(basis, vectors)
	for k, want := range sizes {
		if math.Abs(values[k]-float64(want)) > 1e-3 {
			t.Errorf("eigenvalue %d is %v, want %v", k, values[k], want)
		}
		if math.Abs(math.Abs(products[k])-1) > 1e-4 {
			t.Errorf("eigenvector %d has cosine %v with the true one", k, products[k])
		}
	}
}

// gramOf returns the products of the columns of a with those of b in their place.
func gramOf(a, b dense) []float64 {
	sums := make([]float64, a.width)
	for i := range a.rows() {
		for k := range sums {
			sums[k] += float64(a.row(i)[k]) * float64(b.row(i)[k])
		}
	}
	return sums
}

func TestWhatIsOrthonormalSpansTheSame(t *testing.T) {
	y := dense{[]float32{1, 1, 2, 0, 1, 4, 3, 0, 0, 1, 1, 2}, 3}
	q := orthonormal(y)
	g := gram(q, q)
	for i := range g {
		for j := range g {
			want := 0.0
			if i == j {
				want = 1
			}
			if math.Abs(g[i][j]-want) > 1e-5 {
				t.Errorf("columns %d and %d have the product %v", i, j, g[i][j])
			}
		}
	}
}

func TestALostDirectionIsLeftOut(t *testing.T) {
	y := dense{[]float32{1, 1, 2, 2, 3, 3}, 2}
	q := orthonormal(y)
	for i := range q.rows() {
		if q.row(i)[1] != 0 {
			t.Errorf("the second column, equal to the first, became %v", q.row(i)[1])
		}
	}
}
