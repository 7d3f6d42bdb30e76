package eval

import (
	"math"

	"starling/vec"
)

// Silhouettes returns the simplified silhouette of every document (Vendramin,
// Campello and Hruschka 2010, section 2.2): (b-a) / max(a, b), where a is the
// Euclidean distance of its vector to the centroid of its cluster and b that to
// the nearest other centroid. A document that is alone in its cluster has 0, as
// have all when there is one cluster. vectors[i] and clusters[i] belong to one
// document, and the vectors have one length. Their mean says without any labels
// how well clusters stand apart. Silhouettes panics when the lengths differ.
func Silhouettes[C comparable](vectors [][]float32, clusters []C) []float64 {
	if len(vectors) != len(clusters) {
		panic("eval: as many vectors as documents are needed")
	}
	values := make([]float64, len(vectors))
	if len(vectors) == 0 {
		return values
	}
	c := newCentroids(vectors, clusters)
	if len(c.sizes) < 2 {
		return values
	}
	dots := make([]float32, silhouetteBatch*len(c.sizes))
	for from := 0; from < len(vectors); from += silhouetteBatch {
		to := min(from+silhouetteBatch, len(vectors))
		c.silhouettes(values[from:to], vectors[from:to], c.of[from:to], dots[:(to-from)*len(c.sizes)])
	}
	return values
}

// silhouetteBatch is how many vectors are compared with all centroids together.
const silhouetteBatch = 32

// centroids are the means of clusters, numbered from 0.
type centroids struct {
	dim   int
	of    []int // the cluster of every document
	sizes []int
	// exact holds the centroids one after the other, rounded the same for
	// finding candidates fast, and halfNorms half their squared lengths.
	exact     []float64
	rounded   []float32
	halfNorms []float64
}

func newCentroids[C comparable](vectors [][]float32, clusters []C) *centroids {
	c := &centroids{dim: len(vectors[0])}
	numbers := make(map[C]int)
	for i, vector := range vectors {
		n := number(numbers, clusters[i], &c.sizes)
		c.of = append(c.of, n)
		if need := len(c.sizes) * c.dim; len(c.exact) < need {
			c.exact = append(c.exact, make([]float64, need-len(c.exact))...)
		}
		for j, v := range vector {
			c.exact[n*c.dim+j] += float64(v)
		}
	}
	c.rounded = make([]float32, len(c.exact))
	for n, size := range c.sizes {
		halfNorm := 0.0
		for j := n * c.dim; j < (n+1)*c.dim; j++ {
			c.exact[j] /= float64(size)
			c.rounded[j] = float32(c.exact[j])
			halfNorm += c.exact[j] * c.exact[j] / 2
		}
		c.halfNorms = append(c.halfNorms, halfNorm)
	}
	return c
}

func (c *centroids) silhouettes(values []float64, vectors [][]float32, of []int, dots []float32) {
	flat := make([]float32, 0, len(vectors)*c.dim)
	for _, vector := range vectors {
		flat = append(flat, vector...)
	}
	vec.DotMatrix(dots, c.rounded, flat, c.dim)
	for i, vector := range vectors {
		if own := of[i]; c.sizes[own] > 1 {
			other := c.nearestOther(dots[i*len(c.sizes):(i+1)*len(c.sizes)], own)
			values[i] = silhouette(c.distance(vector, own), c.distance(vector, other))
		}
	}
}

// nearestOther returns the cluster other than own whose centroid is nearest to
// the vector that has these dot products with all of them.
func (c *centroids) nearestOther(dots []float32, own int) int {
	best, nearest := math.Inf(-1), 0
	for n, dot := range dots {
		if closeness := float64(dot) - c.halfNorms[n]; closeness > best && n != own {
			best, nearest = closeness, n
		}
	}
	return nearest
}

func (c *centroids) distance(vector []float32, n int) float64 {
	sum := 0.0
	for j, v := range c.exact[n*c.dim : (n+1)*c.dim] {
		d := float64(vector[j]) - v
		sum += d * d
	}
	return math.Sqrt(sum)
}

func silhouette(own, other float64) float64 {
	if own == 0 && other == 0 {
		return 0
	}
	return (other - own) / max(own, other)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
