package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// moveMean emits the loop of MoveMean over whole blocks of eight float64
// values. Products are rounded before they are added, as in plain Go, and lane
// i of the sums takes the values i, i+8, i+16...: every path gives the same bits.
func (v isa) moveMean() {
	TEXT("moveMean"+v.name, NOSPLIT, "func(mean []float64, row []float32, x []float64, w float64, sums *[16]float64)")
	Pragma("noescape")
	Doc("moveMean" + v.name + " is moveMeanGeneric in " + v.name + ".")
	mean := Load(Param("mean").Base(), GP64()).(reg.GPVirtual)
	blocks := Load(Param("mean").Len(), GP64()).(reg.GPVirtual)
	row := Load(Param("row").Base(), GP64()).(reg.GPVirtual)
	x := Load(Param("x").Base(), GP64()).(reg.GPVirtual)
	weight, err := Param("w").Resolve()
	if err != nil {
		panic(err)
	}
	w := v.vector()
	VBROADCASTSD(weight.Addr, w)
	parts := 64 / (v.lanes * 4)
	moved, norms := v.zeroed(parts), v.zeroed(parts)
	SHRQ(U8(3), blocks)
	Label("block")
	TESTQ(blocks, blocks)
	JZ(LabelRef("done"))
	for i := range parts {
		v.movePart(mean, row, x, i, w, moved[i], norms[i])
	}
	ADDQ(U8(64), mean)
	ADDQ(U8(64), x)
	ADDQ(U8(32), row)
	DECQ(blocks)
	JMP(LabelRef("block"))
	Label("done")
	sums := Load(Param("sums"), GP64())
	for i := range parts {
		VMOVUPD(moved[i], Mem{Base: sums, Disp: i * v.lanes * 4})
		VMOVUPD(norms[i], Mem{Base: sums, Disp: 64 + i*v.lanes*4})
	}
	VZEROUPPER()
	RET()
}

// movePart emits register number i of a block.
func (v isa) movePart(mean, row, x reg.GPVirtual, i int, w, moved, norms reg.VecVirtual) {
	width := v.lanes * 4
	m, d, product := v.vector(), v.vector(), v.vector()
	VMOVUPD(Mem{Base: mean, Disp: i * width}, m)
	VMOVUPD(Mem{Base: x, Disp: i * width}, d)
	VSUBPD(m, d, d)
	VMULPD(d, d, product)
	VADDPD(product, moved, moved)
	VMULPD(w, d, d)
	VADDPD(d, m, m)
	VMOVUPD(m, Mem{Base: mean, Disp: i * width})
	VMULPD(m, m, product)
	VADDPD(product, norms, norms)
	if v.masked {
		low := YMM()
		VCVTPD2PS(m, low)
		VMOVUPS(low, Mem{Base: row, Disp: i * width / 2})
	} else {
		low := XMM()
		VCVTPD2PSY(m, low)
		VMOVUPS(low, Mem{Base: row, Disp: i * width / 2})
	}
}
