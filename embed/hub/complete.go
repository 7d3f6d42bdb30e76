package hub

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"starling/embed/internal/jsonfile"
	"starling/hfhub"
)

// maxJSON bounds the files that are read here, in bytes.
const maxJSON = 16 << 20

// A gapError says what a snapshot lacks.
type gapError struct{ dir, lacks string }

func (e *gapError) Error() string { return fmt.Sprintf("%s lacks %s", e.dir, e.lacks) }

// A snapshot is a folder of the cache.
type snapshot string

// complete returns a [gapError] if a snapshot lacks a file that the model
// needs: a pull of Starling makes the whole snapshot before it can be found, but
// other tools fetch file by file, and a link's blob may be gone.
func complete(dir string) error {
	s := snapshot(dir)
	modules, err := s.modules()
	if err != nil {
		return err
	}
	for _, m := range modules {
		if err := s.checkModule(m); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(modules, func(m module) bool { return m.class() == transformer }) {
		return fmt.Errorf("reading %s: it names no module of type %s", s.path(modulesFile), transformer)
	}
	return nil
}

// A module is an entry of modules.json: one step from text to vector.
type module struct{ path, kind string }

const transformer = "Transformer"

// class is the last part of the type, such as Pooling of
// sentence_transformers.models.Pooling.
func (m module) class() string { return m.kind[strings.LastIndexByte(m.kind, '.')+1:] }

// modules reads modules.json. A model may be without; but where other tools
// fetched a part of one, only the cache's note tells that from a gap, and how
// the vectors are pooled hangs on it.
func (s snapshot) modules() ([]module, error) {
	if !s.has(modulesFile) {
		if !hfhub.KnownAbsent(string(s), modulesFile) {
			return nil, s.gap(modulesFile)
		}
		return []module{{kind: transformer}}, nil
	}
	list, err := jsonfile.ReadList(s.path(modulesFile), maxJSON)
	if err != nil {
		return nil, err
	}
	modules := make([]module, len(list))
	for i, object := range list {
		m := &modules[i]
		if err := errors.Join(object.Get("path", &m.path), object.Get("type", &m.kind)); err != nil {
			return nil, fmt.Errorf("reading %s: module %d: %w", s.path(modulesFile), i, err)
		}
		if m.path != "" && !filepath.IsLocal(filepath.FromSlash(m.path)) {
			return nil, fmt.Errorf("reading %s: module %d: the path %.100q leads out of the folder", s.path(modulesFile), i, m.path)
		}
	}
	return modules, nil
}

// checkModule looks for the files of a module. One of an unknown type is left to
// who loads the model.
func (s snapshot) checkModule(m module) error {
	switch m.class() {
	case transformer:
		return s.checkTransformer(m.path)
	case "Pooling":
		return s.need(path.Join(m.path, configFile))
	case "Dense":
		return errors.Join(s.need(path.Join(m.path, configFile)), s.need(path.Join(m.path, weightsFile)))
	}
	return nil
}

func (s snapshot) checkTransformer(dir string) error {
	if err := errors.Join(s.need(path.Join(dir, configFile)), s.needTokenizer(dir)); err != nil {
		return err
	}
	if s.has(path.Join(dir, weightsFile)) {
		return nil
	}
	if !s.has(path.Join(dir, indexFile)) {
		return s.gap(path.Join(dir, weightsFile))
	}
	return s.checkShards(dir)
}

// checkShards looks for the files that the index of the weights names.
func (s snapshot) checkShards(dir string) error {
	index := path.Join(dir, indexFile)
	object, err := jsonfile.Read(s.path(index), maxJSON)
	if err != nil {
		return err
	}
	var shards map[string]string
	if err := object.Get("weight_map", &shards); err != nil {
		return fmt.Errorf("reading %s: %w", s.path(index), err)
	}
	if len(shards) == 0 {
		return fmt.Errorf("reading %s: the field weight_map names no shards", s.path(index))
	}
	for _, name := range shards {
		if !shard.MatchString(name) {
			return fmt.Errorf("reading %s: %.100q is not the name of a shard", s.path(index), name)
		}
		if err := s.need(path.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (s snapshot) needTokenizer(dir string) error {
	for _, name := range tokenizerFiles {
		if s.has(path.Join(dir, name)) {
			return nil
		}
	}
	return s.gap(path.Join(dir, strings.Join(tokenizerFiles, " or ")))
}

// has says whether the file is there, and its blob if it is a link.
func (s snapshot) has(file string) bool {
	info, err := os.Stat(s.path(file))
	return err == nil && info.Mode().IsRegular()
}

func (s snapshot) need(file string) error {
	if !s.has(file) {
		return s.gap(file)
	}
	return nil
}

func (s snapshot) gap(file string) error { return &gapError{string(s), file} }

func (s snapshot) path(file string) string { return filepath.Join(string(s), filepath.FromSlash(file)) }
