package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// emotions are the classes of the emotion collection in the order of their
// numbers (https://huggingface.co/datasets/dair-ai/emotion).
var emotions = []string{"sadness", "joy", "love", "anger", "fear", "surprise"}

// emotionDefault is what the online clustering example of Apache Beam keeps.
var emotionDefault = []string{"joy", "love", "fear"}

var splits = []string{"train", "validation", "test"}

// findEmotion finds the files of the splits asked for, in o.Dir or, if there
// is none, in the cache, into which it downloads what is missing.
func (c *Collection) findEmotion(ctx context.Context, o Options) error {
	names, err := chooseSplits(o.Split)
	if err != nil {
		return err
	}
	if c.classes, err = chooseEmotions(o.Classes); err != nil {
		return err
	}
	dir := o.Dir
	if dir == "" {
		if dir, err = downloadEmotion(ctx, names, o.Progress); err != nil {
			return err
		}
	}
	for _, split := range names {
		s, err := emotionSource(dir, split, o)
		if err != nil {
			return err
		}
		c.sources = append(c.sources, s)
	}
	return nil
}

func chooseSplits(split string) ([]string, error) {
	switch {
	case split == "":
		return splits[:1], nil
	case split == All:
		return splits, nil
	case slices.Contains(splits, split):
		return []string{split}, nil
	}
	return nil, fmt.Errorf("unknown split %q; there are %s and %s", split, list(splits), All)
}

func chooseEmotions(classes []string) ([]string, error) {
	if len(classes) == 0 {
		return emotionDefault, nil
	}
	if len(classes) == 1 && classes[0] == All {
		return nil, nil
	}
	for _, class := range classes {
		if !slices.Contains(emotions, class) {
			return nil, unknownClass(class, append(slices.Clone(emotions), All))
		}
	}
	return classes, nil
}

// emotionSource finds the file of a split in dir.
func emotionSource(dir, split string, o Options) (source, error) {
	names := layouts(split)
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(path); err != nil {
			continue
		}
		s, err := fileSource(path, o)
		if s.format == Text {
			s.format = TextLabel
		}
		s.labels = emotions
		return s, err
	}
	if _, err := os.Stat(dir); err != nil {
		return source{}, err
	}
	return source{}, fmt.Errorf("%w: %s has no file of the split %s; looked for %s",
		fs.ErrNotExist, dir, split, strings.Join(names, ", "))
}

// layouts returns where the file of a split may be, below the collection's
// folder: as the hub has it, as the datasets library saves it, or by name.
func layouts(split string) []string {
	names := []string{split}
	if split == "validation" {
		names = append(names, "val")
	}
	var paths []string
	for _, dir := range []string{"split/", "data/", ""} {
		for _, name := range names {
			for _, form := range []string{"-00000-of-00001.parquet", ".parquet", ".jsonl", ".jsonl.gz", ".csv", ".txt"} {
				paths = append(paths, dir+name+form)
			}
		}
	}
	return paths
}
