package main

import (
	"fmt"

	"starling/bench/internal/rounds"
)

// ratios are the comparisons that are drawn from a table.
var ratios = [][2]string{
	{"Starling f32", "ONNX Runtime fp32"},
	{"Starling bf16", "ONNX Runtime fp32"},
	{"Starling int8", "ONNX Runtime int8"},
	{"Starling f32", "PyTorch fp32"},
	{"Starling bf16", "PyTorch fp32"},
}

// report prints the speed of each contender at its best setting, and ratios.
func report(mix mix, table *rounds.Table) {
	fmt.Printf("\n%s\n\n", mix.title)
	fmt.Println("| encoder | texts/s: median | lowest | highest | best setting |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	for _, name := range table.Names() {
		setting, s := table.Best(name)
		fmt.Printf("| %s | %.1f | %.1f | %.1f | %s |\n", name, s.Median(), s.Min(), s.Max(), setting)
	}
	fmt.Println()
	for _, pair := range ratios {
		if r, ok := table.Ratio(pair[0], pair[1]); ok {
			fmt.Printf("%s / %s: %.2f (%.2f to %.2f over the rounds)\n", pair[0], pair[1], r.Median(), r.Min(), r.Max())
		}
	}
}
