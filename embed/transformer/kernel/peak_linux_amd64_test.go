//go:build !purego

package kernel

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// peaks are the loops that only repeat the instruction of a product.
var peaks = map[Path]map[DType]struct {
	loop  func(turns int)
	group int
}{
	AVX2:       {F32: {peakF32AVX2, 1}, BF16: {peakF32AVX2, 1}, Int8: {peakInt8WideAVX2, 2}},
	AVX512:     {F32: {peakF32AVX512, 1}, BF16: {peakF32AVX512, 1}, Int8: {peakInt8WideAVX512, 2}},
	AVX512VNNI: {Int8: {peakInt8AVX512, 4}},
	AVX512BF16: {BF16: {peakBF16AVX512, 2}},
}

// BenchmarkShareOfPeak compares each product, and a whole layer, with the rate
// at which the instruction of the product goes when it waits for nothing. The
// two take turns in short runs, timed by the thread's own clock, and medians
// are reported, so that other load on the machine has little influence.
func BenchmarkShareOfPeak(b *testing.B) {
	for _, p := range Paths()[1:] {
		for _, d := range dtypes {
			if peak, ok := peaks[p][d]; ok {
				b.Run(fmt.Sprintf("%s/%s", p, d), func(b *testing.B) { benchmarkShares(b, p, d, peak.loop, peak.group) })
			}
		}
	}
}

func benchmarkShares(b *testing.B, p Path, d DType, peak func(turns int), group int) {
	l := p.loops()
	limit := func(turns int) float64 {
		return float64(turns*4*l.rows*l.cols*group) / threadTime(func() { peak(turns) })
	}
	for _, texts := range []int{1, 8, 32} {
		e, rows := newEncoderLayer(b, p, d, texts), texts*tokens
		for _, x := range []struct {
			m        *Matrix
			dst, src []float32
			epilogue Epilogue
		}{
			{e.out, e.states, e.mixed, Epilogue{Residual: e.states}},
			{e.up, e.expanded, e.states, Epilogue{}},
			{e.down, e.states, e.expanded, Epilogue{Residual: e.states}},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d", rows, x.m.in, x.m.out), func(b *testing.B) {
				reportShare(b, limit, rows*x.m.in*x.m.out, func() { x.m.Multiply(x.dst, x.src, rows, x.epilogue, &e.scratch) })
			})
		}
		b.Run(fmt.Sprintf("layer/%dtexts", texts), func(b *testing.B) {
			reportShare(b, limit, rows*(4*width*width+2*width*hidden), e.run)
		})
	}
}

// reportShare reports how many multiplications and additions work does per
// second, and what share that is of the limit.
func reportShare(b *testing.B, limit func(turns int) float64, products int, work func()) {
	var rates, limits []float64
	for b.Loop() {
		limits = append(limits, limit(1<<11))
		rates = append(rates, float64(products)/threadTime(work))
	}
	slices.Sort(rates)
	slices.Sort(limits)
	rate, peak := rates[len(rates)/2], limits[len(limits)/2]
	b.ReportMetric(2*rate/1e9, "GFLOP/s")
	b.ReportMetric(100*rate/peak, "%peak")
	b.ReportMetric(0, "ns/op")
}

// threadTime returns the seconds that work takes of this thread's time.
func threadTime(work func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadClock()
	work()
	return (threadClock() - start).Seconds()
}

func threadClock() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
