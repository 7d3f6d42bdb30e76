package beam

import (
	"context"
	"fmt"
	"sync"

	"starling/embed"
	"starling/embed/models"
)

// A ModelSpec says which model embeds, and how it is loaded.
type ModelSpec struct {
	// Name is what [models.Open] takes.
	Name          string
	Dtype, Prefix string
	// Pull lets workers download the model from the hub.
	Pull bool
	// Fingerprint, unless empty, is what the model's must be, so that all workers have
	// the same.
	Fingerprint string
}

// loaded holds the models of this process: they are large, and serve all bundles.
var loaded sync.Map // of ModelSpec to func() (embed.Embedder, error)

// open returns the model, which this process loads once.
func (m ModelSpec) open(ctx context.Context) (embed.Embedder, error) {
	once, _ := loaded.LoadOrStore(m, sync.OnceValues(func() (embed.Embedder, error) { return m.load(context.WithoutCancel(ctx)) }))
	model, err := once.(func() (embed.Embedder, error))()
	if err != nil {
		loaded.Delete(m) // the next bundle may have more luck
	}
	return model, err
}

func (m ModelSpec) load(ctx context.Context) (embed.Embedder, error) {
	model, err := models.Open(ctx, m.Name, models.Options{Dtype: m.Dtype, Prefix: m.Prefix, Pull: m.Pull})
	if err != nil {
		return nil, err
	}
	if got := model.Info().Fingerprint; m.Fingerprint != "" && got != m.Fingerprint {
		return nil, fmt.Errorf("model %s on this worker has the fingerprint %s, not %s as where the pipeline was started; "+
			"use the same files on both", m.Name, got, m.Fingerprint)
	}
	return model, nil
}
