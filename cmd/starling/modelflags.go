package main

import (
	"context"

	"starling/console"
	"starling/embed"
	"starling/embed/models"
	"starling/store"
)

// modelFlags say which model is loaded, and how.
type modelFlags struct {
	Model  string `help:"Name of a model, here or on the hub, its folder, or a server: openai+http://HOST/v1?model=NAME, tei+http://HOST; see starling model list --help." default:"builtin" placeholder:"NAME|DIR|URL"`
	Dtype  string `help:"Number format of the computation; by default the best one for the model on this processor." enum:"f32,bf16,int8," default:"" placeholder:"f32|bf16|int8"`
	Prefix string `help:"Put before every text, as some models want it, such as 'query: '." placeholder:"TEXT"`
	Pull   bool   `help:"Download the model from the hub if it is not on this machine."`
}

func (f modelFlags) options(std streams) models.Options {
	return models.Options{Dtype: f.Dtype, Prefix: f.Prefix, Pull: f.Pull, Progress: downloads(std)}
}

// openModel loads the model, with a progress bar for each file that is downloaded.
func (f modelFlags) openModel(ctx context.Context, std streams) (embed.Embedder, error) {
	return models.Open(ctx, f.Model, f.options(std))
}

// downloads returns what shows a bar for one file after the other.
func downloads(std streams) func(file string, done, total int64) {
	var bar *console.Progress
	var showing string
	return func(file string, done, total int64) {
		if file != showing {
			bar, showing = console.NewProgress(std.err, "downloading "+console.Safe(file), total), file
		}
		bar.Set(done)
		if done == total {
			bar.Done()
		}
	}
}

// fromState fills in how the model of an existing state is loaded, where
// nothing else was asked for.
func (f *modelFlags) fromState(ctx context.Context, dir string) error {
	if !store.Exists(dir) {
		return nil
	}
	st, err := store.OpenReader(ctx, dir)
	if err != nil {
		return err
	}
	defer st.Close() //nolint:errcheck // it only read
	settings, err := settingsOf(st)
	if err != nil {
		return err
	}
	if f.Dtype == "" {
		f.Dtype = settings.Dtype
	}
	if f.Prefix == "" {
		f.Prefix = settings.Prefix
	}
	return nil
}
