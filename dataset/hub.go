package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"starling/hfhub"
)

var emotionRepository = hfhub.Repository{Kind: hfhub.Datasets, Name: "dair-ai/emotion"}

// downloadEmotion returns the folder in the hub's cache that holds the files of
// the splits, after a download of those that are missing.
func downloadEmotion(ctx context.Context, splits []string, progress func(done, total int64)) (string, error) {
	hub, err := hfhub.FromEnvironment()
	if err != nil {
		return "", err
	}
	var files []string
	for _, split := range splits {
		files = append(files, "split/"+split+"-00000-of-00001.parquet")
	}
	if dir, err := hub.Snapshot(emotionRepository, ""); err == nil && hasAll(dir, files) {
		return dir, nil
	}
	dir, err := hub.Pull(ctx, hfhub.Request{
		Repository: emotionRepository,
		Choose:     func(all []string) ([]string, error) { return chooseAll(files, all) },
		Progress:   sumProgress(progress),
	})
	if err != nil {
		return "", fmt.Errorf("%w; to do without the hub, pass --data with a folder of the collection's files", err)
	}
	return dir, nil
}

func hasAll(dir string, files []string) bool {
	return !slices.ContainsFunc(files, func(file string) bool {
		_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(file)))
		return err != nil
	})
}

// chooseAll returns the files wanted, all of which there must be.
func chooseAll(wanted, all []string) ([]string, error) {
	for _, file := range wanted {
		if !slices.Contains(all, file) {
			return nil, fmt.Errorf("it has no file %s any more", file)
		}
	}
	return wanted, nil
}

// sumProgress adds up the bytes of all files.
func sumProgress(progress func(done, total int64)) func(file string, done, total int64) {
	if progress == nil {
		return nil
	}
	files := map[string][2]int64{}
	return func(file string, done, total int64) {
		files[file] = [2]int64{done, max(done, total)}
		var sum [2]int64
		for _, f := range files {
			sum[0], sum[1] = sum[0]+f[0], sum[1]+f[1]
		}
		progress(sum[0], sum[1])
	}
}
