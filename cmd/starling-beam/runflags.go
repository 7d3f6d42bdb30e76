package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	sdk "github.com/apache/beam/sdks/v2/go/pkg/beam"

	"starling/beam"
)

// runFlags say where a pipeline runs.
type runFlags struct {
	Mode              string            `help:"local: prism in this process. cloud: Google Cloud Dataflow." enum:"local,cloud" default:"local" placeholder:"local|cloud"`
	Runner            string            `help:"Another runner than that of the mode: universal, flink or spark, with --endpoint." enum:",prism,dataflow,universal,flink,spark" default:"" placeholder:"NAME"`
	Endpoint          string            `help:"Job server of the runner, HOST:PORT." placeholder:"HOST:PORT"`
	EnvironmentType   string            `help:"Where workers run, for a job server: LOOPBACK is this process, DOCKER a container." placeholder:"LOOPBACK|DOCKER|PROCESS"`
	EnvironmentConfig string            `help:"Container image of the workers, or what else the environment type takes." placeholder:"IMAGE"`
	Project           string            `help:"Google Cloud project of the job." placeholder:"P"`
	Region            string            `help:"Dataflow region; by default ${default}." default:"us-central1" placeholder:"REGION"`
	StagingLocation   string            `help:"Where the worker's binary is put." placeholder:"gs://BUCKET/PATH"`
	TempLocation      string            `help:"Where Dataflow puts temporary files." placeholder:"gs://BUCKET/PATH"`
	JobName           string            `help:"Name of the job; by default starling-beam with the time." placeholder:"NAME"`
	NumWorkers        int               `help:"Workers to begin with; 0 leaves it to Dataflow." placeholder:"N"`
	MaxNumWorkers     int               `help:"Workers at most; 0 leaves it to Dataflow." placeholder:"N"`
	MachineType       string            `help:"Machines of the workers." placeholder:"TYPE"`
	ServiceAccount    string            `help:"Account that the workers act as." placeholder:"EMAIL"`
	Option            map[string]string `help:"Any other option of the Beam SDK, such as --option subnetwork=NAME." placeholder:"NAME=VALUE"`
	DryRun            bool              `help:"Print the graph and, for Dataflow, the job request, and stop."`
}

// runner returns the runner asked for.
func (f runFlags) runner() string {
	switch {
	case f.Runner != "":
		return f.Runner
	case f.Mode == "cloud":
		return beam.Dataflow
	}
	return beam.Prism
}

// isInProcess says whether the workers are in this process.
func (f runFlags) isInProcess() bool {
	return f.runner() == beam.Prism || f.EnvironmentType == "LOOPBACK" || f.EnvironmentType == "loopback"
}

// options returns the SDK's options. Credentials are never among them.
func (f runFlags) options(now time.Time) (map[string]string, error) {
	options := map[string]string{
		"endpoint": f.Endpoint, "environment_type": f.EnvironmentType, "environment_config": f.EnvironmentConfig, "job_name": f.JobName,
	}
	if f.JobName == "" {
		options["job_name"] = "starling-beam-" + now.UTC().Format("20060102-150405")
	}
	if f.runner() == beam.Dataflow {
		if f.Project == "" || f.StagingLocation == "" {
			return nil, errors.New("dataflow needs --project P and --staging-location gs://BUCKET/PATH")
		}
		maps.Copy(options, map[string]string{
			"project": f.Project, "region": f.Region, "staging_location": f.StagingLocation, "temp_location": f.TempLocation,
			"num_workers": strconv.Itoa(f.NumWorkers), "max_num_workers": strconv.Itoa(f.MaxNumWorkers),
			"worker_machine_type": f.MachineType, "service_account_email": f.ServiceAccount,
		})
		if f.DryRun {
			options["dry_run"] = "true"
		}
	}
	maps.DeleteFunc(options, func(_, value string) bool { return value == "" || value == "0" })
	maps.Copy(options, f.Option)
	return options, nil
}

// run runs a pipeline, or prints what it would be.
func (f runFlags) run(ctx context.Context, p *sdk.Pipeline) error {
	options, err := f.options(time.Now())
	if err != nil {
		return err
	}
	if !f.DryRun {
		return beam.Run(ctx, p, beam.RunSettings{Runner: f.runner(), Options: options})
	}
	graph, err := beam.Describe(ctx, p)
	if err != nil {
		return err
	}
	fmt.Print(graph)
	if f.runner() != beam.Dataflow {
		return nil
	}
	request, err := beam.JobRequest(ctx, p, options)
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(request))
	return err
}
