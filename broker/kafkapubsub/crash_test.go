package kafkapubsub

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// childVariable has the test's program read the subscription of a URL, see
// readAndDie.
const childVariable = "STARLING_TEST_KAFKA_READER"

const (
	crashTotal = 3000
	crashGap   = 1000 // the child does not acknowledge this one
)

// readAndDie acknowledges what a subscription delivers, one message in each
// partition excepted, says so, and waits to be killed.
func readAndDie(url string) {
	fail := func(err error) {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	a, err := ParseURL(url)
	if err != nil {
		fail(err)
	}
	s, err := OpenSubscription(context.Background(), a)
	if err != nil {
		fail(err)
	}
	for range crashTotal {
		m, err := s.Receive(context.Background())
		if err != nil {
			fail(err)
		}
		if string(m.Body) != fmt.Sprint(crashGap) {
			m.Ack()
		}
	}
	var backlog *Backlogger
	s.As(&backlog)
	for previous := int64(-1); ; time.Sleep(5 * commitPause) {
		n, err := backlog.Backlog(context.Background())
		if err != nil {
			fail(err)
		}
		if n == previous && n < crashTotal {
			break // nothing more is committed
		}
		previous = n
	}
	fmt.Println("read")
	select {}
}

// TestAfterACrashNothingUnacknowledgedIsLost kills a reader that has
// acknowledged all but one message. That one comes again with those of its
// partition that follow it, and none of those before it.
func TestAfterACrashNothingUnacknowledgedIsLost(t *testing.T) {
	leaveNothing(t)
	a := address(t, startKafka(t), 1)
	publish(t, a, crashTotal)
	killReader(t, a)

	begin := time.Now()
	s := open(t, a)
	for want := crashGap; want < crashTotal; want++ {
		m := receive(t, s)
		if string(m.Body) != fmt.Sprint(want) {
			t.Fatalf("got %q, want %d", m.Body, want)
		}
		m.Ack()
	}
	t.Logf("taken over and read after %v", time.Since(begin))
	shutDown(t, s)
	s = open(t, a)
	checkBacklog(t, s, 0)
	shutDown(t, s)
}

// killReader runs a reader in another process until it has read all, and kills it.
func killReader(t *testing.T, a Address) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=kafka://"+a.servers()+"/texts?session_timeout=2s")
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	lines.Scan()
	_ = child.Process.Kill()
	if said := lines.Text(); said != "read" {
		t.Errorf("the reader said %q", said)
	}
	_ = child.Wait() // it was killed
}
