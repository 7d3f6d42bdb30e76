package transformer

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"starling/embed/internal/jsonfile"
)

// modulesName is the file that lists what a text goes through.
const modulesName = "modules.json"

// maxModules bounds what it may list.
const maxModules = 32

// A pipeline is what turns hidden states into an embedding.
type pipeline struct {
	pooling pooling
	steps   []step
	dim     int      // of the embedding
	files   []string // it was read from
}

// A step turns a vector into another.
type step interface {
	// apply returns the vector, x itself changed or a new one.
	apply(x []float32) []float32
}

// A module is an entry of modules.json.
type module struct {
	kind string // the last part of the type
	dir  string
}

// readModules returns the modules of a folder, the Transformer first.
// sentence-transformers takes a folder without the file as one that has a
// Transformer and mean pooling, for which there is no module then.
func readModules(dir string) ([]module, error) {
	path := filepath.Join(dir, modulesName)
	list, err := jsonfile.ReadList(path, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return []module{{"Transformer", dir}}, nil
	}
	if err != nil {
		return nil, err
	}
	if len(list) > maxModules {
		return nil, fmt.Errorf("reading %s: there are %d modules, more than the %d allowed", path, len(list), maxModules)
	}
	modules := make([]module, len(list))
	for i, object := range list {
		if modules[i], err = parseModule(object, dir); err != nil {
			return nil, fmt.Errorf("reading %s: module %d: %w", path, i, err)
		}
	}
	if len(modules) < 2 || modules[0].kind != "Transformer" || modules[1].kind != "Pooling" {
		return nil, fmt.Errorf("reading %s: a model begins with the modules Transformer and Pooling", path)
	}
	return modules, nil
}

func parseModule(object jsonfile.Object, dir string) (module, error) {
	var kind, path string
	if err := errors.Join(object.Get("type", &kind), object.Get("path", &path)); err != nil {
		return module{}, err
	}
	if !strings.HasPrefix(kind, "sentence_transformers.") {
		return module{}, fmt.Errorf("type %q is not known", kind)
	}
	if path != "" && !filepath.IsLocal(path) {
		return module{}, fmt.Errorf("path %q is not in this folder", path)
	}
	return module{kind[strings.LastIndexByte(kind, '.')+1:], filepath.Join(dir, path)}, nil
}

// readPipeline reads what follows the Transformer module, for hidden states of
// dim values.
func readPipeline(modules []module, dim int) (pipeline, error) {
	if len(modules) == 1 {
		return pipeline{pooling: meanPooling, dim: dim}, nil
	}
	pooling, err := readPooling(modules[1].dir, dim)
	if err != nil {
		return pipeline{}, err
	}
	p := pipeline{pooling: pooling, dim: pooling.modes() * dim}
	p.files = []string{filepath.Join(modules[1].dir, configName)}
	for _, m := range modules[2:] {
		switch m.kind {
		case "Normalize": //nolint:misspell // the name of its class
			p.steps = append(p.steps, unit{})
		case "Dense":
			if err := p.addDense(m.dir); err != nil {
				return pipeline{}, err
			}
		default:
			return pipeline{}, fmt.Errorf("reading %s: the module %s is not known", modulesName, m.kind)
		}
	}
	return p, nil
}

func (p *pipeline) addDense(dir string) error {
	d, files, err := readDense(dir, p.dim)
	p.steps, p.dim, p.files = append(p.steps, d), d.out, append(p.files, files...)
	return err
}

// apply returns the embedding of a text, whose hidden states are the rows of
// states, dim values each.
func (p pipeline) apply(states []float32, dim int) []float32 {
	x := make([]float32, p.pooling.modes()*dim)
	p.pooling.pool(x, states, dim)
	for _, s := range p.steps {
		x = s.apply(x)
	}
	return x
}
