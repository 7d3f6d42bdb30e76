package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An isa is an instruction set that the loops are written for.
type isa struct {
	name string
	// lanes is the number of float32 values in a vector register.
	lanes int
	// rows is the height of a product's register tile, which is two vectors
	// wide. Its sums, the two vectors of weights and two more fill the
	// register file.
	rows int
	// registers are all vector registers.
	registers []reg.VecPhysical
}

var (
	avx2 = isa{name: "AVX2", lanes: 8, rows: 6, registers: []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}}
	avx512 = isa{name: "AVX512", lanes: 16, rows: 14, registers: []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}}
)

// wide says that registers have 512 bits.
func (v isa) wide() bool { return v.lanes == 16 }

// width is the size of a register in bytes.
func (v isa) width() int { return v.lanes * 4 }

// vector returns a fresh register of full width.
func (v isa) vector() reg.VecVirtual {
	if v.wide() {
		return ZMM()
	}
	return YMM()
}

// zero clears a register.
func (v isa) zero(r reg.Register) {
	if v.wide() {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// zeroed returns n cleared registers.
func (v isa) zeroed(n int) []reg.VecVirtual {
	regs := make([]reg.VecVirtual, n)
	for i := range regs {
		regs[i] = v.vector()
		v.zero(regs[i])
	}
	return regs
}

// begin starts a function, whose name gets the instruction set appended.
func (v isa) begin(name, signature, doc string) {
	TEXT(name+v.name, NOSPLIT, "func"+signature)
	Pragma("noescape")
	Doc(name + v.name + " " + doc)
}

// end returns from a function.
func end() {
	VZEROUPPER()
	RET()
}

// base loads the address of a slice parameter.
func base(name string) reg.GPVirtual { return Load(Param(name).Base(), GP64()).(reg.GPVirtual) }

// length loads the length of a slice parameter.
func length(name string) reg.GPVirtual { return Load(Param(name).Len(), GP64()).(reg.GPVirtual) }

// integer loads an int parameter.
func integer(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// stride loads a distance in elements of 1<<shift bytes, as bytes.
func stride(name string, shift int) reg.GPVirtual {
	r := integer(name)
	if shift > 0 {
		SHLQ(U8(shift), r)
	}
	return r
}

// parameter broadcasts a float32 parameter.
func (v isa) parameter(name string) reg.VecVirtual {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	r := v.vector()
	VBROADCASTSS(p.Addr, r)
	return r
}

// constants holds the ones already written, by their bits.
var constants = map[uint32]Mem{}

// constant returns an operand with x in every lane: a register where there are
// many, memory else. Call it before a loop, use it within.
func (v isa) constant(x float64) Op { return v.bits(math.Float32bits(float32(x))) }

// bits is constant for the bits of a value.
func (v isa) bits(b uint32) Op {
	m, ok := constants[b]
	if !ok {
		m = GLOBL(fmt.Sprintf("lanes%08x", b), RODATA|NOPTR)
		for i := range avx2.lanes {
			DATA(4*i, U32(b))
		}
		constants[b] = m
	}
	if !v.wide() {
		return m
	}
	r := ZMM()
	VBROADCASTSS(m, r)
	return r
}

// inRegister returns a constant as a register.
func (v isa) inRegister(constant Op) reg.VecVirtual {
	if r, ok := constant.(reg.VecVirtual); ok {
		return r
	}
	r := v.vector()
	VMOVUPS(constant, r)
	return r
}

// fold combines all lanes of r with op and leaves the result in every lane.
func (v isa) fold(op func(...Op), r reg.VecVirtual) {
	other := v.vector()
	if v.wide() {
		VSHUFF32X4(U8(0b01_00_11_10), r, r, other)
		op(other, r, r)
		VSHUFF32X4(U8(0b10_11_00_01), r, r, other)
	} else {
		VPERM2F128(U8(1), r, r, other)
	}
	op(other, r, r)
	VPERMILPS(U8(0b01_00_11_10), r, other)
	op(other, r, r)
	VPERMILPS(U8(0b10_11_00_01), r, other)
	op(other, r, r)
}

// join combines registers pairwise with op and returns the first, which then
// holds the result.
func join(op func(...Op), regs []reg.VecVirtual) reg.VecVirtual {
	for n := len(regs); n > 1; n /= 2 {
		for i := range n / 2 {
			op(regs[i+n/2], regs[i], regs[i])
		}
	}
	return regs[0]
}

// unroll is the number of vectors in a turn of the loops along a row, with a
// sum for each, so that the additions overlap.
const unroll = 4

// walk emits loops along a row of count vectors: unroll at a time, then one at
// a time. body gets the number of the vector within a turn; place is the number
// of values before the turn.
func (v isa) walk(label string, count, place reg.GPVirtual, body func(i int)) {
	left := GP64()
	MOVQ(count, left)
	XORQ(place, place)
	for _, times := range []int{unroll, 1} {
		loop := fmt.Sprintf("%s%d", label, times)
		Label(loop)
		CMPQ(left, U8(times))
		JLT(LabelRef(loop + "end"))
		for i := range times {
			body(i)
		}
		ADDQ(U8(times*v.lanes), place)
		SUBQ(U8(times), left)
		JMP(LabelRef(loop))
		Label(loop + "end")
	}
}

// vectors turns a number of float32 values into one of vectors.
func (v isa) vectors(values reg.GPVirtual) {
	if v.wide() {
		SHRQ(U8(4), values)
	} else {
		SHRQ(U8(3), values)
	}
}

// at is the vector number i after place in a row of float32 values.
func (v isa) at(base, place reg.Register, i int) Mem {
	return Mem{Base: base, Index: place, Scale: 4, Disp: i * v.width()}
}
