package beam

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"google.golang.org/protobuf/proto"

	"starling"
)

func init() { sdk.RegisterDoFn(reflect.TypeFor[printFn]()) }

// printFn hands updates to whoever follows them in this process.
type printFn struct{ Job string }

// ProcessElement hands over one update.
func (fn *printFn) ProcessElement(update starling.Update) error {
	f, ok := followers.Load(fn.Job)
	if !ok {
		return errElsewhere
	}
	return f.(*follower).take(update)
}

// followers are those of this process, by job.
var followers sync.Map // of string to *follower

// A follower puts updates into the order of the stream, each once, whatever the
// runner does with bundles.
type follower struct {
	mu      sync.Mutex
	last    int64 // Seq of the update that was handed over last
	waiting map[int64]starling.Update
	next    func([]starling.Update) error
}

func follow(job string, next func([]starling.Update) error) {
	followers.Store(job, &follower{waiting: make(map[int64]starling.Update), next: next})
}

func (f *follower) take(update starling.Update) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if update.Seq <= f.last {
		return nil // of a bundle that was tried again
	}
	f.waiting[update.Seq] = update
	var ready []starling.Update
	for u, ok := f.waiting[f.last+1]; ok; u, ok = f.waiting[f.last+1] {
		delete(f.waiting, u.Seq)
		f.last = u.Seq
		ready = append(ready, u)
	}
	if len(ready) == 0 {
		return nil
	}
	return f.next(ready)
}

func init() { sdk.RegisterDoFn(reflect.TypeFor[listenFn]()) }

// listenFn hands messages to whoever listens in this process.
type listenFn struct{ Job string }

// listeners are those of this process, by job.
var listeners sync.Map // of string to func([]byte) error

// ProcessElement hands over one message.
func (fn *listenFn) ProcessElement(data []byte) error {
	listen, ok := listeners.Load(fn.Job)
	if !ok {
		return errElsewhere
	}
	var m pubsubpb.PubsubMessage
	if err := proto.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("printing what is no Pub/Sub message: %w", err)
	}
	return listen.(func([]byte) error)(m.Data)
}

var errElsewhere = errors.New("this worker is not in the process that follows the updates: leave out --print, or use loopback workers")
