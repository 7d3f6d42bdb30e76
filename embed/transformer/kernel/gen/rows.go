package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// softmax emits loops.softmax: for each column its maximum, then the powers
// and their sum, then the quotients. Two vectors stand side by side.
func (v isa) softmax() {
	v.begin("softmax", "(x []float32, rows int, scale float32)", "weighs columns, see loops.")
	x, rows, row := base("x"), integer("rows"), GP64()
	scale, toBase2, one := v.parameter("scale"), v.constant(math.Log2E), v.constant(1)
	VMULPS(toBase2, scale, scale)
	exp2 := exp2(v)
	tops, sums, values := [2]reg.VecVirtual{}, v.zeroed(2), [2]reg.VecVirtual{}
	for i := range 2 {
		tops[i], values[i] = v.vector(), v.vector()
		VMOVUPS(Mem{Base: x, Disp: i * v.width()}, tops[i])
	}
	v.down("max", x, row, rows, func(i int, at Mem) { VMAXPS(at, tops[i], tops[i]) })
	v.down("exp", x, row, rows, func(i int, at Mem) {
		VMOVUPS(at, values[i])
		VSUBPS(tops[i], values[i], values[i])
		VMULPS(scale, values[i], values[i])
		exp2(values[i])
		VADDPS(values[i], sums[i], sums[i])
		VMOVUPS(values[i], at)
	})
	for i, sum := range sums {
		VMOVUPS(one, values[i])
		VDIVPS(sum, values[i], sum)
	}
	v.down("scale", x, row, rows, func(i int, at Mem) {
		VMULPS(at, sums[i], values[i])
		VMOVUPS(values[i], at)
	})
	end()
}

// down emits a loop over the rows of a panel two vectors wide. body gets the
// number and address of each vector.
func (v isa) down(label string, x, row, rows reg.GPVirtual, body func(i int, at Mem)) {
	left := GP64()
	MOVQ(x, row)
	MOVQ(rows, left)
	Label(label)
	for i := range 2 {
		body(i, Mem{Base: row, Disp: i * v.width()})
	}
	ADDQ(U32(2*v.width()), row)
	DECQ(left)
	JNZ(LabelRef(label))
}

// gather emits loops.gather.
func (v isa) gather() {
	v.begin("gather", "(dst []float32, src []float32, ld int, rows int)", "lays out a panel of values, see loops.")
	dst, src, ld, rows, row := base("dst"), base("src"), stride("ld", 2), integer("rows"), GP64()
	v.down("row", dst, row, rows, func(i int, to Mem) {
		x := v.vector()
		VMOVUPS(Mem{Base: src, Disp: i * v.width()}, x)
		VMOVUPS(x, to)
		if i == 1 {
			ADDQ(ld, src)
		}
	})
	end()
}

// layerNorm emits loops.layerNorm: for each row its mean, then its variance,
// then the values.
func (v isa) layerNorm() {
	v.begin("layerNorm", "(rows []float32, gamma []float32, beta []float32, eps float32)", "normalises rows, see loops.")
	x, left, gamma, beta := base("rows"), length("rows"), base("gamma"), base("beta")
	width, place, count := length("gamma"), GP64(), GP64()
	MOVQ(width, count)
	v.vectors(count)
	n, eps, one := v.vector(), v.parameter("eps"), v.inRegister(v.constant(1))
	VXORPS(n.AsX(), n.AsX(), n.AsX())
	VCVTSI2SSQ(width, n.AsX(), n.AsX())
	VBROADCASTSS(n.AsX(), n)
	Label("row")
	TESTQ(left, left)
	JZ(LabelRef("done"))
	mean := v.sum("mean", x, count, place, func(value, sum reg.VecVirtual) { VADDPS(value, sum, sum) })
	VDIVPS(n, mean, mean)
	scale := v.sum("variance", x, count, place, func(value, sum reg.VecVirtual) {
		VSUBPS(mean, value, value)
		VFMADD231PS(value, value, sum)
	})
	VDIVPS(n, scale, scale)
	VADDPS(eps, scale, scale)
	VSQRTPS(scale, scale)
	VDIVPS(scale, one, scale)
	v.walk("scale", count, place, func(i int) {
		value, factor := v.vector(), v.vector()
		VMOVUPS(v.at(x, place, i), value)
		VSUBPS(mean, value, value)
		VMULPS(scale, value, value)
		VMOVUPS(v.at(gamma, place, i), factor)
		VFMADD213PS(v.at(beta, place, i), value, factor)
		VMOVUPS(factor, v.at(x, place, i))
	})
	LEAQ(Mem{Base: x, Index: width, Scale: 4}, x)
	SUBQ(width, left)
	JMP(LabelRef("row"))
	Label("done")
	end()
}

// sum adds up a row and returns the total in every lane.
func (v isa) sum(label string, x, count, place reg.GPVirtual, add func(value, sum reg.VecVirtual)) reg.VecVirtual {
	sums := v.zeroed(unroll)
	v.walk(label, count, place, func(i int) {
		value := v.vector()
		VMOVUPS(v.at(x, place, i), value)
		add(value, sums[i])
	})
	total := join(VADDPS, sums)
	v.fold(VADDPS, total)
	return total
}

// extent emits extent(x []float32) (low, high float32): the range of x and zero.
func (v isa) extent() {
	v.begin("extent", "(x []float32) (low, high float32)", "returns the smallest and the largest of x and zero.")
	x, count, place := base("x"), length("x"), GP64()
	v.vectors(count)
	lows, highs := v.zeroed(unroll), v.zeroed(unroll)
	v.walk("extent", count, place, func(i int) {
		VMINPS(v.at(x, place, i), lows[i], lows[i])
		VMAXPS(v.at(x, place, i), highs[i], highs[i])
	})
	low, high := join(VMINPS, lows), join(VMAXPS, highs)
	v.fold(VMINPS, low)
	v.fold(VMAXPS, high)
	Store(low.AsX(), Return("low"))
	Store(high.AsX(), Return("high"))
	end()
}
