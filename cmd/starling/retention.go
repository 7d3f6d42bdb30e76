package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"starling/pipeline"
	"starling/store"
)

// retentionFlags say which documents a state keeps.
type retentionFlags struct {
	KeepDocuments int64         `help:"Documents that the state keeps, the newest and up to 40,000 more, so that the file stops growing: the texts and embeddings of older ones leave, the clusters and the ids stay. By default all." placeholder:"N"`
	KeepFor       time.Duration `help:"How long the state keeps a document after its time, such as 720h. By default for ever." placeholder:"DURATION"`
}

func (f retentionFlags) retention() (pipeline.Retention, error) {
	switch {
	case f.KeepDocuments < 0:
		return pipeline.Retention{}, fmt.Errorf("--keep-documents %d: must not be negative", f.KeepDocuments)
	case f.KeepFor < 0:
		return pipeline.Retention{}, fmt.Errorf("--keep-for %v: must not be negative", f.KeepFor)
	}
	return pipeline.Retention{Documents: f.KeepDocuments, For: f.KeepFor}, nil
}

// tellOfUnpublished says of updates that no topic will get: a run without --to let
// their documents leave.
func tellOfUnpublished(ctx context.Context, w io.Writer, st *store.Store) error {
	first, err := st.First(ctx)
	if err != nil {
		return err
	}
	published, err := st.Published(ctx)
	if err == nil && published < first-1 {
		fmt.Fprintf(w, "starling: the updates %d to %d will not be published: their documents left the state before\n", published+1, first-1)
	}
	return err
}
