package pipeline_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"starling"
	"starling/broker"
	"starling/broker/embedded"
	"starling/embed/static"
	"starling/pipeline"
	"starling/store"
)

const (
	// victimSource and victimState tell the test binary to be the process that
	// is killed, reading from that URL into that folder.
	victimSource = "STARLING_TEST_VICTIM_SOURCE"
	victimState  = "STARLING_TEST_VICTIM_STATE"
	// killsSetting changes how often the process is killed.
	killsSetting = "STARLING_TEST_KILLS"
	usualKills   = 25
)

// victim clusters what is at url and prints, after each commit, how many
// documents it has seen.
func victim(url, dir string) int {
	if err := beVictim(url, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func beVictim(url, dir string) (err error) {
	ctx := context.Background()
	model, err := static.New()
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, dir)
	if !store.Exists(dir) {
		st, err = createState(ctx, dir, testConfig)
	}
	if err != nil {
		return err
	}
	defer func() { err = st.Close() }()
	state, err := pipeline.Recover(ctx, st)
	if err != nil {
		return err
	}
	source, err := broker.OpenSource(ctx, url, broker.SourceOptions{})
	if err != nil {
		return err
	}
	seen := 0
	_, err = pipeline.New(pipeline.Settings{
		Source: source, Model: model, Store: st, State: state, UntilIdle: idle, SnapshotEvery: 700,
		OnUpdates: func(updates []starling.Update) error {
			seen += len(updates)
			_, err := fmt.Println(seen)
			return err
		},
	}).Run(ctx)
	if err != nil {
		return err
	}
	return source.Close(ctx)
}

// live starts a victim and kills it once it has seen more than most documents
// and a moment has passed. It returns whether the victim ended by itself.
func live(t *testing.T, url, dir string, most int, moment time.Duration) (ended bool) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary)
	command.Env = append(os.Environ(), victimSource+"="+url, victimState+"="+dir)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	for lines := bufio.NewScanner(output); lines.Scan(); {
		seen, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Error(err)
		}
		if !killed && seen > most {
			time.Sleep(moment)
			killed = true
			if err := command.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := command.Wait(); err != nil && !killed {
		t.Fatalf("the process ended by itself with %v", err)
	}
	return !killed
}

func kills(t *testing.T) int {
	t.Helper()
	setting := os.Getenv(killsSetting)
	if setting == "" {
		return usualKills
	}
	n, err := strconv.Atoi(setting)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Killed at any moment and started again until the stream is drained, a run
// leaves the state of an undisturbed one, to the byte.
func TestKilledAgainAndAgain(t *testing.T) {
	server, err := embedded.Start(t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	url, kills := server.URL("texts"), kills(t)
	const each = 300 // documents a life, before it may be killed, at most
	messages := sampleMessages(t, 2*each*kills)
	publish(t, url, messages...)

	dir := stateDir(t)
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for n := range kills {
		if live(t, url, dir, random.IntN(each), time.Duration(random.IntN(4000))*time.Microsecond) {
			t.Fatalf("the stream was drained after %d kills, want %d", n, kills)
		}
	}
	live(t, url, dir, len(messages), 0)
	got := dumpState(t, dir)
	if len(got.documents) != len(messages) {
		t.Errorf("after %d kills the state holds %d documents, %d were published", kills, len(got.documents), len(messages))
	}
	for i, document := range got.documents {
		if want := messages[i].Attributes["id"]; document.ID != want {
			t.Fatalf("document %d is %s, want %s", i, document.ID, want)
		}
	}
	undisturbed := stateDir(t)
	drain(t, url+"?consumer=undisturbed", undisturbed, nil)
	if got.text(t) != dumpState(t, undisturbed).text(t) {
		t.Errorf("after %d kills the state is not that of an undisturbed run", kills)
	}
}
