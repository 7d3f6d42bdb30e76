package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/pipeline"
)

const (
	// soakSetting runs the tests that take minutes.
	soakSetting   = "STARLING_TEST_SOAK"
	soakDocuments = 1_000_000
	// soakMemory and soakRestart are what a run of soakDocuments may take: resident
	// memory in MiB, broker and clustering together, and the time until one that
	// begins again is ready.
	soakMemory  = 400 * 1000 * 1000 / (1 << 20)
	soakRestart = 2 * time.Second
)

// A million documents leave memory bounded and a state that is opened again at once.
// How fast the last tenth of them was, beside the first, is only told: that depends on
// what else the machine does.
func TestAMillionDocuments(t *testing.T) {
	if os.Getenv(soakSetting) == "" {
		t.Skip("it takes minutes; set " + soakSetting)
	}
	url, dir := startBroker(t).URL("texts"), stateDir(t)
	published := make(chan error, 1)
	go func() { published <- publishSynthetic(t.Context(), url, soakDocuments) }()
	began := time.Now()
	var tenths []time.Duration
	drain(t, url, dir, func(s *pipeline.Settings) {
		s.UntilIdle = 5 * time.Second
		s.OnUpdates = func(updates []starling.Update) error {
			for last := updates[len(updates)-1].Seq; last >= int64(len(tenths)+1)*soakDocuments/10; {
				tenths = append(tenths, time.Since(began))
			}
			return nil
		}
	})
	if err := <-published; err != nil {
		t.Fatal(err)
	}
	if len(tenths) != 10 {
		t.Fatalf("%d tenths of the documents came", len(tenths))
	}
	first, last := tenths[0], tenths[9]-tenths[8]
	t.Logf("%.0f documents/s in the first tenth, %.0f in the last: %.2f",
		soakDocuments/10/first.Seconds(), soakDocuments/10/last.Seconds(), first.Seconds()/last.Seconds())
	if peak := residentMiB(t); peak > soakMemory {
		t.Errorf("%.0f MiB were resident, want at most %d", peak, soakMemory)
	} else {
		t.Logf("%.0f MiB were resident at most", peak)
	}
	began = time.Now()
	st := openState(t, dir)
	if _, err := pipeline.Recover(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > soakRestart {
		t.Errorf("a restart took %v, want at most %v", took, soakRestart)
	} else {
		t.Logf("a restart took %v", took)
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

// publishSynthetic publishes n texts, with ids from m0 on, without holding them all.
func publishSynthetic(ctx context.Context, url string, n int) error {
	topic, err := broker.OpenTopic(ctx, url)
	if err != nil {
		return err
	}
	const some = 1000
	texts := syntheticMessages(100_000)
	for at := 0; at < n; at += some {
		messages := make([]broker.OutMessage, some)
		for i := range messages {
			text := texts[(at+i)%len(texts)].Body
			messages[i] = message(fmt.Sprint("m", at+i), string(text))
		}
		if err := topic.Publish(ctx, messages); err != nil {
			return err
		}
	}
	return topic.Close(ctx)
}

// residentMiB returns the most memory that this process has had resident.
func residentMiB(t *testing.T) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system does not tell resident memory: ", err)
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); err == nil {
			return kilobytes / 1024
		}
	}
	t.Skip("this system does not tell resident memory")
	return 0
}
