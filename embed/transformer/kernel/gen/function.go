package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A function is emitted in two parts: its constants before a loop, and a body
// within the loop that replaces x by its value. NaN stays NaN.
type function func(v isa) (body func(x reg.VecVirtual))

// relu is max(x, 0). Of a NaN and a number, VMAXPS returns its first operand.
func relu(v isa) func(reg.VecVirtual) {
	zero := v.inRegister(v.constant(0))
	return func(x reg.VecVirtual) { VMAXPS(x, zero, x) }
}

// horner emits value = the polynomial in x with the given coefficients,
// constant first.
func (v isa) horner(x reg.VecVirtual, coefficients []Op) (value reg.VecVirtual) {
	last := len(coefficients) - 1
	value = v.vector()
	VMOVUPS(coefficients[last], value)
	for i := last - 1; i >= 0; i-- {
		VFMADD213PS(coefficients[i], x, value)
	}
	return value
}

// constants returns operands for coefficients.
func (v isa) constants(coefficients []float64) []Op {
	ops := make([]Op, len(coefficients))
	for i, c := range coefficients {
		ops[i] = v.constant(c)
	}
	return ops
}

// gelu is x*(1/2 + h(x)), h(x) = erf(x/sqrt(2))/2 being the normal distribution
// function less a half. h(x)/x is a smooth function of x*x, taken as a rational
// one with positive coefficients, so that nothing cancels. Beyond top, h is a
// half to float32 precision; below -top, x is taken as -top, where the value
// is zero within 4e-7.
func gelu(v isa) func(reg.VecVirtual) {
	const top = 5.4
	p, q := rational(func(s float64) float64 {
		x := math.Sqrt(s)
		return math.Erf(x/math.Sqrt2) / 2 / x
	}, 5, 5, 0, top*top)
	above, below, half := v.constant(top), v.constant(-top), v.constant(0.5)
	ps, qs := v.constants(p), v.constants(q)
	return func(x reg.VecVirtual) {
		VMAXPS(x, v.inRegister(below), x)
		clamped, square := v.vector(), v.vector()
		VMINPS(above, x, clamped)
		VMULPS(clamped, clamped, square)
		numerator, denominator := v.horner(square, ps), v.horner(square, qs)
		VMULPS(clamped, numerator, numerator)
		VDIVPS(denominator, numerator, numerator)
		VMULPS(half, x, clamped)
		VFMADD213PS(clamped, numerator, x)
	}
}

// geluTanh is x/(1+exp(-2u)), u = sqrt(2/pi)*(x + 0.044715*x^3), which is
// x/2*(1+tanh(u)).
func geluTanh(v isa) func(reg.VecVirtual) {
	scale := -2 * math.Sqrt(2/math.Pi) * math.Log2E
	linear, cubic := v.constant(scale), v.constant(0.044715*scale)
	highest, one := v.constant(126), v.constant(1)
	exp2 := exp2(v)
	return func(x reg.VecVirtual) {
		e := v.vector()
		VMULPS(x, x, e)
		VMULPS(cubic, e, e)
		VADDPS(linear, e, e)
		VMULPS(x, e, e)
		VMINPS(e, v.inRegister(highest), e)
		exp2(e)
		VADDPS(one, e, e)
		VDIVPS(e, x, x)
	}
}

// exp2 is 2^x for x <= 126. The fraction, at most a half, goes into a
// polynomial, the rest into the exponent. Below -125 it is 2^-125.
func exp2(v isa) func(reg.VecVirtual) {
	lowest := v.constant(-125)
	coefficients := v.constants(polynomial(math.Exp2, 6, -0.5, 0.5))
	return func(x reg.VecVirtual) {
		whole := v.vector()
		VMAXPS(x, v.inRegister(lowest), x)
		if v.wide() {
			VRNDSCALEPS(U8(8), x, whole)
		} else {
			VROUNDPS(U8(8), x, whole)
		}
		VSUBPS(whole, x, x)
		value := v.horner(x, coefficients)
		if v.wide() {
			VSCALEFPS(whole, value, x)
			return
		}
		VCVTPS2DQ(whole, whole)
		VPSLLD(U8(23), whole, whole)
		VPADDD(whole, value, x)
	}
}
