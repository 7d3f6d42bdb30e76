package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dot emits dot(a, b []float32) float32.
func (v isa) dot() {
	TEXT("dot"+v.name, NOSPLIT, "func(a, b []float32) float32")
	Pragma("noescape")
	Doc("dot" + v.name + " is dotGeneric in " + v.name + ".")
	a := Load(Param("a").Base(), GP64()).(reg.GPVirtual)
	b := Load(Param("b").Base(), GP64()).(reg.GPVirtual)
	n := Load(Param("a").Len(), GP64()).(reg.GPVirtual)
	sums := v.products("dot", []reg.GPVirtual{a}, b, n)
	VZEROUPPER()
	Store(sums[0].AsX(), ReturnIndex(0))
	RET()
}

// dotRows emits dotRows(dst, rows, x []float32): blocks of v.rows rows, then
// the remaining rows one by one. A row's sum is built in the same order in
// both, so it does not depend on the rows beside it.
func (v isa) dotRows() {
	TEXT("dotRows"+v.name, NOSPLIT, "func(dst, rows, x []float32)")
	Pragma("noescape")
	Doc("dotRows" + v.name + " is dotRowsGeneric in " + v.name + ".")
	dst := Load(Param("dst").Base(), GP64())
	count := Load(Param("dst").Len(), GP64())
	row := Load(Param("rows").Base(), GP64()).(reg.GPVirtual)
	x := Load(Param("x").Base(), GP64()).(reg.GPVirtual)
	n := Load(Param("x").Len(), GP64()).(reg.GPVirtual)
	for _, rows := range []int{v.rows, 1} {
		loop := fmt.Sprintf("rows%d", rows)
		Label(loop)
		CMPQ(count, U8(rows))
		JLT(LabelRef(loop + "_end"))
		starts := []reg.GPVirtual{row}
		for len(starts) < rows {
			next := GP64()
			LEAQ(Mem{Base: starts[len(starts)-1], Index: n, Scale: 4}, next)
			starts = append(starts, next)
		}
		for i, sum := range v.products(loop, starts, x, n) {
			VMOVSS(sum.AsX(), Mem{Base: dst, Disp: 4 * i})
		}
		LEAQ(Mem{Base: starts[rows-1], Index: n, Scale: 4}, row)
		ADDQ(U8(4*rows), dst)
		SUBQ(U8(rows), count)
		JMP(LabelRef(loop))
		Label(loop + "_end")
	}
	VZEROUPPER()
	RET()
}

// products emits the dot products of x, n values long, with the rows that
// begin at starts. The results are in the low lanes of the returned registers.
func (v isa) products(label string, starts []reg.GPVirtual, x, n reg.GPVirtual) []reg.VecVirtual {
	sums := make([][]reg.VecVirtual, len(starts))
	for r := range sums {
		sums[r] = v.zeroed(unroll)
	}
	left, offset := GP64(), GP64()
	MOVQ(n, left)
	XORQ(offset, offset)
	offsets := []reg.GPVirtual{offset}
	if len(starts) > 1 {
		ahead := GP64()
		IMUL3Q(U8(4*len(starts)), n, ahead)
		offsets = append(offsets, ahead)
	}
	v.walk(label, left, offsets, func(i int) {
		v.prefetch(starts, offsets[1:], i)
		value := v.vector()
		VMOVUPS(v.at(x, offset, i), value)
		for r, start := range starts {
			VFMADD231PS(v.at(start, offset, i), value, sums[r][i])
		}
	})
	for r := range sums {
		VADDPS(sums[r][1], sums[r][0], sums[r][0])
		VADDPS(sums[r][3], sums[r][2], sums[r][2])
		VADDPS(sums[r][2], sums[r][0], sums[r][0])
	}
	if v.masked {
		v.maskedProducts(label, starts, x, left, offset, sums)
	}
	totals := make([]reg.VecVirtual, len(starts))
	for r := range sums {
		totals[r] = v.sum(sums[r][0])
	}
	if !v.masked {
		v.scalarProducts(label, starts, x, left, offset, totals)
	}
	return totals
}

// prefetch asks for the values that the rows of the next block will need at
// this point. A prefetch past the end of memory does nothing.
func (v isa) prefetch(starts, ahead []reg.GPVirtual, i int) {
	const line = 64
	if i*v.lanes*4%line != 0 {
		return
	}
	for _, offset := range ahead {
		for _, start := range starts {
			PREFETCHT0(v.at(start, offset, i))
		}
	}
}

// walk emits the loops over whole registers: unroll at a time, then one at a
// time. It moves the offsets on and leaves the number of values over in left.
func (v isa) walk(label string, left reg.GPVirtual, offsets []reg.GPVirtual, body func(i int)) {
	for _, times := range []int{unroll, 1} {
		loop := fmt.Sprintf("%s_by%d", label, times)
		Label(loop)
		CMPQ(left, U8(times*v.lanes))
		JLT(LabelRef(loop + "_end"))
		for i := range times {
			body(i)
		}
		for _, offset := range offsets {
			ADDQ(U32(times*v.lanes*4), offset)
		}
		SUBQ(U8(times*v.lanes), left)
		JMP(LabelRef(loop))
		Label(loop + "_end")
	}
}

// maskedProducts adds the last left values to sums under a mask.
func (v isa) maskedProducts(label string, starts []reg.GPVirtual, x, left, offset reg.GPVirtual, sums [][]reg.VecVirtual) {
	TESTQ(left, left)
	JZ(LabelRef(label + "_sum"))
	k := restMask(left)
	value, factor := v.vector(), v.vector()
	VMOVUPS_Z(v.at(x, offset, 0), k, value)
	for r, start := range starts {
		VMOVUPS_Z(v.at(start, offset, 0), k, factor)
		VFMADD231PS(factor, value, sums[r][0])
	}
	Label(label + "_sum")
}

// scalarProducts adds the last left values to totals one at a time.
func (v isa) scalarProducts(label string, starts []reg.GPVirtual, x, left, offset reg.GPVirtual, totals []reg.VecVirtual) {
	Label(label + "_rest")
	TESTQ(left, left)
	JZ(LabelRef(label + "_done"))
	value := XMM()
	VMOVSS(v.at(x, offset, 0), value)
	for r, start := range starts {
		VFMADD231SS(v.at(start, offset, 0), value, totals[r].AsX())
	}
	ADDQ(U8(4), offset)
	DECQ(left)
	JMP(LabelRef(label + "_rest"))
	Label(label + "_done")
}

// addScaled emits addScaled(dst, x []float32, a float32).
func (v isa) addScaled() {
	TEXT("addScaled"+v.name, NOSPLIT, "func(dst, x []float32, a float32)")
	Pragma("noescape")
	Doc("addScaled" + v.name + " is addScaledGeneric in " + v.name + ".")
	dst := Load(Param("dst").Base(), GP64()).(reg.GPVirtual)
	x := Load(Param("x").Base(), GP64()).(reg.GPVirtual)
	left := Load(Param("x").Len(), GP64()).(reg.GPVirtual)
	a := v.vector()
	scale, err := Param("a").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(scale.Addr, a)
	offset := GP64()
	XORQ(offset, offset)
	v.walk("add", left, []reg.GPVirtual{offset}, func(i int) {
		sum := v.vector()
		VMOVUPS(v.at(dst, offset, i), sum)
		VFMADD231PS(v.at(x, offset, i), a, sum)
		VMOVUPS(sum, v.at(dst, offset, i))
	})
	v.addRest(dst, x, left, offset, a)
	VZEROUPPER()
	RET()
}

// addRest emits the last left values of addScaled.
func (v isa) addRest(dst, x, left, offset reg.GPVirtual, a reg.VecVirtual) {
	Label("rest")
	TESTQ(left, left)
	JZ(LabelRef("done"))
	if v.masked {
		k := restMask(left)
		sum, value := v.vector(), v.vector()
		VMOVUPS_Z(v.at(dst, offset, 0), k, sum)
		VMOVUPS_Z(v.at(x, offset, 0), k, value)
		VFMADD231PS(value, a, sum)
		VMOVUPS(sum, k, v.at(dst, offset, 0))
	} else {
		sum := XMM()
		VMOVSS(v.at(dst, offset, 0), sum)
		VFMADD231SS(v.at(x, offset, 0), a.AsX(), sum)
		VMOVSS(sum, v.at(dst, offset, 0))
		ADDQ(U8(4), offset)
		DECQ(left)
		JMP(LabelRef("rest"))
	}
	Label("done")
}
