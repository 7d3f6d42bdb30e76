package beam

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal"
)

// The runners.
const (
	// Prism runs in this process: in memory, for as long as the process lives.
	Prism = "prism"
	// Dataflow is Google Cloud Dataflow.
	Dataflow = "dataflow"
	// Universal is any job server that speaks Beam's protocol.
	Universal = "universal"
	// Flink and Spark are other names of Universal.
	Flink = "flink"
	// Spark is as Flink.
	Spark = "spark"
)

// RunSettings say where a pipeline runs.
type RunSettings struct {
	// Runner is one of the runners.
	Runner string
	// Options are the SDK's own, by the names of its flags, such as endpoint, project
	// or staging_location.
	Options map[string]string
}

// Run runs a pipeline until it ends, which one over a stream does only when the source
// was told to end, it fails, or ctx ends. The options stay set for the process: the
// SDK has them as flags.
func Run(ctx context.Context, p *sdk.Pipeline, settings RunSettings) error {
	for name, value := range settings.Options {
		if err := flag.Set(name, value); err != nil {
			return fmt.Errorf("option %s=%q of the Beam SDK: %w", name, value, err)
		}
	}
	execute, err := settings.execute()
	if err != nil {
		return err
	}
	if settings.Runner != Dataflow {
		addExperiment(noSplits)
	}
	if !sdk.Initialized() { //nolint:misspell // its name
		sdk.Init()
	}
	_, err = execute(ctx, p)
	return err
}

// noSplits keeps prism from splitting bundles. It splits those of a stateful step too
// when they take long, and then lets two bundles of one key run side by side, each with
// a state of its own (v2.77, splitBundle in its elementmanager.go). Other runners
// pass over experiments that are not theirs.
const noSplits = "prism_disable_sdf_split"

func addExperiment(name string) {
	if all := jobopts.GetExperiments(); !slices.Contains(all, name) {
		*jobopts.Experiments = strings.Join(append(all, name), ",")
	}
}

func (s RunSettings) execute() (func(context.Context, *sdk.Pipeline) (sdk.PipelineResult, error), error) {
	switch s.Runner {
	case Prism:
		return prism.Execute, nil
	case Dataflow:
		return dataflow.Execute, nil
	case Universal, Flink, Spark:
		if *jobopts.Endpoint == "" {
			return nil, fmt.Errorf("runner %s needs the endpoint of a job server, HOST:PORT", s.Runner)
		}
		return universal.Execute, nil
	}
	return nil, errors.New("runner " + s.Runner + ": want prism, dataflow, universal, flink or spark")
}
