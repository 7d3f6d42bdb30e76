package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An isa is an instruction set that the kernels are written for.
type isa struct {
	name string
	// lanes is the number of float32 values in a register.
	lanes int
	// rows is the number of rows that dotRows and dotPanel walk at once, so
	// that each load of x serves all of them.
	rows int
	// masked says that the rest of a vector is handled with a mask instead
	// of one value at a time.
	masked bool
}

var (
	avx2   = isa{name: "AVX2", lanes: 8, rows: 2}
	avx512 = isa{name: "AVX512", lanes: 16, rows: 4, masked: true}
)

// unroll is the number of registers' worth of values in a turn of the main
// loop: enough independent sums to hide the latency of a fused multiply-add.
const unroll = 4

// vector returns a fresh register of full width.
func (v isa) vector() reg.VecVirtual {
	if v.masked {
		return ZMM()
	}
	return YMM()
}

// zero clears registers.
func (v isa) zero(regs ...reg.VecVirtual) {
	for _, r := range regs {
		if v.masked {
			VPXORD(r, r, r)
		} else {
			VXORPS(r, r, r)
		}
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

// sum adds up the lanes of r and returns r, the result in its low lane.
func (v isa) sum(r reg.VecVirtual) reg.VecVirtual {
	other := v.vector()
	add := func() { VADDPS(other, r, r) }
	if v.masked {
		VSHUFF32X4(U8(0b01_00_11_10), r, r, other)
		add()
		VSHUFF32X4(U8(0b10_11_00_01), r, r, other)
		add()
	} else {
		VPERM2F128(U8(1), r, r, other)
		add()
	}
	VPERMILPS(U8(0b01_00_11_10), r, other)
	add()
	VPERMILPS(U8(0b10_11_00_01), r, other)
	add()
	return r
}

// restMask sets a mask register to the low `rest` lanes, rest being less than
// the lanes of a register.
func restMask(rest reg.GPVirtual) reg.OpmaskVirtual {
	bits, k := GP64(), K()
	MOVQ(rest, reg.RCX)
	MOVQ(U32(1), bits)
	SHLQ(reg.CL, bits)
	DECQ(bits)
	KMOVW(bits.As32(), k)
	return k
}

// at is the float32 vector number i after offset bytes from base.
func (v isa) at(base, offset reg.Register, i int) Mem {
	return Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.lanes * 4}
}
