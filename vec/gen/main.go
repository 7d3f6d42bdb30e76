// Command gen writes the amd64 assembly of package vec: the same kernels for
// AVX2 with FMA and for AVX-512.
//
//	go generate ./vec
//
// It is a module of its own so that the assembler library stays out of the
// programs that use vec.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, v := range []isa{avx2, avx512} {
		v.dot()
		v.dotRows()
		v.dotPanel()
		v.addScaled()
		v.moveMean()
	}
	Generate()
}
