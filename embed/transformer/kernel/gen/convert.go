package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// convert emits a loop over a row of activations: body writes the vector x to
// dst, whose values have size bytes.
func (v isa) convert(name, signature string, size int, prepare func() (body func(x reg.VecVirtual, to Mem))) {
	v.begin(name, signature, "converts a row of whole vectors, see loops.")
	dst, src, count, place := base("dst"), base("src"), length("src"), GP64()
	v.vectors(count)
	body := prepare()
	v.walk("vectors", count, place, func(i int) {
		x := v.vector()
		VMOVUPS(v.at(src, place, i), x)
		body(x, Mem{Base: dst, Index: place, Scale: uint8(size), Disp: i * size * v.lanes})
	})
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

// quantise emits the loop of loops.quantise, over four vectors at a time, which
// become one. Packing keeps to quarters of registers, whose order a permutation
// puts right.
func (v isa) quantise() {
	v.begin("quantise", "(dst []uint8, src []float32, inverse float32, zero float32)", "converts a row of four vectors or more, see loops.")
	dst, src, left := base("dst"), base("src"), length("src")
	step, order := v.step(), v.vector()
	VMOVUPS(quarterOrder(), order)
	Label("four")
	var x [4]reg.VecVirtual
	for i := range x {
		x[i] = v.vector()
		VMOVUPS(Mem{Base: src, Disp: i * v.width()}, x[i])
		step(x[i])
	}
	VPACKUSDW(x[1], x[0], x[0])
	VPACKUSDW(x[3], x[2], x[2])
	VPACKUSWB(x[2], x[0], x[0])
	VPERMD(x[0], order, x[0])
	VMOVUPS(x[0], Mem{Base: dst})
	ADDQ(U32(4*v.width()), src)
	ADDQ(U8(v.width()), dst)
	SUBQ(U8(4*v.lanes), left)
	JNZ(LabelRef("four"))
	end()
}

// quarterOrder is the permutation that turns part q of vector i, at 4*q+i, into
// part 4*i+q.
func quarterOrder() Mem {
	m := GLOBL("quarterOrder", RODATA|NOPTR)
	for to := range 16 {
		DATA(4*to, U32(to%4*4+to/4))
	}
	return m
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
