// Package vec holds the float32 kernels that similarity search and clustering
// spend their time in: dot products of one vector with another, of one or many
// with many rows, and the running mean of a cluster.
//
//	s := vec.Dot(a, b)
//	vec.DotRows(scores, rows, x)         // scores[i] = row i . x, the rows contiguous
//	vec.DotMatrix(scores, rows, xs, dim) // the scores of every vector of xs, one after the other
//
// On amd64 the kernels are assembly for AVX-512 or for AVX2 with FMA, chosen at
// run time; elsewhere, and with the build tag purego, they are plain Go. Vectors
// may have any length and any alignment. A length that does not fit panics, as
// an index out of range does.
//
// [Dot], [DotRows], [DotMatrix] and [AddScaled] are float32 arithmetic in the order that is
// fastest on the CPU at hand, so their last bits differ between CPUs. [Dot64],
// [Distance64] and [MoveMean] are float64 arithmetic in one fixed order and
// give the same bits everywhere.
package vec

//go:generate go run -C gen . -out ../kernel_amd64.s -stubs ../kernel_amd64.go -pkg vec
