package pipeline_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"time"

	"starling"
	"starling/broker"
	"starling/cluster"
	"starling/embed/static"
	"starling/pipeline"
	"starling/store"
)

// victimSetting tells the test binary to be a process that is killed, and holds a
// victim as JSON.
const victimSetting = "STARLING_TEST_VICTIM"

// A victim is a run in a process of its own, to be killed.
type victim struct {
	Source, State string
	// Options are those to open Source with.
	Options broker.SourceOptions
	// Topic is where updates go; empty for nowhere.
	Topic string
	// Edits has the process delete a document before the run, and edit clusters
	// during it.
	Edits bool
	// UntilIdle ends the run when no message came for so long.
	UntilIdle time.Duration
}

// victimMain is the process, by the setting it was started with.
func victimMain(setting string) int {
	var v victim
	err := json.Unmarshal([]byte(setting), &v)
	if err == nil {
		err = v.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// run clusters what is at the source and prints, after each commit, how many
// documents it has seen.
func (v victim) run(ctx context.Context) (err error) {
	model, err := static.New()
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, v.State)
	if !store.Exists(v.State) {
		st, err = createState(ctx, v.State, testConfig)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	state, err := pipeline.Recover(ctx, st)
	if err != nil {
		return err
	}
	if err := v.delete(ctx, st, state); err != nil {
		return err
	}
	source, err := broker.OpenSource(ctx, v.Source, v.Options)
	if err != nil {
		return err
	}
	settings := pipeline.Settings{Source: source, Model: model, Store: st, State: state, UntilIdle: v.UntilIdle, SnapshotEvery: 700}
	if v.Topic != "" {
		if settings.Topic, err = broker.OpenTopic(ctx, v.Topic); err != nil {
			return err
		}
	}
	seen := 0
	settings.OnUpdates = func(updates []starling.Update) error {
		seen += len(updates)
		_, err := fmt.Println(seen)
		return err
	}
	p := pipeline.New(settings)
	if v.Edits {
		go editForEver(ctx, p)
	}
	if _, err = p.Run(ctx); err != nil {
		return err
	}
	if settings.Topic != nil {
		err = settings.Topic.Close(ctx)
	}
	return errors.Join(err, source.Close(ctx))
}

// delete deletes a document that the state holds, now and then.
func (v victim) delete(ctx context.Context, st *store.Store, state *cluster.State) error {
	last, err := st.Last(ctx)
	if err != nil || !v.Edits || last == 0 || rand.IntN(4) > 0 {
		return err
	}
	_, err = pipeline.Delete(ctx, st, state, []string{fmt.Sprintf("m%d", rand.Int64N(last))})
	return err
}

// editForEver edits clusters that there are, until the run ends. What is refused,
// since a cluster has ended meanwhile, changes nothing.
func editForEver(ctx context.Context, p *pipeline.Pipeline) {
	kinds := []starling.EditKind{starling.EditMerge, starling.EditRename, starling.EditPin, starling.EditUnpin, starling.EditSplit}
	for n := 0; ; n++ {
		time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
		clusters := p.Clusters(0)
		if len(clusters) < 2 {
			continue
		}
		some := rand.Perm(len(clusters))
		e := starling.Edit{Kind: kinds[rand.IntN(len(kinds))], Cluster: clusters[some[0]].ID}
		switch e.Kind {
		case starling.EditMerge:
			e.From = []starling.ClusterID{clusters[some[1]].ID}
		case starling.EditRename:
			e.Name = fmt.Sprint("name ", n)
		}
		_, _ = p.Edit(ctx, e)
	}
}

// live starts a victim and kills it once it has seen more than most documents
// and a moment has passed. It returns whether the victim ended by itself, which
// it must not do with an error.
func (v victim) live(most int, moment time.Duration) (ended bool, err error) {
	command, err := v.command()
	if err != nil {
		return false, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := command.Start(); err != nil {
		return false, err
	}
	killed := false
	for lines := bufio.NewScanner(output); lines.Scan(); {
		seen, err := strconv.Atoi(lines.Text())
		if !killed && (err != nil || seen > most) {
			time.Sleep(moment)
			killed = true
			_ = command.Process.Kill() // it may have ended just now
		}
	}
	if err := command.Wait(); err != nil && !killed {
		return true, fmt.Errorf("the process ended by itself: %w", err)
	}
	return !killed, nil
}

func (v victim) command() (*exec.Cmd, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	setting, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	command := exec.Command(binary)
	command.Env = append(os.Environ(), victimSetting+"="+string(setting))
	command.Stderr = os.Stderr
	return command, nil
}
