package train

import (
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// parallel calls do with 0 to n-1, on all cores, and returns the first error.
// What do writes must not depend on the order of the calls.
func parallel(n int, do func(i int) error) error {
	var group errgroup.Group
	var next atomic.Int64
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := do(i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// chunkRows is how many rows of a matrix one goroutine works on at a time.
const chunkRows = 256

// eachChunk calls do, on all cores, with parts of 0 to n-1 that do not depend
// on the number of cores.
func eachChunk(n int, do func(chunk, from, to int)) {
	_ = parallel(chunks(n), func(i int) error { // do has no errors
		do(i, i*chunkRows, min(n, (i+1)*chunkRows))
		return nil
	})
}

func chunks(n int) int { return (n + chunkRows - 1) / chunkRows }

// rowsAtATime is how many rows of a small matrix one goroutine works on at a time.
const rowsAtATime = 16

// eachRow calls do, on all cores, with 0 to n-1. What do writes must not depend
// on the order of the calls.
func eachRow(n int, do func(i int)) {
	_ = parallel((n+rowsAtATime-1)/rowsAtATime, func(part int) error { // do has no errors
		for i := part * rowsAtATime; i < min(n, (part+1)*rowsAtATime); i++ {
			do(i)
		}
		return nil
	})
}
