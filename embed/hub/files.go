package hub

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	configFile  = "config.json"
	modulesFile = "modules.json"
	weightsFile = "model.safetensors"
	indexFile   = "model.safetensors.index.json"
)

// tokenizerFiles are those of which a model needs one.
var tokenizerFiles = []string{"tokenizer.json", "vocab.txt"}

// texts are the small files that a model may consist of.
var texts = append([]string{
	configFile, modulesFile, "sentence_bert_config.json", "sentence_distilbert_config.json",
	"config_sentence_transformers.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
}, tokenizerFiles...)

// pickleFile is weights that can run any code when they are loaded.
const pickleFile = "pytorch_model.bin"

var (
	// moduleFolder is a step behind the transformer, such as 1_Pooling.
	moduleFolder = regexp.MustCompile(`^[0-9]{1,2}_[A-Za-z0-9_]{1,64}/$`)
	// shard is a part of weights that are in several files.
	shard = regexp.MustCompile(`^model-[0-9]{5}-of-[0-9]{5}\.safetensors$`)
)

// choose returns the files that the model consists of: its settings, its
// tokenizer and its weights, of which there must be some as safetensors.
func choose(files []string) ([]string, error) {
	var chosen []string
	for _, file := range files {
		dir, name := path.Split(file)
		if dir != "" && !moduleFolder.MatchString(dir) {
			continue
		}
		if slices.Contains(texts, name) || isWeights(files, dir, name) {
			chosen = append(chosen, file)
		}
		if name == pickleFile && !slices.Contains(files, dir+weightsFile) && !slices.Contains(files, dir+indexFile) {
			return nil, fmt.Errorf("its weights %s are pickled, which can run any code when loaded; choose a model or a revision with %s", file, dir+weightsFile)
		}
	}
	if !slices.Contains(chosen, configFile) && !slices.Contains(chosen, modulesFile) {
		return nil, fmt.Errorf("it has neither %s nor %s, so it is not a model of transformers or sentence-transformers", configFile, modulesFile)
	}
	if !slices.ContainsFunc(chosen, func(file string) bool { return strings.HasSuffix(file, ".safetensors") }) {
		return nil, fmt.Errorf("it has no weights as %s", weightsFile)
	}
	return chosen, nil
}

// isWeights says whether the file name of the folder dir is of its weights:
// one file or, without it, an index and its shards.
func isWeights(files []string, dir, name string) bool {
	switch {
	case name == weightsFile:
		return true
	case name == indexFile || shard.MatchString(name):
		return !slices.Contains(files, dir+weightsFile)
	}
	return false
}
