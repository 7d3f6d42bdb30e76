//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

var best = bestOf(
	cpu.X86.HasAVX2 && cpu.X86.HasFMA,
	cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL,
	cpu.X86.HasAVX512VNNI,
	cpu.X86.HasAVX512BF16,
)

// bestOf returns the last path up to which the CPU has everything, given what
// each path after Generic adds.
func bestOf(has ...bool) Path {
	p := Generic
	for _, ok := range has {
		if !ok {
			break
		}
		p++
	}
	return p
}

// loops returns the inner loops of p.
func (p Path) loops() *loops { return paths[p] }

var paths = [...]*loops{&generic, &avx2, avx512(AVX512), avx512(AVX512VNNI), avx512(AVX512BF16)}

var avx2 = loops{
	rows: 6, cols: 16,
	f32:          productF32AVX2,
	bf16Wide:     productBF16WideAVX2,
	int8Wide:     productInt8WideAVX2,
	activate:     [activations]func(c []float32, ldc, rows int){GELU: geluAVX2, GELUTanh: geluTanhAVX2, ReLU: reluAVX2},
	roundWide:    roundWide,
	quantiseWide: quantiseWide,
	transpose:    wholeTranspose(transposeAVX2, 8),
	gather:       gatherAVX2,
	softmax:      softmaxAVX2,
	layerNorm:    wholeNorm(layerNormAVX2, 8),
}

// avx512 returns the inner loops of AVX-512, with the native products that p
// adds. What has no native product shares its conversions with AVX2.
func avx512(p Path) *loops {
	l := &loops{
		rows: 14, cols: 32,
		f32:          productF32AVX512,
		bf16Wide:     productBF16WideAVX512,
		int8Wide:     productInt8WideAVX512,
		activate:     [activations]func(c []float32, ldc, rows int){GELU: geluAVX512, GELUTanh: geluTanhAVX512, ReLU: reluAVX512},
		roundWide:    avx2.roundWide,
		quantiseWide: quantiseWide,
		transpose:    wholeTranspose(transposeAVX512, 16),
		gather:       gatherAVX512,
		softmax:      softmaxAVX512,
		layerNorm:    wholeNorm(layerNormAVX512, 16),
	}
	if p.Native(Int8) {
		l.int8, l.int8Wide = productInt8AVX512, nil
		l.quantise, l.quantiseWide = quantise, nil
	}
	if p.Native(BF16) {
		l.bf16, l.bf16Wide = productBF16AVX512, nil
		l.round, l.roundWide = round, nil
	}
	return l
}
