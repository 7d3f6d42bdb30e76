//go:build !purego

package kernel

import (
	"fmt"
	"math/rand/v2"
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

// BenchmarkShareOfPeak compares each product with the rate at which its
// instruction goes when it waits for nothing. The two take turns, timed by the
// thread's own clock, and the median is reported, so that other load on the
// machine has little influence.
func BenchmarkShareOfPeak(b *testing.B) {
	for _, p := range Paths()[1:] {
		for _, d := range dtypes {
			peak, ok := peaks[p][d]
			if !ok {
				continue
			}
			for _, shape := range []struct{ rows, in, out int }{{768, 768, 768}, {768, 768, 3072}, {768, 3072, 768}, {24, 768, 3072}} {
				l := randomLayer(rand.New(rand.NewPCG(1, 2)), shape.rows, shape.in, shape.out)
				m, err := Pack(p, d, l.weights, l.bias, l.out, l.in)
				if err != nil {
					b.Fatal(err)
				}
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", p, d, l.rows, l.in, l.out), func(b *testing.B) {
					benchmarkShare(b, l, m, peak.loop, peak.group)
				})
			}
		}
	}
}

func benchmarkShare(b *testing.B, l layer, m *Matrix, peak func(turns int), group int) {
	const turns = 1 << 15
	dst, s := make([]float32, l.rows*l.out), new(Scratch)
	var rates, limits []float64
	for b.Loop() {
		limits = append(limits, turns*float64(m.loops.rows*m.loops.cols*group)/threadTime(func() { peak(turns) }))
		rates = append(rates, float64(l.rows*l.in*l.out)/threadTime(func() { m.Multiply(dst, l.src, l.rows, Epilogue{}, s) }))
	}
	slices.Sort(rates)
	slices.Sort(limits)
	rate, limit := rates[len(rates)/2], limits[len(limits)/2]
	b.ReportMetric(2*rate/1e9, "GFLOP/s")
	b.ReportMetric(100*rate/limit, "%peak")
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
