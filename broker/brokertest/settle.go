package brokertest

import (
	"math/rand/v2"
	"testing"
	"time"
)

func testNack(t *testing.T, q *queue) {
	q.put(numbers(0, 3)...)
	source := q.open()
	first := q.receive(source)
	first.Nack()
	all := q.receiveAll(source, 3)
	again := all[q.number(first)]
	if again == nil || again.ID != first.ID || again.Attributes["id"] != first.Attributes["id"] {
		t.Errorf("%q, %s, came again as %+v", first.Body, first.ID, again)
	}
	if first.Attempt != 0 && (first.Attempt != 1 || again.Attempt != 2) {
		t.Errorf("the deliveries are counted as %d and %d, want 1 and 2", first.Attempt, again.Attempt)
	}
	for _, m := range all {
		m.Ack()
	}
	q.checkEmpty(source)
}

// testPoison gives one message back whenever it comes, as a reader does that
// fails on it: all others come, and it comes again each time.
func testPoison(t *testing.T, q *queue) {
	const total, poisonous, times = 50, 7, 5
	q.put(numbers(0, total)...)
	source := q.open()
	came, poisoned := map[int]bool{}, 0
	for len(came) < total {
		m := q.receive(source)
		if q.number(m) == poisonous && poisoned < times {
			poisoned++
			m.Nack()
			continue
		}
		came[q.number(m)] = true
		m.Ack()
	}
	if poisoned != times {
		t.Errorf("the message that was given back %d times came %d times", times, poisoned)
	}
	q.drain(source)
}

// testRandomAcks acknowledges some messages in any order, and closes: the others
// come again, whatever was acknowledged after them.
func testRandomAcks(t *testing.T, q *queue) {
	if q.Delays {
		t.Skip("when what was given back comes again is up to the broker")
	}
	const total = 200
	q.put(numbers(0, total)...)
	first := q.open()
	all := q.receiveAll(first, total)
	open := map[int]string{}
	for _, i := range rand.Perm(total) {
		if rand.N(4) > 0 {
			all[i].Ack()
		} else {
			open[i] = all[i].ID
		}
	}
	q.close(first)

	second := q.open()
	for len(open) > 0 {
		m := q.receive(second)
		id, expected := open[q.number(m)]
		if !expected && !q.Rewinds {
			t.Errorf("%q came again, although it was acknowledged", m.Body)
		} else if expected && id != m.ID {
			t.Errorf("%q is called %s, and when it comes again %s", m.Body, id, m.ID)
		}
		delete(open, q.number(m))
		m.Ack()
	}
	q.drain(second)
}

// testSecondAnswer checks that only the first answer counts.
func testSecondAnswer(_ *testing.T, q *queue) {
	q.put(numbers(0, 2)...)
	source := q.open()
	for range 2 {
		m := q.receive(source)
		m.Ack()
		m.Ack()
		m.Nack()
	}
	q.checkEmpty(source)
}

func testBacklog(t *testing.T, q *queue) {
	const total = 10
	source := q.open()
	if _, known, err := source.Backlog(t.Context()); err != nil {
		t.Fatal(err)
	} else if !known {
		t.Skip("the broker does not tell how much it holds")
	}
	check := func(want int64) {
		t.Helper()
		var n int64
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			var err error
			if n, _, err = source.Backlog(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n == want {
				return
			}
		}
		t.Fatalf("the backlog is %d, want %d", n, want)
	}
	check(0)
	q.put(numbers(0, total)...)
	check(total)
	for left := total - 1; left >= 0; left-- {
		q.receive(source).Ack()
		check(int64(left))
	}
}
