// Package hub finds the folder of a model that a name stands for: a folder, a
// model in the cache that the Hugging Face hub's own tools share, or one to be
// downloaded into it.
//
//	dir, err := hub.Find("all-MiniLM-L6-v2", hub.Options{}) // never touches the network
//	if errors.Is(err, hub.ErrNotFound) {
//		dir, err = hub.Pull(ctx, "all-MiniLM-L6-v2", hub.Options{})
//	}
//
// Neither returns a folder of the cache that lacks a file which the model needs.
package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"starling/hfhub"
)

// ErrNotFound says that a name stands for a model of the hub that is not, or
// not whole, on this machine.
var ErrNotFound = errors.New("not on this machine")

// Options say which version of a model is meant and how it is downloaded. Where
// the hub and its cache are comes from the environment, as the hub's own tools
// have it; see [hfhub.FromEnvironment].
type Options struct {
	// Revision is a branch, a tag or a commit; main if empty.
	Revision string
	// Progress is told how many bytes of a file are there; total is -1 if it is
	// not known. It may be nil.
	Progress func(file string, done, total int64)
	// Client sends the requests; nil is one of the package's own.
	Client *http.Client
}

// Find returns the folder of the model name: name itself if it is a folder, or
// else the hub's model in the cache. It never touches the network. The error
// wraps [ErrNotFound] if a download would help, and says where it looked.
func Find(name string, o Options) (string, error) {
	if info, err := os.Stat(name); err == nil {
		if !info.IsDir() {
			return "", fmt.Errorf("model %q is a file; a model is a folder", name)
		}
		return name, nil
	}
	h, r, err := open(name, o)
	if err != nil {
		return "", err
	}
	dir, err := h.Snapshot(r, o.Revision)
	if err == nil {
		err = complete(dir)
	}
	var gap *gapError
	if errors.As(err, &gap) || errors.Is(err, hfhub.ErrNotCached) {
		return "", fmt.Errorf("model %q is %w: there is no folder of that name; %w; "+
			"download it with \"starling model pull %s\" or --pull", name, ErrNotFound, err, name)
	}
	if err != nil {
		return "", fmt.Errorf("finding model %q: %w", name, err)
	}
	return dir, nil
}

// Pull downloads what the cache lacks of the hub's model name, or what is
// damaged there, and returns the model's folder. If it is interrupted, the next
// pull goes on. The errors wrap those of package hfhub: ErrOffline, ErrNotFound
// and ErrDenied.
func Pull(ctx context.Context, name string, o Options) (string, error) {
	h, r, err := open(name, o)
	if err != nil {
		return "", err
	}
	return h.Pull(ctx, hfhub.Request{
		Repository: r,
		Revision:   o.Revision,
		Choose:     choose,
		Optional:   []string{modulesFile},
		Check:      complete,
		Progress:   o.Progress,
	})
}

// open returns the hub and the repository that a name stands for.
func open(name string, o Options) (*hfhub.Hub, hfhub.Repository, error) {
	repository, err := Repository(name)
	if err != nil {
		return nil, hfhub.Repository{}, err
	}
	h, err := hfhub.FromEnvironment()
	if err != nil {
		return nil, hfhub.Repository{}, err
	}
	h.Client = o.Client
	return h, hfhub.Repository{Kind: hfhub.Models, Name: repository}, nil
}

// Repository returns the full name of the hub's repository that name stands
// for: name itself if it is one, like org/model, or else what the short name
// stands for.
func Repository(name string) (string, error) {
	if full, ok := shortNames[name]; ok {
		return full, nil
	}
	if strings.Count(name, "/") != 1 || (hfhub.Repository{Name: name}).Check() != nil {
		return "", fmt.Errorf("model %q is neither a folder nor the name of a model on the hub, which is like %s; short names are %s",
			name, shortNames["all-MiniLM-L6-v2"], strings.Join(ShortNames(), ", "))
	}
	return name, nil
}
