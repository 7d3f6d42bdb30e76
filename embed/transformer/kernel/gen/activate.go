package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// activate emits loops.activate for each function.
func (v isa) activate() {
	v.activateWith("gelu", gelu)
	v.activateWith("geluTanh", geluTanh)
	v.activateWith("relu", relu)
}

// activateWith emits the loop over the rows of a tile.
func (v isa) activateWith(name string, f function) {
	v.begin(name, "(c []float32, ldc int, rows int)", "activates a tile, see loops.")
	c, ldc, rows := base("c"), stride("ldc", 2), integer("rows")
	body := f(v)
	Label("row")
	x := [2]reg.VecVirtual{v.vector(), v.vector()}
	for i := range x {
		VMOVUPS(Mem{Base: c, Disp: i * v.width()}, x[i])
		body(x[i])
		VMOVUPS(x[i], Mem{Base: c, Disp: i * v.width()})
	}
	ADDQ(ldc, c)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}
