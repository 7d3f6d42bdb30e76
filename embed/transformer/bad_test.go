package transformer_test

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"starling/embed/modeltest"
	"starling/embed/transformer"
)

// refuse checks that a folder is refused with an error that names it and says
// every one of want.
func refuse(t *testing.T, dir string, opts transformer.Options, want ...string) {
	t.Helper()
	_, err := transformer.Open(dir, opts)
	if err == nil {
		t.Fatal("the folder was taken")
	}
	for _, part := range append(want, dir) {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %s", err, part)
		}
	}
}

func TestAFolderWithoutWeightsIsRefused(t *testing.T) {
	dir := folder(t, small)
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	refuse(t, dir, transformer.Options{}, "no weights", "model.safetensors")
	writeFile(t, dir, "pytorch_model.bin", "pickle")
	refuse(t, dir, transformer.Options{}, "pytorch_model.bin", "convert", "save_pretrained")
}

func TestAFolderWithoutAModelIsRefused(t *testing.T) {
	refuse(t, t.TempDir(), transformer.Options{}, "config.json")
	refuse(t, filepath.Join(t.TempDir(), "none"), transformer.Options{}, "config.json")
}

func TestAnUnknownNumberFormatIsRefused(t *testing.T) {
	refuse(t, folder(t, small), transformer.Options{DType: "int4"}, "int4", "f32, bf16 and int8")
}

// change writes the weights of small anew, with the tensor name changed.
func change(t *testing.T, dir, name string, change func(*modeltest.Tensor)) {
	t.Helper()
	tensors := small.Tensors()
	i := slices.IndexFunc(tensors, func(tensor modeltest.Tensor) bool { return tensor.Name == name })
	change(&tensors[i])
	if err := modeltest.WriteSafetensors(filepath.Join(dir, "model.safetensors"), tensors); err != nil {
		t.Fatal(err)
	}
}

func TestWeightsThatDoNotFitAreRefused(t *testing.T) {
	nan := func(at int, value float64) func(*modeltest.Tensor) {
		return func(tensor *modeltest.Tensor) { tensor.Values[at] = float32(value) }
	}
	for _, test := range []struct {
		what, tensor string
		change       func(*modeltest.Tensor)
		want         string
	}{
		{"NaN in the table", "embeddings.word_embeddings.weight", nan(38, math.NaN()), "NaN at [1 2]"},
		{"infinity in a layer", "encoder.layer.1.output.dense.weight", nan(50, math.Inf(-1)), "-Inf at [1 0]"},
		{"NaN in a bias", "encoder.layer.0.attention.self.key.bias", nan(3, math.NaN()), "NaN at [3]"},
		{"NaN in a norm", "encoder.layer.0.output.LayerNorm.weight", nan(0, math.NaN()), "NaN at [0]"},
		{"NaN in positions", "embeddings.position_embeddings.weight", nan(0, math.NaN()), "NaN at [0 0]"},
		{"renamed", "encoder.layer.1.output.dense.bias", func(tensor *modeltest.Tensor) { tensor.Name += "x" }, "no tensor"},
		{"transposed", "encoder.layer.1.output.dense.weight", func(tensor *modeltest.Tensor) { slices.Reverse(tensor.Shape) }, "[50 36]"},
		{"short table", "embeddings.word_embeddings.weight",
			func(tensor *modeltest.Tensor) { tensor.Shape[0]--; tensor.Values = tensor.Values[36:] }, "[39 36]"},
		{"one type", "embeddings.token_type_embeddings.weight",
			func(tensor *modeltest.Tensor) { tensor.Shape[0]--; tensor.Values = tensor.Values[36:] }, "[1 36]"},
		{"flat", "encoder.layer.0.intermediate.dense.weight", func(tensor *modeltest.Tensor) { tensor.Shape = []int{1800} }, "[1800]"},
		{"integers", "encoder.layer.0.output.dense.bias",
			func(tensor *modeltest.Tensor) { tensor.DType, tensor.Bytes = "I32", make([]byte, 144) }, "I32"},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := folder(t, small)
			change(t, dir, test.tensor, test.change)
			refuse(t, dir, transformer.Options{}, "model.safetensors", test.tensor, test.want)
		})
	}
}

func TestWeightsThatAreCutShortAreRefused(t *testing.T) {
	dir := folder(t, small)
	path := filepath.Join(dir, "model.safetensors")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	refuse(t, dir, transformer.Options{}, "cut short")
}

func TestHeadsOfOtherTasksArePassedOver(t *testing.T) {
	dir := folder(t, small)
	tensors := append(small.Tensors(), modeltest.Tensor{
		Name: "cls.predictions.bias", DType: "F32", Shape: []int{1}, Values: []float32{float32(math.NaN())}})
	if err := modeltest.WriteSafetensors(filepath.Join(dir, "model.safetensors"), tensors); err != nil {
		t.Fatal(err)
	}
	open(t, dir, transformer.Options{})
}

func TestAVocabularyOfAnotherSizeIsRefused(t *testing.T) {
	for _, n := range []int{39, 41} {
		dir := folder(t, small)
		writeFile(t, dir, "vocab.txt", strings.Join(modeltest.Words(n), "\n"))
		refuse(t, dir, transformer.Options{}, "vocabulary", "vocab_size", "40")
	}
}

func TestBadFilesOfAFolderAreRefused(t *testing.T) {
	const transformerAndPooling = `{"type": "sentence_transformers.models.Transformer", "path": ""},
		{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}`
	dense := func(config string) map[string]string {
		return map[string]string{
			"modules.json":        "[" + transformerAndPooling + `, {"type": "sentence_transformers.models.Dense", "path": "2_Dense"}]`,
			"2_Dense/config.json": config,
		}
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"modules is no list":    {map[string]string{"modules.json": `{}`}, []string{"modules.json"}},
		"no modules":            {map[string]string{"modules.json": `[]`}, []string{"modules.json", "Pooling"}},
		"no pooling":            {map[string]string{"modules.json": `[{"type": "sentence_transformers.models.Transformer"}]`}, []string{"modules.json", "Pooling"}},
		"too many modules":      {map[string]string{"modules.json": "[" + strings.Repeat(`{"type": ""},`, 40) + `{}]`}, []string{"modules.json", "41 modules"}},
		"unknown module":        {map[string]string{"modules.json": "[" + transformerAndPooling + `, {"type": "sentence_transformers.models.LSTM"}]`}, []string{"modules.json", "LSTM"}},
		"foreign module":        {map[string]string{"modules.json": `[{"type": "evil.Transformer"}]`}, []string{"modules.json", "evil.Transformer"}},
		"module elsewhere":      {map[string]string{"modules.json": `[{"type": "sentence_transformers.models.Transformer", "path": "../x"}]`}, []string{"modules.json", "../x"}},
		"module at the root":    {map[string]string{"modules.json": `[{"type": "sentence_transformers.models.Transformer", "path": "/etc"}]`}, []string{"modules.json", "/etc"}},
		"key twice":             {map[string]string{"modules.json": `[{"path": "", "path": "x"}]`}, []string{"modules.json", `"path"`}},
		"pooling is missing":    {map[string]string{"1_Pooling/config.json": ``}, []string{"1_Pooling"}},
		"pooling of other size": {map[string]string{"1_Pooling/config.json": `{"word_embedding_dimension": 37}`}, []string{"1_Pooling", "37", "36"}},
		"no pooling mode":       {map[string]string{"1_Pooling/config.json": `{"pooling_mode_mean_tokens": false}`}, []string{"1_Pooling", "pooling_mode"}},
		"weighted mean":         {map[string]string{"1_Pooling/config.json": `{"pooling_mode_weightedmean_tokens": true}`}, []string{"pooling_mode_weightedmean_tokens"}},
		"last token":            {map[string]string{"1_Pooling/config.json": `{"pooling_mode_lasttoken": true}`}, []string{"pooling_mode_lasttoken"}},
		"mode is a number":      {map[string]string{"1_Pooling/config.json": `{"pooling_mode_max_tokens": 1}`}, []string{"pooling_mode_max_tokens"}},
		"dense of other size":   {dense(`{"in_features": 35, "out_features": 3}`), []string{"2_Dense", "in_features", "35", "36"}},
		"dense without end":     {dense(`{"in_features": 36, "out_features": 9999999}`), []string{"2_Dense", "out_features"}},
		"dense activation":      {dense(`{"in_features": 36, "out_features": 3, "activation_function": "os.system"}`), []string{"2_Dense", "os.system"}},
		"dense without name":    {dense(`{"in_features": 36, "out_features": 3, "activation_function": "torch.nn.Mish"}`), []string{"2_Dense", "Mish", "Tanh"}},
		"dense of tokens":       {dense(`{"in_features": 36, "out_features": 3, "module_input_name": "token_embeddings"}`), []string{"2_Dense", "token_embeddings"}},
		"dense without weights": {dense(`{"in_features": 36, "out_features": 3}`), []string{"2_Dense", "no weights"}},
		"length is a word":      {map[string]string{"sentence_bert_config.json": `{"max_seq_length": "long"}`}, []string{"sentence_bert_config.json", "max_seq_length"}},
		"length of one":         {map[string]string{"sentence_bert_config.json": `{"max_seq_length": 1}`}, []string{"sentence_bert_config.json", "max_seq_length"}},
		"negative length":       {map[string]string{"tokenizer_config.json": `{"model_max_length": -1}`}, []string{"tokenizer_config.json", "model_max_length"}},
		"prompt is missing":     {map[string]string{"config_sentence_transformers.json": `{"default_prompt_name": "query"}`}, []string{"default_prompt_name", "query"}},
		"no vocabulary":         {map[string]string{"vocab.txt": ``}, []string{"vocab"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, small)
			files := map[string]string{"modules.json": "[" + transformerAndPooling + "]", "1_Pooling/config.json": `{}`}
			maps.Copy(files, test.files)
			for file, text := range files {
				writeFile(t, dir, file, text)
			}
			refuse(t, dir, transformer.Options{}, test.want...)
		})
	}
}
