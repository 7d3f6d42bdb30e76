package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// softmax emits loops.softmax: for each row its maximum, then the powers and
// their sum, then the quotients.
func (v isa) softmax() {
	v.begin("softmax", "(x []float32, ld int, rows int, cols int, scale float32)", "weighs rows, see loops.")
	x, ld, rows, cols := base("x"), stride("ld", 2), integer("rows"), integer("cols")
	v.vectors(cols)
	scale, toBase2, one := v.parameter("scale"), v.constant(math.Log2E), v.constant(1)
	VMULPS(toBase2, scale, scale)
	exp2 := exp2(v)
	offset, sum, top, value := GP64(), v.vector(), v.vector(), v.vector()
	Label("row")
	VMOVUPS(Mem{Base: x}, top)
	v.walk("max", cols, offset, func(i int) { VMAXPS(v.at(x, offset, i), top, top) })
	v.fold(VMAXPS, top)
	v.zero(sum)
	v.walk("exp", cols, offset, func(i int) {
		VMOVUPS(v.at(x, offset, i), value)
		VSUBPS(top, value, value)
		VMULPS(scale, value, value)
		exp2(value)
		VADDPS(value, sum, sum)
		VMOVUPS(value, v.at(x, offset, i))
	})
	v.fold(VADDPS, sum)
	VMOVUPS(one, value)
	VDIVPS(sum, value, sum)
	v.walk("scale", cols, offset, func(i int) {
		VMULPS(v.at(x, offset, i), sum, value)
		VMOVUPS(value, v.at(x, offset, i))
	})
	ADDQ(ld, x)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// layerNorm emits loops.layerNorm: for each row its mean, then its variance,
// then the values.
func (v isa) layerNorm() {
	v.begin("layerNorm", "(rows []float32, gamma []float32, beta []float32, eps float32)", "normalises rows, see loops.")
	x, left, gamma, beta := base("rows"), length("rows"), base("gamma"), base("beta")
	width, offset, count := length("gamma"), GP64(), GP64()
	MOVQ(width, count)
	v.vectors(count)
	n, eps, one := v.vector(), v.parameter("eps"), v.inRegister(v.constant(1))
	VXORPS(n.AsX(), n.AsX(), n.AsX())
	VCVTSI2SSQ(width, n.AsX(), n.AsX())
	VBROADCASTSS(n.AsX(), n)
	Label("row")
	TESTQ(left, left)
	JZ(LabelRef("done"))
	mean := v.sum("mean", x, count, offset, func(value, sum reg.VecVirtual) { VADDPS(value, sum, sum) })
	VDIVPS(n, mean, mean)
	scale := v.sum("variance", x, count, offset, func(value, sum reg.VecVirtual) {
		VSUBPS(mean, value, value)
		VFMADD231PS(value, value, sum)
	})
	VDIVPS(n, scale, scale)
	VADDPS(eps, scale, scale)
	VSQRTPS(scale, scale)
	VDIVPS(scale, one, scale)
	v.walk("scale", count, offset, func(i int) {
		value, factor := v.vector(), v.vector()
		VMOVUPS(v.at(x, offset, i), value)
		VSUBPS(mean, value, value)
		VMULPS(scale, value, value)
		VMOVUPS(v.at(gamma, offset, i), factor)
		VFMADD213PS(v.at(beta, offset, i), value, factor)
		VMOVUPS(factor, v.at(x, offset, i))
	})
	ADDQ(offset, x)
	SUBQ(width, left)
	JMP(LabelRef("row"))
	Label("done")
	end()
}

// sum adds up a row and returns the total in every lane.
func (v isa) sum(label string, x, count, offset reg.GPVirtual, add func(value, sum reg.VecVirtual)) reg.VecVirtual {
	sums := v.zeroed(unroll)
	v.walk(label, count, offset, func(i int) {
		value := v.vector()
		VMOVUPS(v.at(x, offset, i), value)
		add(value, sums[i])
	})
	total := join(VADDPS, sums)
	v.fold(VADDPS, total)
	return total
}

// extent emits extent(x []float32) (low, high float32): the range of x and zero.
func (v isa) extent() {
	v.begin("extent", "(x []float32) (low, high float32)", "returns the smallest and the largest of x and zero.")
	x, count, offset := base("x"), length("x"), GP64()
	v.vectors(count)
	lows, highs := v.zeroed(unroll), v.zeroed(unroll)
	v.walk("extent", count, offset, func(i int) {
		VMINPS(v.at(x, offset, i), lows[i], lows[i])
		VMAXPS(v.at(x, offset, i), highs[i], highs[i])
	})
	low, high := join(VMINPS, lows), join(VMAXPS, highs)
	v.fold(VMINPS, low)
	v.fold(VMAXPS, high)
	Store(low.AsX(), Return("low"))
	Store(high.AsX(), Return("high"))
	end()
}
