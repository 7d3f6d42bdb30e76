package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose emits loops.transpose. A panel is two vectors wide; each half is
// made of square blocks as wide as a vector. In place of rows that are missing
// it takes the last one again.
func (v isa) transpose() {
	v.begin("transpose", "(dst []float32, src []float32, ld int, rows int, k int)", "lays out a panel of queries, see loops.")
	dst, src, ld, rows := base("dst"), base("src"), stride("ld", 2), integer("rows")
	for half := range 2 {
		v.transposeHalf(fmt.Sprintf("half%d", half), dst, src, ld, rows)
		SUBQ(U8(v.lanes), rows)
		JLE(LabelRef("done"))
		if half == 0 {
			skipped := GP64()
			IMUL3Q(U8(v.lanes), ld, skipped)
			ADDQ(skipped, src)
			ADDQ(U8(v.width()), dst)
		}
	}
	Label("done")
	end()
}

// transposeHalf emits the loop over the blocks of one half of a panel.
func (v isa) transposeHalf(label string, dst, src, ld, rows reg.GPVirtual) {
	from, to, left := GP64(), GP64(), integer("k")
	MOVQ(src, from)
	MOVQ(dst, to)
	Label(label)
	x := v.loadRows(from, ld, rows)
	for i, column := range v.transposed(x) {
		VMOVUPS(column, Mem{Base: to, Disp: 2 * i * v.width()})
	}
	ADDQ(U8(v.width()), from)
	ADDQ(U32(2*v.width()*v.lanes), to)
	SUBQ(U8(v.lanes), left)
	JNZ(LabelRef(label))
}

// loadRows loads one vector from each row of a block.
func (v isa) loadRows(from, ld, rows reg.GPVirtual) []reg.VecVirtual {
	row, next := GP64(), GP64()
	MOVQ(from, row)
	x := make([]reg.VecVirtual, v.lanes)
	for i := range x {
		x[i] = v.vector()
		VMOVUPS(Mem{Base: row}, x[i])
		if i < v.lanes-1 {
			LEAQ(Mem{Base: row, Index: ld, Scale: 1}, next)
			CMPQ(rows, U8(i+1))
			CMOVQGT(next, row)
		}
	}
	return x
}

// transposed returns the columns of a square block whose rows are x: first
// within quarters of the registers, four rows at a time, then the quarters.
func (v isa) transposed(x []reg.VecVirtual) []reg.VecVirtual {
	for i := 0; i < v.lanes; i += 2 {
		x[i], x[i+1] = v.pair(unpackLow32, unpackHigh32, x[i], x[i+1])
	}
	for i := 0; i < v.lanes; i += 4 {
		x[i], x[i+2] = v.pair(unpackLow64, unpackHigh64, x[i], x[i+2])
		x[i+1], x[i+3] = v.pair(unpackLow64, unpackHigh64, x[i+1], x[i+3])
		x[i+1], x[i+2] = x[i+2], x[i+1]
	}
	columns := make([]reg.VecVirtual, v.lanes)
	for i := range 4 {
		if !v.wide() {
			columns[i], columns[4+i] = v.pair(v.quarters(0x20), v.quarters(0x31), x[i], x[4+i])
			continue
		}
		even, odd := v.quarters(0x88), v.quarters(0xdd)
		a, b := v.pair(even, odd, x[i], x[4+i])
		c, d := v.pair(even, odd, x[8+i], x[12+i])
		columns[i], columns[8+i] = v.pair(even, odd, a, c)
		columns[4+i], columns[12+i] = v.pair(even, odd, b, d)
	}
	return columns
}

// quarters selects 128-bit parts from two registers.
func (v isa) quarters(selection uint8) func(b, a, to Op) {
	return func(b, a, to Op) {
		if v.wide() {
			VSHUFF32X4(U8(selection), b, a, to)
		} else {
			VPERM2F128(U8(selection), b, a, to)
		}
	}
}

// pair returns two combinations of a and b.
func (v isa) pair(first, second func(b, a, to Op), a, b reg.VecVirtual) (x, y reg.VecVirtual) {
	x, y = v.vector(), v.vector()
	first(b, a, x)
	second(b, a, y)
	return x, y
}

func unpackLow32(b, a, to Op)  { VUNPCKLPS(b, a, to) }
func unpackHigh32(b, a, to Op) { VUNPCKHPS(b, a, to) }
func unpackLow64(b, a, to Op)  { VUNPCKLPD(b, a, to) }
func unpackHigh64(b, a, to Op) { VUNPCKHPD(b, a, to) }
