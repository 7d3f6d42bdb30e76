package main

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// strictly decodes JSON that has the fields of a type and no others.
func strictly(ts *testscript.TestScript, file string, into any) {
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	decoder.DisallowUnknownFields()
	ts.Check(decoder.Decode(into))
	if decoder.More() {
		ts.Fatalf("%s has more than one JSON value", file)
	}
}

type scriptCluster struct {
	ID    *uint64  `json:"id"`
	Size  *int64   `json:"size"`
	Terms []string `json:"terms"`
	Text  *string  `json:"text"`
	Texts []string `json:"texts"`
	// Duplicates counts near-duplicates.
	Duplicates int64  `json:"duplicates"`
	Name       string `json:"name"`
	// Pinned says that the cluster was pinned by an edit.
	Pinned bool `json:"pinned"`
	// Outlier says that the cluster is one document.
	Outlier bool `json:"outlier"`
}

func (c scriptCluster) check(ts *testscript.TestScript) {
	if c.ID == nil || c.Size == nil || c.Terms == nil || c.Text == nil || *c.ID == 0 || *c.Size == 0 || *c.Text == "" {
		ts.Fatalf("a cluster lacks something: %+v", c)
	}
	if c.Outlier != (*c.Size == 1) || !slices.Contains(c.Texts, *c.Text) {
		ts.Fatalf("a cluster of %d documents is %+v", *c.Size, c)
	}
}

// checkClusters checks what `clusters --json` printed: its form, the number of
// documents, that the largest cluster comes first and that each document is in
// one. With a limit there are as many clusters as that.
func checkClusters(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: clusters FILE DOCUMENTS [LIMIT]")
	}
	var got struct {
		Documents *int64          `json:"documents"`
		Clusters  []scriptCluster `json:"clusters"`
	}
	strictly(ts, args[0], &got)
	if documents := int64(number(ts, args[1])); got.Documents == nil || *got.Documents != documents || got.Clusters == nil {
		ts.Fatalf("want %d documents and clusters, got %s", documents, ts.ReadFile(args[0]))
	}
	sum := int64(0)
	for _, c := range got.Clusters {
		c.check(ts)
		sum += *c.Size
	}
	if !slices.IsSortedFunc(got.Clusters, func(a, b scriptCluster) int { return int(*b.Size - *a.Size) }) {
		ts.Fatalf("not the largest first: %s", ts.ReadFile(args[0]))
	}
	if len(args) > 2 {
		if limit := number(ts, args[2]); len(got.Clusters) != limit {
			ts.Fatalf("%d clusters, want %d", len(got.Clusters), limit)
		}
	} else if sum != *got.Documents {
		ts.Fatalf("the clusters have %d documents, the state %d", sum, *got.Documents)
	}
}

// checkDocuments checks the form of what `show --json` printed and writes the
// texts of the cluster's documents into a file, one a line.
func checkDocuments(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "documents FILE TEXTS")
	var got struct {
		scriptCluster
		Documents []struct {
			ID         string   `json:"id"`
			Text       string   `json:"text"`
			Similarity *float64 `json:"similarity"`
		} `json:"documents"`
	}
	strictly(ts, args[0], &got)
	got.check(ts)
	if *got.Size != int64(len(got.Documents)) {
		ts.Fatalf("%d documents in a cluster of size %d", len(got.Documents), *got.Size)
	}
	var texts strings.Builder
	for _, d := range got.Documents {
		if d.ID == "" || d.Similarity == nil || *d.Similarity < -1 || *d.Similarity > 1.0001 {
			ts.Fatalf("a document lacks something: %+v", d)
		}
		texts.WriteString(d.Text + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(texts.String()), 0o600))
}

// checkAssigned checks one line of `assign --json`: the cluster that a text was
// found in, and that the next best is less like it.
func checkAssigned(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "assigned FILE CLUSTER")
	var got struct {
		Text       string   `json:"text"`
		Cluster    int      `json:"cluster"`
		Similarity float64  `json:"similarity"`
		Joins      bool     `json:"joins"`
		Terms      []string `json:"terms"`
		Next       *struct {
			scriptCluster
			Similarity float64 `json:"similarity"`
			Joins      bool    `json:"joins"`
		} `json:"next"`
	}
	strictly(ts, args[0], &got)
	if got.Cluster != number(ts, args[1]) || !got.Joins || got.Text == "" {
		ts.Fatalf("want cluster %s joined, got %+v", args[1], got)
	}
	if got.Next == nil || got.Next.Similarity > got.Similarity {
		ts.Fatalf("want a next best that is less similar, got %+v", got)
	}
}

// checkVectors checks lines of JSON arrays: how many, and how long each is.
func checkVectors(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "vectors FILE LINES LENGTH")
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	if n := number(ts, args[1]); len(lines) != n {
		ts.Fatalf("%d lines, want %d", len(lines), n)
	}
	for _, line := range lines {
		var vector []float64
		ts.Check(json.Unmarshal([]byte(line), &vector))
		square := 0.0
		for _, v := range vector {
			square += v * v
		}
		if len(vector) != number(ts, args[2]) || square < 0.999 || square > 1.001 {
			ts.Fatalf("%d values with the squared length %v", len(vector), square)
		}
	}
}

func sizeOf(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "sizeof FILE BYTES")
	if size := len(ts.ReadFile(args[0])); size != number(ts, args[1]) {
		ts.Fatalf("%s has %d bytes, want %s", args[0], size, args[1])
	}
}

// checkClassic checks that output has exactly the form of the Python example's,
// one block a message, each with one text more than the last.
func checkClassic(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "classic FILE FIRST LAST")
	blocks := strings.Split(ts.ReadFile(args[0]), "Update Number: ")
	first, last := number(ts, args[1]), number(ts, args[2])
	if blocks[0] != "" || len(blocks)-1 != last-first+1 {
		ts.Fatalf("%d blocks, want those from %d to %d", len(blocks)-1, first, last)
	}
	for i, block := range blocks[1:] {
		head, body, _ := strings.Cut(block, "\n")
		if head != strconv.Itoa(first+i)+":::" {
			ts.Fatalf("block %d begins with %q", first+i, head)
		}
		texts := 0
		for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
			label, members, _ := strings.Cut(line, ": ")
			var all []struct{ ID, Text string }
			ts.Check(json.Unmarshal([]byte(members), &all))
			if number(ts, label) < 1 || len(all) == 0 || slices.Contains(all, struct{ ID, Text string }{}) {
				ts.Fatalf("block %d has the line %q", first+i, line)
			}
			texts += len(all)
		}
		if texts != first+i {
			ts.Fatalf("block %d has %d texts", first+i, texts)
		}
	}
}
