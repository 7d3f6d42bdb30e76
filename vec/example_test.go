package vec_test

import (
	"fmt"

	"starling/vec"
)

func ExampleDotRows() {
	rows := []float32{
		1, 0, 0,
		0, 3, 4,
	}
	scores := make([]float32, 2)
	vec.DotRows(scores, rows, []float32{2, 1, 1})
	fmt.Println(scores)
	// Output: [2 7]
}

func ExampleDotMatrix() {
	rows := []float32{
		1, 0, 0,
		0, 3, 4,
	}
	xs := []float32{
		2, 1, 1,
		0, 1, 0,
	}
	scores := make([]float32, 4)
	vec.DotMatrix(scores, rows, xs, 3)
	fmt.Println(scores[:2], scores[2:])
	// Output: [2 7] [0 3]
}

func ExampleMoveMean() {
	mean, row := []float64{1, 1}, make([]float32, 2) // of three vectors
	distance2, norm2 := vec.MoveMean(mean, row, []float64{5, 1}, 1.0/4)
	fmt.Println(mean, distance2, norm2)
	// Output: [2 1] 16 5
}
