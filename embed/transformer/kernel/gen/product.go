package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A format is how a product takes its operands. A group of activations always
// has four bytes, which are broadcast to all lanes.
type format struct {
	name string
	// a and b are the element types, aShift the base-two logarithm of the
	// size of a.
	a, b   string
	aShift int
	// narrow says that weights have half the width they are multiplied in.
	narrow bool
	// quantised says that sums are integers to be scaled.
	quantised bool
	// strided says that activations of a row need not be adjacent.
	strided bool
	// spare says that add needs a register of its own.
	spare bool
	// runs says whether an instruction set has what it takes.
	runs func(isa) bool
	// load reads one vector of weights.
	load func(from Mem, to reg.VecPhysical)
	// add adds weights times activations to a sum.
	add func(weights, activations, sum, spare reg.VecPhysical)
}

var (
	f32 = format{
		name: "F32", a: "float32", b: "float32", aShift: 2, strided: true,
		runs: anywhere, load: loadVector, add: addProduct,
	}
	bf16 = format{
		name: "BF16", a: "uint16", b: "uint16", aShift: 1,
		runs: isa.wide, load: loadVector,
		add: func(weights, activations, sum, _ reg.VecPhysical) { vdpbf16ps(weights, activations, sum) },
	}
	bf16Wide = format{
		name: "BF16Wide", a: "float32", b: "uint16", aShift: 2, narrow: true,
		runs: anywhere, add: addProduct,
		load: func(from Mem, to reg.VecPhysical) {
			VPMOVZXWD(from, to)
			VPSLLD(U8(16), to, to)
		},
	}
	int8Native = format{
		name: "Int8", a: "uint8", b: "int8", quantised: true,
		runs: isa.wide, load: loadVector,
		add: func(weights, activations, sum, _ reg.VecPhysical) { VPDPBUSD(weights, activations, sum) },
	}
	int8Wide = format{
		name: "Int8Wide", a: "int16", b: "int8", aShift: 1, narrow: true, quantised: true, spare: true,
		runs: anywhere,
		load: func(from Mem, to reg.VecPhysical) { VPMOVSXBW(from, to) },
		add: func(weights, activations, sum, spare reg.VecPhysical) {
			VPMADDWD(weights, activations, spare)
			VPADDD(spare, sum, sum)
		},
	}
)

func anywhere(isa) bool { return true }

func loadVector(from Mem, to reg.VecPhysical) { VMOVUPS(from, to) }

func addProduct(weights, activations, sum, _ reg.VecPhysical) {
	VFMADD231PS(weights, activations, sum)
}

// vdpbf16ps emits VDPBF16PS weights, activations, sum, which the assembler
// does not know: EVEX.512.F3.0F38.W0 52 /r.
func vdpbf16ps(weights, activations, sum reg.VecPhysical) {
	r, vvvv, rm := int(sum.PhysicalIndex()), int(activations.PhysicalIndex()), int(weights.PhysicalIndex())
	inverted := func(n, bit int) int { return ^n >> bit & 1 }
	p0 := inverted(r, 3)<<7 | inverted(rm, 4)<<6 | inverted(rm, 3)<<5 | inverted(r, 4)<<4 | 2
	p1 := (^vvvv&15)<<3 | 4 | 2
	p2 := 0x40 | inverted(vvvv, 4)<<3
	raw("LONG", 0x62|p0<<8|p1<<16|p2<<24)
	raw("WORD", 0x52|(0xc0|(r&7)<<3|rm&7)<<8)
}

// raw emits an assembler directive.
func raw(directive string, value int) {
	Instruction(&ir.Instruction{Opcode: directive, Operands: []Op{Imm(uint64(value))}})
}

// product emits loops.f32 and its like: for each height of a tile one loop,
// which keeps all sums in registers.
func (v isa) product(f format) {
	v.begin("product"+f.name, f.signature(), "multiplies one tile, see loops.")
	a := f.activations()
	b, k, rows, panel := base("b"), integer("k"), integer("rows"), GP64()
	IMUL3Q(U32(2*v.weightStep(f)), k, panel)
	for _, r := range v.sums(v.rows) {
		v.zero(r)
	}
	for height := v.rows; height > 1; height-- {
		CMPQ(rows, U8(height))
		JEQ(LabelRef(fmt.Sprintf("rows%d", height)))
	}
	for height := 1; height <= v.rows; height++ {
		v.productLoop(f, height, a, b, k, panel)
	}
	Label("store")
	v.storeTile(f, rows)
}

// sums are the registers of the first rows of a tile, two for each row.
func (v isa) sums(rows int) []reg.VecPhysical { return v.registers[:2*rows] }

// spares are the registers that are not sums.
func (v isa) spares() []reg.VecPhysical { return v.registers[2*v.rows:] }

// weightStep is the size in bytes of one vector of weights in memory.
func (v isa) weightStep(f format) int {
	if f.narrow {
		return v.width() / 2
	}
	return v.width()
}

// productLoop emits the loop over k for one height of a tile. While it reads
// one panel of weights it asks for the next one, panel bytes ahead, so that
// weights have reached the second-level cache when their turn comes. After the
// last panel that may be an address without memory, which does no harm.
func (v isa) productLoop(f format, height int, a activations, b, k, panel reg.GPVirtual) {
	loop := fmt.Sprintf("rows%d", height)
	raw("PCALIGN", 64)
	Label(loop)
	sums, spares, step := v.sums(height), v.spares(), v.weightStep(f)
	f.load(Mem{Base: b}, spares[0])
	f.load(Mem{Base: b, Disp: step}, spares[1])
	for r := range height {
		group := spares[2+r%2]
		if f.spare {
			group = spares[2]
		}
		VBROADCASTSS(a.row(r), group)
		f.add(spares[0], group, sums[2*r], spares[3])
		f.add(spares[1], group, sums[2*r+1], spares[3])
	}
	for line := 0; line < 2*step; line += 64 {
		PREFETCHT1(Mem{Base: b, Index: panel, Scale: 1, Disp: line})
	}
	ADDQ(U32(2*step), b)
	for i := range (height + 4) / 5 {
		ADDQ(a.step, a.bases[i])
	}
	DECQ(k)
	JNZ(LabelRef(loop))
	if height < v.rows {
		JMP(LabelRef("store"))
	}
}

// activations address the rows of a tile: bases five rows apart, from which
// one to four times the distance of rows can be added.
type activations struct {
	bases     [3]reg.GPVirtual
	lda, lda3 reg.GPVirtual // once and three times the distance
	step      Op            // from one group of a row to the next
}

// activations loads the parameters of a product that concern activations.
func (f format) activations() activations {
	a := activations{bases: [3]reg.GPVirtual{base("a"), GP64(), GP64()}, lda: stride("lda", f.aShift), lda3: GP64(), step: U8(4)}
	LEAQ(Mem{Base: a.lda, Index: a.lda, Scale: 2}, a.lda3)
	for i := range 2 {
		LEAQ(Mem{Base: a.bases[i], Index: a.lda, Scale: 4}, a.bases[i+1])
		ADDQ(a.lda, a.bases[i+1])
	}
	if f.strided {
		a.step = stride("step", f.aShift)
	}
	return a
}

// row is the address of row r.
func (a activations) row(r int) Mem {
	m := Mem{Base: a.bases[r/5], Index: a.lda, Scale: 1}
	switch r % 5 {
	case 0:
		return Mem{Base: m.Base}
	case 2:
		m.Scale = 2
	case 3:
		m.Index = a.lda3
	case 4:
		m.Scale = 4
	}
	return m
}

// signature is that of a product.
func (f format) signature() string {
	step, scales := "", ""
	if f.strided {
		step = " step int,"
	}
	if f.quantised {
		scales = ", steps []float32, columns []float32"
	}
	return fmt.Sprintf("(c []float32, ldc int, a []%s, lda int,%s b []%s, k int, rows int%s, bias []float32, residual []float32)", f.a, step, f.b, scales)
}

// storeTile writes the sums of rows, with bias and residual added, to c. It asks
// for the memory of the tile below, which is written next: results seldom are in
// the cache.
func (v isa) storeTile(f format, rows reg.GPVirtual) {
	c, ldc, bias, residual, below := base("c"), stride("ldc", 2), base("bias"), base("residual"), GP64()
	IMUL3Q(U8(v.rows), ldc, below)
	var steps, columns reg.GPVirtual
	if f.quantised {
		steps, columns = base("steps"), base("columns")
	}
	for r := range v.rows {
		sums := v.sums(v.rows)[2*r : 2*r+2]
		if f.quantised {
			v.dequantise(sums, Mem{Base: steps, Disp: 8 * r}, columns)
		}
		v.addVectors(bias, sums)
		alone := fmt.Sprintf("alone%d", r)
		TESTQ(residual, residual)
		JZ(LabelRef(alone))
		v.addVectors(residual, sums)
		ADDQ(ldc, residual)
		Label(alone)
		for i, sum := range sums {
			VMOVUPS(sum, Mem{Base: c, Disp: i * v.width()})
		}
		for line := 0; line < 2*v.width(); line += 64 {
			PREFETCHT0(Mem{Base: c, Index: below, Scale: 1, Disp: line})
		}
		if r < v.rows-1 {
			ADDQ(ldc, c)
			DECQ(rows)
			JZ(LabelRef("done"))
		}
	}
	Label("done")
	end()
}

// addVectors adds what is at an address to a row of sums.
func (v isa) addVectors(from reg.GPVirtual, sums []reg.VecPhysical) {
	for i, sum := range sums {
		VADDPS(Mem{Base: from, Disp: i * v.width()}, sum, sum)
	}
}

// dequantise turns a row of integer sums into (sum-zero*columns.sum)*scale*columns.scale,
// step being the address of scale and zero.
func (v isa) dequantise(sums []reg.VecPhysical, step Mem, columns reg.GPVirtual) {
	scale, zero := v.spares()[0], v.spares()[1]
	VBROADCASTSS(step, scale)
	VBROADCASTSS(step.Offset(4), zero)
	for i, sum := range sums {
		VCVTDQ2PS(sum, sum)
		VFNMADD231PS(Mem{Base: columns, Disp: i * v.width()}, zero, sum)
		VMULPS(scale, sum, sum)
		VMULPS(Mem{Base: columns, Disp: (2 + i) * v.width()}, sum, sum)
	}
}

// peak emits a loop that does nothing but add products of tiles, four in each
// turn, on registers: as fast as the instruction goes.
func (v isa) peak(f format) {
	v.begin("peak"+f.name, "(turns int)", "adds the products of four tiles in each turn, without memory.")
	n := integer("turns")
	for _, r := range v.registers {
		v.zero(r)
	}
	raw("PCALIGN", 64)
	Label("turn")
	for range 4 {
		for _, sum := range v.sums(v.rows) {
			f.add(v.spares()[0], v.spares()[2], sum, v.spares()[3])
		}
	}
	DECQ(n)
	JNZ(LabelRef("turn"))
	end()
}
