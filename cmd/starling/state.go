package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"starling/cluster"
	"starling/dataset"
	"starling/embed"
	"starling/embed/models"
	"starling/pipeline"
	"starling/store"
)

// clusteringFlags are the settings of a new state. An existing one keeps those
// it began with, and asking for others is an error.
type clusteringFlags struct {
	modelFlags
	Threshold string `help:"How wide a cluster may be: above 0, at most 1. The Python example has 0.7; auto, the default, finds one for the model." default:"auto" placeholder:"auto|FLOAT"`
	Branching int    `help:"Most entries of a node of the CF-tree; by default ${default}." default:"50" placeholder:"N"`
	HalfLife  string `help:"After how much a document weighs half: a number of documents, or a time in the stream such as 24h. What has become light expires. By default never." placeholder:"N|DURATION"`
	MaxMicros int    `help:"Most micro-clusters kept, which bounds memory; by default ${default}." default:"2000" placeholder:"N"`
}

// threshold returns the number asked for, or 0 for auto.
func (f clusteringFlags) threshold() (float64, error) {
	if f.Threshold == "auto" {
		return 0, nil
	}
	value, err := strconv.ParseFloat(f.Threshold, 64)
	if err != nil || !(value > 0 && value <= 1) {
		return 0, fmt.Errorf("--threshold %s: must be auto or a number above 0 and at most 1", f.Threshold)
	}
	return value, nil
}

// halfLife returns the number of documents or the time asked for, the other and
// what is not set being zero.
func (f clusteringFlags) halfLife() (int64, time.Duration, error) {
	if f.HalfLife == "" {
		return 0, 0, nil
	}
	if documents, err := strconv.ParseInt(f.HalfLife, 10, 64); err == nil && documents > 0 {
		return documents, 0, nil
	}
	if elapsed, err := time.ParseDuration(f.HalfLife); err == nil && elapsed > 0 {
		return 0, elapsed, nil
	}
	return 0, 0, fmt.Errorf("--half-life %s: must be a number of documents or a time such as 24h", f.HalfLife)
}

// clusterConfig resolves the settings for a model.
func (f clusteringFlags) clusterConfig(ctx context.Context, model embed.Embedder) (cluster.Config, error) {
	config := cluster.Config{Dim: model.Dim(), Branching: f.Branching, MaxMicros: f.MaxMicros}
	var err error
	if config.Threshold, err = f.threshold(); err != nil {
		return config, err
	}
	if config.HalfLife, config.HalfLifeTime, err = f.halfLife(); err != nil {
		return config, err
	}
	if config.Unrelated, err = calibrate(ctx, model); err != nil {
		return config, err
	}
	// The one place that knows what is allowed.
	if _, err := cluster.New(config); err != nil {
		return config, err
	}
	return config, nil
}

// calibrationTexts is how many texts of the sample a model is calibrated with.
const calibrationTexts = 256

// calibrate finds how alike unrelated texts are to a model from texts of the
// sample, which are about some thirty different things.
func calibrate(ctx context.Context, model embed.Embedder) (cluster.Calibration, error) {
	texts, err := dataset.SampleTexts(ctx, calibrationTexts)
	if err != nil {
		return cluster.Calibration{}, err
	}
	vectors, err := model.Embed(ctx, texts)
	if err != nil {
		return cluster.Calibration{}, fmt.Errorf("calibrating the model: %w", err)
	}
	return cluster.Calibrate(vectors)
}

// openState opens the state in dir for writing, or begins one with the
// settings where there is none.
func openState(ctx context.Context, dir string, model embed.Embedder, flags clusteringFlags) (*store.Store, error) {
	if store.Exists(dir) {
		return continueState(ctx, dir, model, flags)
	}
	config, err := flags.clusterConfig(ctx, model)
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(stateSettings{Config: config, Dtype: flags.Dtype, Prefix: flags.Prefix})
	if err != nil {
		return nil, err
	}
	info := model.Info()
	return store.Create(ctx, dir, store.Identity{
		Model: info.Name, Fingerprint: info.Fingerprint, Dim: info.Dim, Settings: string(settings),
	})
}

func continueState(ctx context.Context, dir string, model embed.Embedder, flags clusteringFlags) (*store.Store, error) {
	st, err := store.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	info := model.Info()
	if err := st.CheckModel(store.Identity{Model: info.Name, Fingerprint: info.Fingerprint, Dim: info.Dim}); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if err := flags.checkSettings(st); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// checkSettings refuses settings that are asked for and are not those that the
// state began with. One that has its default value counts as not asked for.
func (f clusteringFlags) checkSettings(st *store.Store) error {
	threshold, err := f.threshold()
	if err != nil {
		return err
	}
	documents, elapsed, err := f.halfLife()
	if err != nil {
		return err
	}
	config, err := settingsOf(st)
	if err != nil {
		return err
	}
	switch {
	case f.Dtype != config.Dtype:
		return otherSetting("dtype", config.Dtype)
	case f.Prefix != config.Prefix:
		return otherSetting("prefix", config.Prefix)
	case threshold != 0 && threshold != config.Threshold:
		return otherSetting("threshold", config.Threshold)
	case f.HalfLife != "" && (documents != config.HalfLife || elapsed != config.HalfLifeTime):
		return otherSetting("half-life", halfLifeOf(config.Config))
	case f.Branching != cluster.DefaultBranching && f.Branching != config.Branching:
		return otherSetting("branching", config.Branching)
	case f.MaxMicros != cluster.DefaultMaxMicros && f.MaxMicros != config.MaxMicros:
		return otherSetting("max-micros", config.MaxMicros)
	}
	return nil
}

// halfLifeOf returns a half-life as --half-life takes it.
func halfLifeOf(config cluster.Config) string {
	switch {
	case config.HalfLife > 0:
		return strconv.FormatInt(config.HalfLife, 10)
	case config.HalfLifeTime > 0:
		return config.HalfLifeTime.String()
	}
	return ""
}

func otherSetting(name string, value any) error {
	if value == "" {
		value = "unset"
	}
	return fmt.Errorf("the state began with %s %v and keeps it; leave --%s out, or begin another state", name, value, name)
}

// stateSettings are the settings that a state keeps: those of the clustering,
// and how the model is loaded.
type stateSettings struct {
	cluster.Config
	Dtype  string `json:"dtype,omitempty"`
	Prefix string `json:"prefix,omitempty"`
}

func settingsOf(st *store.Store) (stateSettings, error) {
	var settings stateSettings
	if err := json.Unmarshal([]byte(st.Identity().Settings), &settings); err != nil {
		return settings, fmt.Errorf("reading the settings of the state file: %w", err)
	}
	return settings, nil
}

// A reading is a state opened to be looked at, beside a running writer or not.
type reading struct {
	store *store.Store
	state *cluster.State
}

func readState(ctx context.Context, dir string) (*reading, error) {
	st, err := store.OpenReader(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no state in %s; `starling run --state %s ...` begins one", dir, dir)
	}
	if err != nil {
		return nil, err
	}
	state, err := pipeline.Recover(ctx, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &reading{store: st, state: state}, nil
}

// model opens the model that the state was made with.
func (r *reading) model(ctx context.Context) (embed.Embedder, error) {
	settings, err := settingsOf(r.store)
	if err != nil {
		return nil, err
	}
	model, err := models.Open(ctx, r.store.Identity().Model, models.Options{Dtype: settings.Dtype, Prefix: settings.Prefix})
	if err != nil {
		return nil, err
	}
	info := model.Info()
	err = r.store.CheckModel(store.Identity{Model: info.Name, Fingerprint: info.Fingerprint, Dim: info.Dim})
	return model, err
}
