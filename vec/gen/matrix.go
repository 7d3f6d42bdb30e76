package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// panel is the number of vectors that dotPanel takes.
const panel = 4

// dotPanel emits dotPanel(dst, rows, xs []float32, count, stride int): tiles of
// v.rows rows by the vectors of the panel, then of one row.
func (v isa) dotPanel() {
	TEXT("dotPanel"+v.name, NOSPLIT, "func(dst, rows, xs []float32, count, stride int)")
	Pragma("noescape")
	Doc("dotPanel" + v.name + " is dotPanelGeneric in " + v.name + ".")
	dst := Load(Param("dst").Base(), GP64())
	count := Load(Param("count"), GP64())
	stride := Load(Param("stride"), GP64())
	SHLQ(U8(2), stride)
	rows := newSide("rows")
	for _, height := range []int{v.rows, 1} {
		loop := fmt.Sprintf("rows%d", height)
		Label(loop)
		CMPQ(count, U8(height))
		JLT(LabelRef(loop + "_end"))
		sums := v.tile(loop, rows, height)
		to := GP64()
		MOVQ(dst, to)
		for i := range sums {
			for r, sum := range sums[i] {
				VMOVSS(sum.AsX(), Mem{Base: to, Disp: 4 * r})
			}
			ADDQ(stride, to)
		}
		for range height {
			ADDQ(rows.width, rows.start)
		}
		ADDQ(U8(4*height), dst)
		SUBQ(U8(height), count)
		JMP(LabelRef(loop))
		Label(loop + "_end")
	}
	VZEROUPPER()
	RET()
}

// A side of a tile is up to four vectors, one after the other in memory.
type side struct {
	start reg.GPVirtual
	// width is that of a vector in bytes, and thrice three times that.
	width, thrice reg.GPVirtual
}

// newSide loads the side that begins at a parameter. Since xs holds four
// vectors of four-byte values, its length is the width of one.
func newSide(param string) side {
	start := Load(Param(param).Base(), GP64()).(reg.GPVirtual)
	width := Load(Param("xs").Len(), GP64()).(reg.GPVirtual)
	thrice := GP64()
	LEAQ(Mem{Base: width, Index: width, Scale: 2}, thrice)
	return side{start, width, thrice}
}

// at is where vector number i of the side goes on.
func (s side) at(i int) Mem {
	switch i {
	case 0:
		return Mem{Base: s.start}
	case 3:
		return Mem{Base: s.start, Index: s.thrice, Scale: 1}
	default:
		return Mem{Base: s.start, Index: s.width, Scale: uint8(i)}
	}
}

// tile emits the dot products of the panel's vectors with as many rows as the
// tile is high. They are in the low lanes of the returned registers, by vector,
// then by row. A sum has one register, and each value loaded serves a whole side
// of the tile.
func (v isa) tile(label string, rows side, height int) [][]reg.VecVirtual {
	xs := newSide("xs")
	start, left := GP64(), GP64()
	MOVQ(rows.start, start)
	rows.start = start
	MOVQ(xs.width, left)
	SHRQ(U8(2), left)
	sums := make([][]reg.VecVirtual, panel)
	for i := range sums {
		sums[i] = v.zeroed(height)
	}
	Label(label + "_whole")
	CMPQ(left, U8(v.lanes))
	JLT(LabelRef(label + "_rest"))
	v.addProducts(rows, xs, sums, func(from Mem, to reg.VecVirtual) { VMOVUPS(from, to) })
	ADDQ(U8(v.lanes*4), rows.start)
	ADDQ(U8(v.lanes*4), xs.start)
	SUBQ(U8(v.lanes), left)
	JMP(LabelRef(label + "_whole"))
	Label(label + "_rest")
	if v.masked {
		v.maskedTile(label, rows, xs, left, sums)
	}
	for i := range sums {
		for r := range sums[i] {
			v.sum(sums[i][r])
		}
	}
	if !v.masked {
		v.scalarTile(label, rows, xs, left, sums)
	}
	return sums
}

// addProducts adds to sums the products of a register's worth of values of
// each vector, which load gets.
func (v isa) addProducts(rows, xs side, sums [][]reg.VecVirtual, load func(from Mem, to reg.VecVirtual)) {
	values := make([]reg.VecVirtual, len(sums[0]))
	for r := range values {
		values[r] = v.vector()
		load(rows.at(r), values[r])
	}
	for i := range sums {
		value := v.vector()
		load(xs.at(i), value)
		for r := range values {
			VFMADD231PS(values[r], value, sums[i][r])
		}
	}
}

// maskedTile adds the products of the last left values under a mask.
func (v isa) maskedTile(label string, rows, xs side, left reg.GPVirtual, sums [][]reg.VecVirtual) {
	TESTQ(left, left)
	JZ(LabelRef(label + "_sum"))
	k := restMask(left)
	v.addProducts(rows, xs, sums, func(from Mem, to reg.VecVirtual) { VMOVUPS_Z(from, k, to) })
	Label(label + "_sum")
}

// scalarTile adds the products of the last left values one at a time.
func (v isa) scalarTile(label string, rows, xs side, left reg.GPVirtual, sums [][]reg.VecVirtual) {
	Label(label + "_one")
	TESTQ(left, left)
	JZ(LabelRef(label + "_done"))
	for i := range sums {
		value := XMM()
		VMOVSS(xs.at(i), value)
		for r := range sums[i] {
			VFMADD231SS(rows.at(r), value, sums[i][r].AsX())
		}
	}
	ADDQ(U8(4), rows.start)
	ADDQ(U8(4), xs.start)
	DECQ(left)
	JMP(LabelRef(label + "_one"))
	Label(label + "_done")
}
