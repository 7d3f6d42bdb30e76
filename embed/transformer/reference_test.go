package transformer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"starling/embed/modeltest"
	"starling/embed/transformer/kernel"
)

// A reference is an encoder in float64 that reads like the papers: one token,
// one head, one value at a time.
type reference struct {
	shape   modeltest.Shape
	tensors map[string][]float32
}

func newReference(shape modeltest.Shape) reference {
	r := reference{shape, make(map[string][]float32)}
	for _, t := range shape.Tensors() {
		r.tensors[t.Name] = t.Values
	}
	return r
}

// linear multiplies each row with the weights of a layer and adds its bias.
func (r reference) linear(name string, rows [][]float64) [][]float64 {
	weights, bias := r.tensors[name+".weight"], r.tensors[name+".bias"]
	result := make([][]float64, len(rows))
	for i, row := range rows {
		for o, b := range bias {
			sum := float64(b)
			for k, x := range row {
				sum += x * float64(weights[o*len(row)+k])
			}
			result[i] = append(result[i], sum)
		}
	}
	return result
}

func (r reference) norm(name string, rows [][]float64) [][]float64 {
	gamma, beta := r.tensors[name+".weight"], r.tensors[name+".bias"]
	result := make([][]float64, len(rows))
	for i, row := range rows {
		var mean, variance float64
		for _, x := range row {
			mean += x / float64(len(row))
		}
		for _, x := range row {
			variance += (x - mean) * (x - mean) / float64(len(row))
		}
		for k, x := range row {
			result[i] = append(result[i], (x-mean)/math.Sqrt(variance+1e-12)*float64(gamma[k])+float64(beta[k]))
		}
	}
	return result
}

func (r reference) activate(x float64) float64 {
	switch r.shape.Activation {
	case "gelu_new":
		return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case "relu":
		return max(x, 0)
	}
	return x / 2 * (1 + math.Erf(x/math.Sqrt2))
}

func sum(a, b [][]float64) [][]float64 {
	result := make([][]float64, len(a))
	for i := range a {
		for k := range a[i] {
			result[i] = append(result[i], a[i][k]+b[i][k])
		}
	}
	return result
}

// attention returns softmax(q k^T / sqrt(size)) v for each head.
func (r reference) attention(q, k, v [][]float64) [][]float64 {
	size := r.shape.Dim / r.shape.Heads
	result := make([][]float64, len(q))
	for i := range q {
		for h := range r.shape.Heads {
			weights, total := make([]float64, len(k)), 0.0
			for j := range k {
				score := 0.0
				for d := h * size; d < (h+1)*size; d++ {
					score += q[i][d] * k[j][d]
				}
				weights[j] = math.Exp(score / math.Sqrt(float64(size)))
				total += weights[j]
			}
			for d := h * size; d < (h+1)*size; d++ {
				mixed := 0.0
				for j := range v {
					mixed += weights[j] / total * v[j][d]
				}
				result[i] = append(result[i], mixed)
			}
		}
	}
	return result
}

// embed returns the mean of the last hidden states.
func (r reference) embed(ids []int32) []float32 {
	x := make([][]float64, len(ids))
	for i, id := range ids {
		for d := range r.shape.Dim {
			value := float64(r.tensors["embeddings.word_embeddings.weight"][int(id)*r.shape.Dim+d]) +
				float64(r.tensors["embeddings.position_embeddings.weight"][i*r.shape.Dim+d])
			if r.shape.Type == "bert" {
				value += float64(r.tensors["embeddings.token_type_embeddings.weight"][d])
			}
			x[i] = append(x[i], value)
		}
	}
	x = r.norm("embeddings.LayerNorm", x)
	for l := range r.shape.Layers {
		x = r.layer(l, x)
	}
	mean := make([]float32, r.shape.Dim)
	for d := range mean {
		total := 0.0
		for i := range x {
			total += x[i][d]
		}
		mean[d] = float32(total / float64(len(x)))
	}
	return mean
}

func (r reference) layer(l int, x [][]float64) [][]float64 {
	at, n := fmt.Sprintf("transformer.layer.%d.", l), [...]string{"attention.q_lin", "attention.k_lin", "attention.v_lin",
		"attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm"}
	if r.shape.Type == "bert" {
		at, n = fmt.Sprintf("encoder.layer.%d.", l), [...]string{"attention.self.query", "attention.self.key", "attention.self.value",
			"attention.output.dense", "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm"}
	}
	mixed := r.attention(r.linear(at+n[0], x), r.linear(at+n[1], x), r.linear(at+n[2], x))
	x = r.norm(at+n[4], sum(x, r.linear(at+n[3], mixed)))
	hidden := r.linear(at+n[5], x)
	for _, row := range hidden {
		for k := range row {
			row[k] = r.activate(row[k])
		}
	}
	return r.norm(at+n[7], sum(x, r.linear(at+n[6], hidden)))
}

// TestAnyShapeIsAsThePapersSay compares shapes that fill no register evenly
// with the reference, texts of one token and of 512 among them, all in one
// batch.
func TestAnyShapeIsAsThePapersSay(t *testing.T) {
	for seed, shape := range []modeltest.Shape{
		{Type: "distilbert", Layers: 2, Heads: 1, Dim: 1, Hidden: 1, Positions: 8},
		{Type: "bert", Layers: 1, Heads: 7, Dim: 7, Hidden: 3, Positions: 16},
		{Type: "distilbert", Layers: 2, Heads: 3, Dim: 51, Hidden: 129, Positions: 40, Activation: "gelu_new"},
		{Type: "bert", Layers: 3, Heads: 5, Dim: 85, Hidden: 31, Positions: 33, Activation: "relu"},
		{Type: "bert", Layers: 1, Heads: 2, Dim: 130, Hidden: 257, Positions: 100},
		{Type: "distilbert", Layers: 1, Heads: 3, Dim: 27, Hidden: 40, Positions: 512},
	} {
		t.Run(fmt.Sprintf("%s %d wide, %d hidden", shape.Type, shape.Dim, shape.Hidden), func(t *testing.T) {
			shape.Seed = uint64(seed)
			dir := t.TempDir()
			if err := shape.Write(dir); err != nil {
				t.Fatal(err)
			}
			r := newReference(shape)
			random := rand.New(rand.NewPCG(uint64(seed), 2))
			b, want := &batch{}, [][]float32(nil)
			for _, length := range []int{1, 2, 5, shape.Positions, 17 % shape.Positions, 1} {
				ids := make([]int32, max(length, 1))
				for i := range ids {
					ids[i] = int32(random.IntN(40))
				}
				b.ids, b.lengths = append(b.ids, ids...), append(b.lengths, len(ids))
				want = append(want, r.embed(ids))
			}
			forPaths(t, func(t *testing.T, path kernel.Path) {
				m := load(t, dir, Options{DType: "f32", NoNormalize: true}, path)
				b := &batch{ids: b.ids, lengths: b.lengths, rows: make([][]float32, len(want))}
				b.split(cap(m.workers))
				if err := m.run(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				for i := range want {
					compare(t, fmt.Sprintf("text of %d tokens", b.lengths[i]), b.rows[i], want[i], 2e-5)
				}
			})
		})
	}
}
