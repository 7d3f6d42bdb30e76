package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// finish emits loops.finish for each activation.
func (v isa) finish() {
	v.finishWith("identity", identity)
	v.finishWith("gelu", gelu)
	v.finishWith("geluTanh", geluTanh)
	v.finishWith("relu", relu)
}

// finishWith emits the loop over the rows of a tile. It asks for the memory of
// the tile below, which is written next: results seldom are in the cache.
func (v isa) finishWith(name string, activation function) {
	v.begin(name, "(dst []float32, residual []float32, ld int, c []float32, bias []float32, rows int)",
		"finishes a tile, see loops.")
	dst, residual, c, bias := base("dst"), base("residual"), base("c"), base("bias")
	ld, rows := stride("ld", 2), integer("rows")
	below, body := GP64(), activation(v)
	IMUL3Q(U8(v.rows), ld, below)
	Label("row")
	for line := 0; line < 2*v.width(); line += 64 {
		PREFETCHT0(Mem{Base: dst, Index: below, Scale: 1, Disp: line})
	}
	x := [2]reg.VecVirtual{v.vector(), v.vector()}
	for i := range x {
		VMOVUPS(Mem{Base: c, Disp: i * v.width()}, x[i])
		VADDPS(Mem{Base: bias, Disp: i * v.width()}, x[i], x[i])
		body(x[i])
	}
	TESTQ(residual, residual)
	JZ(LabelRef("store"))
	for i := range x {
		VADDPS(Mem{Base: residual, Disp: i * v.width()}, x[i], x[i])
	}
	ADDQ(ld, residual)
	Label("store")
	for i := range x {
		VMOVUPS(x[i], Mem{Base: dst, Disp: i * v.width()})
	}
	ADDQ(ld, dst)
	ADDQ(U32(2*v.width()), c)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}
