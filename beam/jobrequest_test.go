package beam

import (
	"flag"
	"os"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// What Dataflow would be asked for: streaming, with a stateful step, the steps by their
// names, and its own read of Pub/Sub.
func TestDataflowIsAskedForAStreamingJob(t *testing.T) {
	for name, shards := range map[string]int{"one": 1, "shards": 8} {
		settings := testSettings(t)
		settings.From, settings.To = "projects/p/subscriptions/texts", "projects/p/topics/updates"
		settings.Native, settings.UntilIdle, settings.Shards = true, 0, shards
		p, err := Cluster(settings)
		if err != nil {
			t.Fatal(err)
		}
		graph, err := Describe(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		request, err := JobRequest(t.Context(), p, map[string]string{
			"job_name": "starling", "project": "p", "region": "us-central1", "staging_location": "gs://bucket/staging",
			"temp_location": "gs://bucket/temp", "max_num_workers": "10",
		})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "testdata/dataflow-"+name+".golden", graph+"\n"+string(request)+"\n")
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is made now; `go test ./beam -rewrite` writes it anew:\n%s", file, got)
	}
}
