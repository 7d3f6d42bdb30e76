package kernel_test

import (
	"fmt"

	"starling/embed/transformer/kernel"
)

func ExampleMatrix_Multiply() {
	weights := []float32{
		1, 0, 0,
		0, 1, -1,
	}
	m, err := kernel.Pack(kernel.Best(), kernel.F32, weights, []float32{10, 20}, 2, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	var scratch kernel.Scratch
	rows := []float32{
		1, 2, 3,
		4, 50, 6,
	}
	dst := make([]float32, 4)
	m.Multiply(dst, rows, 2, kernel.Epilogue{Activation: kernel.ReLU}, &scratch)
	fmt.Println(dst)
	// Output: [11 19 14 64]
}
