package kernel

// A Path is a set of instructions for which the kernels are written. Each path
// includes those before it, and every number format works on every path.
type Path uint8

const (
	// Generic is plain Go.
	Generic Path = iota
	// AVX2 is AVX2 with fused multiply-add.
	AVX2
	// AVX512 is AVX-512 F, BW, DQ and VL, as from Skylake-X on.
	AVX512
	// AVX512VNNI adds products of bytes, as from Cascade Lake on.
	AVX512VNNI
	// AVX512BF16 adds products of bfloat16 pairs, as from Cooper Lake and
	// Zen 4 on.
	AVX512BF16
)

// String returns the name of the instruction set.
func (p Path) String() string {
	switch p {
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	case AVX512VNNI:
		return "avx512vnni"
	case AVX512BF16:
		return "avx512bf16"
	}
	return "unknown"
}

// Native says whether the path has instructions for products of d. Where it
// has none, the values are rounded as d asks and widened before the product,
// which saves memory but no time.
func (p Path) Native(d DType) bool {
	switch d {
	case BF16:
		return p >= AVX512BF16
	case Int8:
		return p >= AVX512VNNI
	}
	return true
}

// Best returns the widest path that this CPU runs.
func Best() Path { return best }

// Paths returns every path that this CPU runs, [Generic] first, [Best] last.
func Paths() []Path {
	var all []Path
	for p := Generic; p <= best; p++ {
		all = append(all, p)
	}
	return all
}
