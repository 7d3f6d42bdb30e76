package beam

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow/dataflowlib"
	"google.golang.org/protobuf/proto"
)

// Describe returns the graph of a pipeline as a runner is given it, a step a line:
// its name, what it is, and whether it keeps state and never ends.
func Describe(ctx context.Context, p *sdk.Pipeline) (string, error) {
	model, _, err := marshal(ctx, p)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, t := range model.GetComponents().GetTransforms() {
		if len(t.GetSubtransforms()) == 0 {
			lines = append(lines, describe(model, t))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n", nil
}

func describe(model *pipepb.Pipeline, t *pipepb.PTransform) string {
	line := t.GetUniqueName() + "\t" + t.GetSpec().GetUrn()
	var payload pipepb.ParDoPayload
	if proto.Unmarshal(t.GetSpec().GetPayload(), &payload) == nil && len(payload.GetStateSpecs()) > 0 {
		line += " stateful"
	}
	for _, id := range t.GetOutputs() {
		if model.GetComponents().GetPcollections()[id].GetIsBounded() == pipepb.IsBounded_UNBOUNDED {
			return line + " unbounded"
		}
	}
	return line
}

// marshal returns the pipeline as a runner is given it, and whether it never ends.
func marshal(ctx context.Context, p *sdk.Pipeline) (*pipepb.Pipeline, bool, error) {
	edges, nodes, err := p.Build()
	if err != nil {
		return nil, false, fmt.Errorf("building the pipeline: %w", err)
	}
	image := func(context.Context) string { return core.DefaultDockerImage }
	environment, err := graphx.CreateEnvironment(ctx, "beam:env:docker:v1", image)
	if err != nil {
		return nil, false, fmt.Errorf("building the pipeline: %w", err)
	}
	model, err := graphx.Marshal(edges, &graphx.Options{Environment: environment})
	if err != nil {
		return nil, false, fmt.Errorf("building the pipeline: %w", err)
	}
	return model, !graph.Bounded(nodes), nil
}

// JobRequest returns what Dataflow would be asked for, as JSON, without asking it. The
// binary and the pipeline that it refers to would be put under the staging location.
func JobRequest(ctx context.Context, p *sdk.Pipeline, options map[string]string) ([]byte, error) {
	model, streaming, err := marshal(ctx, p)
	if err != nil {
		return nil, err
	}
	staging := strings.TrimSuffix(options["staging_location"], "/")
	job, err := dataflowlib.Translate(ctx, model, &dataflowlib.JobOptions{
		Name: options["job_name"], Streaming: streaming, Project: options["project"], Region: options["region"],
		NumWorkers: number(options["num_workers"]), MaxNumWorkers: number(options["max_num_workers"]),
		MachineType: options["worker_machine_type"], ServiceAccountEmail: options["service_account_email"],
		TempLocation: cmp.Or(options["temp_location"], staging), Experiments: experiments(streaming),
		Options: runtime.RawOptions{Options: map[string]string{}},
	}, staging+"/worker", staging+"/model", "")
	if err != nil {
		return nil, fmt.Errorf("making the job request: %w", err)
	}
	return json.MarshalIndent(job, "", "  ")
}

// experiments are those that the SDK turns on by itself.
func experiments(streaming bool) []string {
	all := []string{"beam_fn_api", "use_runner_v2", "use_unified_worker", "use_portable_job_submission"}
	if streaming {
		all = append(all, "enable_streaming_engine", "enable_windmill_service")
	}
	return all
}

// number reads a number of workers, 0 where there is none.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
