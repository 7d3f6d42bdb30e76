// Command gen writes the amd64 assembly of package kernel: the inner loops for
// AVX2 with FMA and for AVX-512.
//
//	go generate ./embed/transformer/kernel
//
// It is a module of its own so that the assembler library stays out of the
// programs that use kernel.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, v := range []isa{avx2, avx512} {
		for _, f := range []format{f32, bf16, bf16Wide, int8Native, int8Wide} {
			if f.runs(v) {
				v.product(f)
				v.peak(f)
			}
		}
		v.activate()
		v.transpose()
		v.gather()
		v.softmax()
		v.layerNorm()
		v.extent()
	}
	avx512.round()
	avx512.quantise()
	avx2.roundWide()
	avx2.quantiseWide()
	Generate()
}
