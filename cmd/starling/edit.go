package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"starling"
	"starling/cluster"
	"starling/console"
	"starling/pipeline"
	"starling/store"
)

// editCmd changes the clusters of a state by hand.
type editCmd struct {
	State string `required:"" help:"Folder of the state, which no run has open." placeholder:"DIR" type:"path"`
	JSON  bool   `help:"Print the events as one JSON object."`

	Merge  editMergeCmd  `cmd:"" help:"Make clusters part of another one, for good."`
	Split  editSplitCmd  `cmd:"" help:"Make two clusters of one, for good."`
	Rename editRenameCmd `cmd:"" help:"Give a cluster a name, or take it away."`
	Pin    editPinCmd    `cmd:"" help:"Keep a cluster from being split, and from being joined with another pinned one."`
	Unpin  editUnpinCmd  `cmd:"" help:"Let a cluster be one like others again."`
	Delete editDeleteCmd `cmd:"" help:"Delete documents: what they said, and what clusters have of it."`
}

// Help says what all edits have in common.
func (editCmd) Help() string {
	return "Edits are part of the state and hold in later runs. Merging and splitting pins the clusters."
}

type editMergeCmd struct {
	Into starling.ClusterID   `arg:"" help:"Id of the cluster that goes on."`
	From []starling.ClusterID `arg:"" help:"Ids of the clusters that become part of it."`
}

type editSplitCmd struct {
	ID    starling.ClusterID `arg:"" help:"Id of the cluster."`
	Micro []starling.MicroID `help:"Micro-clusters that leave it, as clusters --at lists them in JSON; by default the smaller of its two halves." placeholder:"ID"`
}

type editRenameCmd struct {
	ID   starling.ClusterID `arg:"" help:"Id of the cluster."`
	Name string             `arg:"" help:"Its name; an empty one takes it away."`
}

type editPinCmd struct {
	ID starling.ClusterID `arg:"" help:"Id of the cluster."`
}

type editUnpinCmd struct {
	ID starling.ClusterID `arg:"" help:"Id of the cluster."`
}

type editDeleteCmd struct {
	IDs []string `arg:"" name:"document-id" help:"Ids of the documents."`
}

// Help says what is gone and what is not.
func (editDeleteCmd) Help() string {
	return "The texts, attributes and embeddings are gone from the files of the state, which are written anew: " +
		"that takes a while, and as much room again. The ids stay known, so that the documents do not come back with " +
		"their messages. What a broker, a topic or a backup has of them is not touched."
}

// Run makes clusters part of another one.
func (c *editMergeCmd) Run(ctx context.Context, std streams, edit *editCmd) error {
	return edit.make(ctx, std, starling.Edit{Kind: starling.EditMerge, Cluster: c.Into, From: c.From})
}

// Run makes two clusters of one.
func (c *editSplitCmd) Run(ctx context.Context, std streams, edit *editCmd) error {
	return edit.make(ctx, std, starling.Edit{Kind: starling.EditSplit, Cluster: c.ID, Micros: c.Micro})
}

// Run renames a cluster.
func (c *editRenameCmd) Run(ctx context.Context, std streams, edit *editCmd) error {
	return edit.make(ctx, std, starling.Edit{Kind: starling.EditRename, Cluster: c.ID, Name: c.Name})
}

// Run pins a cluster.
func (c *editPinCmd) Run(ctx context.Context, std streams, edit *editCmd) error {
	return edit.make(ctx, std, starling.Edit{Kind: starling.EditPin, Cluster: c.ID})
}

// Run unpins a cluster.
func (c *editUnpinCmd) Run(ctx context.Context, std streams, edit *editCmd) error {
	return edit.make(ctx, std, starling.Edit{Kind: starling.EditUnpin, Cluster: c.ID})
}

// Run deletes documents.
func (c *editDeleteCmd) Run(ctx context.Context, std streams, edit *editCmd) error {
	return edit.open(ctx, func(st *store.Store, state *cluster.State) error {
		events, err := pipeline.Delete(ctx, st, state, c.IDs)
		if err != nil {
			return err
		}
		var all []starling.Event
		for i, id := range c.IDs {
			if len(events[i]) == 0 && !edit.JSON {
				fmt.Fprintf(std.out, "document %s left the state before, or was deleted\n", console.Safe(id))
			}
			all = append(all, events[i]...)
		}
		return edit.print(std, all)
	})
}

// make makes an edit and prints what it did.
func (c *editCmd) make(ctx context.Context, std streams, e starling.Edit) error {
	return c.open(ctx, func(st *store.Store, state *cluster.State) error {
		events, err := pipeline.Edit(ctx, st, state, e)
		if err != nil {
			return err
		}
		if len(events) == 0 && !c.JSON {
			fmt.Fprintln(std.out, "nothing changed")
		}
		return c.print(std, events)
	})
}

// open opens the state for as long as use takes.
func (c *editCmd) open(ctx context.Context, use func(*store.Store, *cluster.State) error) error {
	st, err := store.Open(ctx, c.State)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no state in %s", c.State)
	}
	if err != nil {
		return err
	}
	state, err := pipeline.Recover(ctx, st)
	if err == nil {
		err = use(st, state)
	}
	return errors.Join(err, st.Close())
}

// print prints events, one a line.
func (c *editCmd) print(std streams, events []starling.Event) error {
	if c.JSON {
		if events == nil {
			events = []starling.Event{}
		}
		return console.WriteJSON(std.out, struct {
			Events []starling.Event `json:"events"`
		}{events})
	}
	for _, e := range events {
		fmt.Fprintln(std.out, console.Safe(describe(e)))
	}
	return nil
}

// describe says what an event of an edit did.
func describe(e starling.Event) string {
	switch e.Kind {
	case starling.Merged:
		return fmt.Sprintf("cluster %v took in %s and has %d documents", e.To, listed("cluster", e.From), e.Size)
	case starling.Split:
		return fmt.Sprintf("cluster %v began with %s of cluster %v and has %d documents", e.To, listed("micro-cluster", e.Micros), e.From[0], e.Size)
	case starling.Renamed:
		if e.Name == "" {
			return fmt.Sprintf("cluster %v has no name any more", e.To)
		}
		return fmt.Sprintf("cluster %v has the name %s", e.To, e.Name)
	case starling.Pinned:
		return fmt.Sprintf("cluster %v is pinned", e.To)
	case starling.Unpinned:
		return fmt.Sprintf("cluster %v is not pinned any more", e.To)
	case starling.Deleted:
		if e.Size == 0 {
			return fmt.Sprintf("document number %d was deleted; its cluster %v is no more", e.Document, e.To)
		}
		return fmt.Sprintf("document number %d was deleted; its cluster %v has %d documents left", e.Document, e.To, e.Size)
	}
	return fmt.Sprintf("cluster %v %s", e.To, e.Kind)
}

func listed[T any](what string, ids []T) string {
	if len(ids) > 1 {
		what += "s"
	}
	return what + " " + strings.Trim(fmt.Sprint(ids), "[]")
}
