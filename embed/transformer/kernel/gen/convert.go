package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// convert emits a loop over a row of activations, a vector at a time: body
// turns x into what store writes to dst, of which each value has size bytes.
func (v isa) convert(name, signature string, size int, prepare func() (body func(x reg.VecVirtual, to Mem))) {
	v.begin(name, signature, "converts a row of whole vectors, see loops.")
	dst, src, count := base("dst"), base("src"), length("src")
	v.vectors(count)
	body := prepare()
	Label("vector")
	TESTQ(count, count)
	JZ(LabelRef("done"))
	x := v.vector()
	VMOVUPS(Mem{Base: src}, x)
	body(x, Mem{Base: dst})
	ADDQ(U8(v.width()), src)
	ADDQ(U8(size*v.lanes), dst)
	DECQ(count)
	JMP(LabelRef("vector"))
	Label("done")
	end()
}

// nearest adds to the bits of x what makes its upper half x as bfloat16,
// rounded to nearest, ties to even.
func (v isa) nearest() func(x reg.VecVirtual) {
	one, almost := v.bits(1), v.bits(0x7fff)
	return func(x reg.VecVirtual) {
		odd := v.vector()
		VPSRLD(U8(16), x, odd)
		v.and(one, odd)
		v.add(almost, x)
		v.add(odd, x)
	}
}

func (v isa) and(op Op, x reg.VecVirtual) {
	if v.wide() {
		VPANDD(op, x, x)
	} else {
		VPAND(op, x, x)
	}
}

func (v isa) add(op Op, x reg.VecVirtual) { VPADDD(op, x, x) }

// round emits loops.round.
func (v isa) round() {
	v.convert("round", "(dst []uint16, src []float32)", 2, func() func(reg.VecVirtual, Mem) {
		nearest := v.nearest()
		return func(x reg.VecVirtual, to Mem) {
			nearest(x)
			VPSRLD(U8(16), x, x)
			VPMOVDW(x, to)
		}
	})
}

// roundWide emits loops.roundWide.
func (v isa) roundWide() {
	v.convert("roundWide", "(dst []float32, src []float32)", 4, func() func(reg.VecVirtual, Mem) {
		nearest, upper := v.nearest(), v.bits(0xffff0000)
		return func(x reg.VecVirtual, to Mem) {
			nearest(x)
			v.and(upper, x)
			VMOVUPS(x, to)
		}
	})
}

// step turns x into the number of its step, which is not below 0. Product and
// sum are rounded one after the other, as in plain Go.
func (v isa) step() func(x reg.VecVirtual) {
	inverse, zero := v.parameter("inverse"), v.parameter("zero")
	return func(x reg.VecVirtual) {
		VMULPS(inverse, x, x)
		VADDPS(zero, x, x)
		VCVTPS2DQ(x, x)
	}
}

// quantise emits the loop of loops.quantise.
func (v isa) quantise() {
	v.convert("quantise", "(dst []uint8, src []float32, inverse float32, zero float32)", 1, func() func(reg.VecVirtual, Mem) {
		step := v.step()
		return func(x reg.VecVirtual, to Mem) {
			step(x)
			VPMOVUSDB(x, to)
		}
	})
}

// quantiseWide emits the loop of loops.quantiseWide.
func (v isa) quantiseWide() {
	v.convert("quantiseWide", "(dst []int16, src []float32, inverse float32, zero float32)", 2, func() func(reg.VecVirtual, Mem) {
		step, highest := v.step(), v.bits(255)
		return func(x reg.VecVirtual, to Mem) {
			step(x)
			VPMINSD(highest, x, x)
			VPACKUSDW(x, x, x)
			VPERMQ(U8(0b00_00_10_00), x, x)
			VMOVUPS(x.AsX(), to)
		}
	})
}
