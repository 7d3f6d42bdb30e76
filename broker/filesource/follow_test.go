package filesource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"starling/broker/feed"
)

// checkBodies receives and settles messages with those bodies, in that order.
func checkBodies(t *testing.T, s *Source, want ...string) {
	t.Helper()
	for _, body := range want {
		m := next(t, s)
		if m == nil || string(m.Body) != body {
			t.Fatalf("got %+v, want %q", m, body)
		}
		settle(m)
	}
}

func TestFollowing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, "")
	config := Config{Path: path, Follow: true}
	s, _ := opened(t, config)
	appendTo(t, path, "one\ntw")
	checkBodies(t, s, "one")
	checkQuiet(t, s)
	appendTo(t, path, "o\n")
	checkBodies(t, s, "two")

	// It is rotated: what is in the old file is read first, also its last line.
	appendTo(t, path, "three")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path+".1", " and more")
	time.Sleep(2 * lookEvery) // the path is missing for a while
	write(t, path, "one\n")
	checkBodies(t, s, "three and more", "one")

	// It is cut off.
	write(t, path, "")
	time.Sleep(2 * lookEvery)
	appendTo(t, path, "four\n")
	checkBodies(t, s, "four")
}

// checkQuiet checks that nothing comes for a while.
func checkQuiet(t *testing.T, s *Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*lookEvery)
	defer cancel()
	if m, err := s.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %+v, %v, want nothing", m, err)
	}
}

func TestATableIsFollowedFromItsHeaderOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	write(t, path, "te")
	if err := Check(Config{Path: path}); err == nil {
		t.Error("half of a header is taken for one")
	}
	write(t, path, "")
	positions := filepath.Join(t.TempDir(), "files.json")
	s, end := opened(t, Config{Path: path, Follow: true, Positions: positions})
	appendTo(t, path, "text,id\n\"a")
	appendTo(t, path, "\nb\",1\n")
	checkBodies(t, s, `{"id":"1","text":"a\nb"}`)
	end()
	s, _ = opened(t, Config{Path: path, Follow: true, Positions: positions})
	appendTo(t, path, "c,2\n")
	checkBodies(t, s, `{"id":"2","text":"c"}`)
}

// TestPositions reads on where the reading ended, in each kind of file.
func TestPositions(t *testing.T) {
	for _, p := range packers {
		for _, test := range []struct{ name, head, first, second, want string }{
			{"a.txt", "\ufeff", "a\n\nb\n", "c\n", "c"},
			{"a.csv", "text\n", "a\n\"b\n\"\n", "c\n", `{"text":"c"}`},
			{"a.jsonl", "", "\"a\"\n\"b\"\n", "\"c\"\n", `"c"`},
		} {
			t.Run(test.name+p.extension, func(t *testing.T) {
				dir := t.TempDir()
				config := Config{Path: filepath.Join(dir, test.name+p.extension), Positions: filepath.Join(dir, "files.json")}
				write(t, config.Path, packed(t, test.head+test.first, p.pack))
				s, end := opened(t, config)
				if all, _ := bodies(t, s); len(all) != 2 {
					t.Fatalf("got %q", all)
				}
				end()
				whole, _ := opened(t, Config{Path: config.Path})
				if all, _ := bodies(t, whole); len(all) != 2 {
					t.Fatalf("got %q", all)
				}
				if p.extension != "" { // what is packed is another file when it is packed again
					s, _ = opened(t, config)
					checkBodies(t, s)
					if m := next(t, s); m != nil {
						t.Errorf("%q came again", m.Body)
					}
					return
				}
				appendTo(t, config.Path, test.second)
				s, _ = opened(t, config)
				m := next(t, s)
				if m == nil || string(m.Body) != test.want {
					t.Fatalf("got %+v, want %s", m, test.want)
				}
				settle(m)
				// As who reads it from the start calls it.
				whole, _ = opened(t, Config{Path: config.Path})
				if _, ids := bodies(t, whole); ids[2] != m.ID {
					t.Errorf("it is called %s, and %s when the file is read from its start", m.ID, ids[2])
				}
			})
		}
	}
}

// TestAnotherFileIsReadFromItsStart has the file replaced while nobody reads it.
func TestAnotherFileIsReadFromItsStart(t *testing.T) {
	dir := t.TempDir()
	config := Config{Path: filepath.Join(dir, "a.log"), Positions: filepath.Join(dir, "files.json")}
	write(t, config.Path, "one\ntwo\n")
	s, end := opened(t, config)
	_, old := bodies(t, s)
	end()
	write(t, config.Path, "three\ntwo\nfour and more\n")
	s, end = opened(t, config)
	all, ids := bodies(t, s)
	end()
	if want := []string{"text three", "text two", "text four and more"}; !slices.Equal(all, want) || slices.Contains(old, ids[1]) {
		t.Errorf("got %q with the ids %q, want %q", all, ids, want)
	}
	s, _ = opened(t, config)
	if m := next(t, s); m != nil {
		t.Errorf("%q came again", m.Body)
	}
}

// TestNothingIsLostOfAFollowedFile writes, rotates, cuts off, reads, settles, gives
// back, stops and starts in any order: each line is settled, those that were
// settled before a stop do not come again but behind one that was not, and one that
// comes again has the id that it had.
func TestNothingIsLostOfAFollowedFile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		w := &world{t: t, rt: rt, path: filepath.Join(dir, "a.log"), ids: map[string]string{}, settled: map[string]bool{}}
		w.config = Config{Path: w.path, Follow: true, Positions: filepath.Join(dir, "files.json")}
		write(t, w.path, "")
		w.start()
		defer func() { w.end() }()
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"write", "write", "read", "read", "stop", "stop and rotate", "rotate"}), 1, 15).Draw(rt, "steps") {
			switch step {
			case "write":
				w.write(rapid.IntRange(1, 5).Draw(rt, "lines"))
			case "read":
				w.read(rapid.IntRange(1, 4).Draw(rt, "messages"))
			case "stop":
				w.end()
				w.start()
			case "stop and rotate":
				if w.rotations > 0 {
					w.readAll()
				}
				w.end()
				w.moveAway()
				w.start()
				w.readAll() // one rotation is made up for
			case "rotate":
				w.rotate()
			}
		}
		w.readAll()
	})
}

// A world is a file, its reader, and what is known of them.
type world struct {
	t      *testing.T
	rt     *rapid.T
	path   string
	config Config
	source *Source
	end    func()

	lines, rotations int
	held             []*feed.Message
	ids              map[string]string // by the line
	settled          map[string]bool
}

func (w *world) start() {
	s, err := Open(w.config)
	if err != nil {
		w.rt.Fatal(err)
	}
	w.source = s
	w.end = func() {
		s.Stop(context.Background())
		for _, m := range w.held {
			m.Settle(nil)
		}
		w.held = nil
		if err := s.Close(context.Background()); err != nil {
			w.rt.Error(err)
		}
	}
}

func (w *world) write(n int) {
	var b strings.Builder
	for range n {
		w.lines++
		fmt.Fprintln(&b, "line", w.lines)
	}
	appendTo(w.t, w.path, b.String())
}

// rotate puts another file in place: under load where the old one is renamed, and
// once it is read where it is cut off.
func (w *world) rotate() {
	renamed := rapid.Bool().Draw(w.rt, "renamed")
	if !renamed || w.rotations > 0 {
		w.readAll()
	}
	if renamed {
		w.moveAway()
	} else {
		write(w.t, w.path, "")
	}
	time.Sleep(2 * lookEvery) // a file that is cut off and has grown again looks as before
}

// moveAway renames the file and begins another one. Before a second time what was
// in the first is read: only one rotation is made up for.
func (w *world) moveAway() {
	w.rotations++
	if err := os.Rename(w.path, fmt.Sprint(w.path, ".", w.rotations)); err != nil {
		w.rt.Fatal(err)
	}
	write(w.t, w.path, "")
}

// read receives messages that are there, and settles or gives back any of those
// held.
func (w *world) read(n int) {
	for range n {
		if m := w.next(lookEvery / 2); m == nil {
			break
		}
	}
	for len(w.held) > 0 && rapid.Bool().Draw(w.rt, "answer") {
		i := rapid.IntRange(0, len(w.held)-1).Draw(w.rt, "which")
		m := w.held[i]
		w.held = slices.Delete(w.held, i, i+1)
		if rapid.Bool().Draw(w.rt, "settled") {
			w.settled[string(m.Body)] = true
			settle(m)
		} else {
			m.Settle(nil)
		}
	}
}

// next receives a message, or nil when none comes.
func (w *world) next(within time.Duration) *feed.Message {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	m, err := w.source.Receive(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	if err != nil {
		w.rt.Fatal(err)
	}
	body := string(m.Body)
	if id, known := w.ids[body]; known && id != m.ID {
		w.rt.Fatalf("%s was called %s, and is now %s", body, id, m.ID)
	}
	w.ids[body] = m.ID
	w.held = append(w.held, m)
	return m
}

// readAll reads and settles until all that was written is settled.
func (w *world) readAll() {
	for {
		for _, m := range w.held {
			w.settled[string(m.Body)] = true
			settle(m)
		}
		w.held = nil
		if len(w.settled) == w.lines {
			return
		}
		if w.next(patience) == nil {
			w.rt.Fatalf("%d of %d lines came", len(w.settled), w.lines)
		}
	}
}
