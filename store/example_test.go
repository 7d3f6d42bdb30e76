package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"starling"
	"starling/store"
)

// A program opens its state or begins one, leaves out what it knows already,
// and commits the rest.
func Example() {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		log.Fatal(err)
	}
	s, err := store.Create(context.Background(), dir, store.Identity{Model: "a-model", Dim: 2})
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(use(s), s.Close(), os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// true false
	// 1 hello
}

func use(s *store.Store) error {
	ctx := context.Background()
	err := s.Commit(ctx, store.Batch{Records: []store.Record{{
		Update: starling.Update{
			Seq:        1,
			Document:   starling.Document{ID: "a1", Text: "hello"},
			Assignment: starling.Assignment{Cluster: 1, Micro: 1, Similarity: 1},
			Events:     []starling.Event{{Kind: starling.Created, To: 1, Size: 1}},
		},
		Embedding: []float32{0.6, 0.8},
	}}})
	if err != nil {
		return err
	}
	known, err := s.Known(ctx, []string{"a1", "a2"})
	if err != nil {
		return err
	}
	fmt.Println(known["a1"], known["a2"])
	for document, err := range s.Documents(ctx, store.Query{Cluster: 1}) {
		if err != nil {
			return err
		}
		fmt.Println(document.Seq, document.Text)
	}
	return nil
}
