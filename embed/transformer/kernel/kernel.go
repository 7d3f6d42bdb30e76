// Package kernel holds the inner loops of a transformer encoder: the matrix
// product of a linear layer, attention, layer normalisation and pooling, each
// written for several instruction sets and chosen when the program runs.
//
// A layer's weights are packed once and then shared by all workers:
//
//	m, err := kernel.Pack(kernel.Best(), kernel.BF16, weights, bias, out, in)
//
// Each worker owns a [Scratch] and multiplies with it, rows of any number and
// length:
//
//	m.Multiply(dst, src, rows, kernel.Epilogue{Activation: kernel.GELU}, scratch)
//	path.Attention(mixed, qkv, tokens, heads, headSize, scratch)
//
// All matrices are row-major float32 slices without gaps. Nothing here starts
// a goroutine, and nothing allocates once a Scratch has seen its largest input.
// A row of a result does not depend on the other rows of the call, bit for bit,
// so texts may be batched in any way. Different paths round differently, within
// the error of float32 sums; Int8 products are the same on all of them. Slices
// whose length does not fit the shape are a programming error and panic.
//
// The assembly is written by the program in gen; the build tag purego, and every
// architecture but amd64, leaves plain Go.
package kernel

//go:generate go run -C gen . -out ../loops_amd64.s -stubs ../loops_amd64.go -pkg kernel

// A DType is the number format in which a [Matrix] holds its weights and
// multiplies them with activations. Sums are float32 or wider in all of them.
type DType uint8

const (
	// F32 is the reference: nothing is rounded.
	F32 DType = iota
	// BF16 rounds weights and activations to bfloat16, to nearest even.
	BF16
	// Int8 rounds each column of weights (an output of the layer) to
	// multiples of its largest absolute value / 127, and each row of
	// activations to 256 equal steps over its range. Layers of few inputs
	// are held as BF16.
	Int8
)

// String returns the name as the command line writes it.
func (d DType) String() string {
	switch d {
	case F32:
		return "f32"
	case BF16:
		return "bf16"
	case Int8:
		return "int8"
	}
	return "unknown"
}

// An Activation is a function applied to each value of a product.
type Activation uint8

const (
	// Identity leaves values as they are.
	Identity Activation = iota
	// GELU is x*Phi(x), Phi being the normal distribution function.
	GELU
	// GELUTanh approximates GELU by x/2*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3))),
	// which model configurations call gelu_new or gelu_pytorch_tanh.
	GELUTanh
	// ReLU is max(x, 0).
	ReLU

	activations = iota
)
