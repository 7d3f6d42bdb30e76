"""Writes a DistilBERT model folder as ONNX: onnx_model.py FOLDER OUT.onnx fp32|int8

The weights are those of the folder, so that the outputs can be compared. The
graph is that of an exported Hugging Face model: ONNX Runtime fuses what it
knows (LayerNormalization, Gelu) when it loads it. In int8 every linear layer is
a DynamicQuantizeMatMul with one scale a column, as quantize_dynamic makes it
with per_channel. The output is the mean over the tokens that the mask names.

Needs python3-onnx and python3-numpy.
"""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def read_safetensors(path):
    """Returns the float32 tensors of a file by name."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + at for at in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return tensors


class Graph:
    """Nodes and constants, each under a name of its own."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op, *inputs, domain="", **attributes):
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, names, [out], domain=domain, **attributes))
        return out


class Encoder:
    def __init__(self, config, weights, int8):
        self.config, self.weights, self.int8 = config, weights, int8
        self.g = Graph()

    def linear(self, x, name):
        weight, bias = self.weights[name + ".weight"].T, self.weights[name + ".bias"]
        if not self.int8:
            return self.g.node("Add", self.g.node("MatMul", x, weight), bias)
        scale = (np.abs(weight).max(0) / 127).astype(np.float32)
        quantised = np.rint(weight / scale).astype(np.int8)
        return self.g.node(
            "DynamicQuantizeMatMul", x, quantised, scale, "", bias, domain="com.microsoft"
        )

    def norm(self, x, name):
        g = self.g
        centred = g.node("Sub", x, g.node("ReduceMean", x, axes=[-1]))
        square = g.node("Pow", centred, np.array(2, np.float32))
        variance = g.node("ReduceMean", square, axes=[-1])
        deviation = g.node("Sqrt", g.node("Add", variance, np.array(1e-12, np.float32)))
        unit = g.node("Div", centred, deviation)
        return g.node("Add", g.node("Mul", unit, self.weights[name + ".weight"]), self.weights[name + ".bias"])

    def embeddings(self):
        g, w = self.g, self.weights
        words = g.node("Gather", w["embeddings.word_embeddings.weight"], "input_ids")
        length = g.node("Gather", g.node("Shape", "input_ids"), np.array([1]), axis=0)
        positions = w["embeddings.position_embeddings.weight"][None]
        positions = g.node("Slice", positions, np.array([0]), length, np.array([1]))
        return self.norm(g.node("Add", words, positions), "embeddings.LayerNorm")

    def attention(self, x, mask, at):
        g, heads, dim = self.g, self.config["n_heads"], self.config["dim"]

        def split(name, order):
            shape = np.array([0, 0, heads, dim // heads])
            return g.node("Transpose", g.node("Reshape", self.linear(x, at + name), shape), perm=order)

        scale = np.array(math.sqrt(dim // heads), np.float32)
        q = g.node("Div", split("attention.q_lin", [0, 2, 1, 3]), scale)
        k = split("attention.k_lin", [0, 2, 3, 1])
        v = split("attention.v_lin", [0, 2, 1, 3])
        scores = g.node("Softmax", g.node("Add", g.node("MatMul", q, k), mask), axis=-1)
        context = g.node("Transpose", g.node("MatMul", scores, v), perm=[0, 2, 1, 3])
        context = g.node("Reshape", context, np.array([0, 0, dim]))
        return self.linear(context, at + "attention.out_lin")

    def feed_forward(self, x, at):
        g = self.g
        wide = self.linear(x, at + "ffn.lin1")
        erf = g.node("Erf", g.node("Div", wide, np.array(math.sqrt(2), np.float32)))
        gelu = g.node("Mul", wide, g.node("Add", erf, np.array(1, np.float32)))
        return self.linear(g.node("Mul", gelu, np.array(0.5, np.float32)), at + "ffn.lin2")

    def mean(self, x, mask):
        g = self.g
        kept = g.node("Unsqueeze", mask, np.array([2]))
        total = g.node("ReduceSum", g.node("Mul", x, kept), np.array([1]), keepdims=0)
        return g.node("Div", total, g.node("ReduceSum", kept, np.array([1]), keepdims=0))

    def build(self):
        g = self.g
        mask = g.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        hidden = g.node("Sub", mask, np.array(1, np.float32))
        hidden = g.node("Mul", hidden, np.array(10000, np.float32))
        hidden = g.node("Unsqueeze", hidden, np.array([1, 2]))
        x = self.embeddings()
        for layer in range(self.config["n_layers"]):
            at = f"transformer.layer.{layer}."
            x = self.norm(g.node("Add", self.attention(x, hidden, at), x), at + "sa_layer_norm")
            x = self.norm(g.node("Add", self.feed_forward(x, at), x), at + "output_layer_norm")
        mean = self.mean(x, mask)
        g.nodes.append(helper.make_node("Identity", [mean], ["embedding"]))

        def tokens(name):
            return helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])

        out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", self.config["dim"]])
        graph = helper.make_graph(
            g.nodes, "distilbert", [tokens("input_ids"), tokens("attention_mask")], [out], g.constants
        )
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 7
        return model


def main():
    folder, out, dtype = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    config = json.loads((folder / "config.json").read_text())
    weights = read_safetensors(folder / "model.safetensors")
    onnx.save(Encoder(config, weights, dtype == "int8").build(), out)


main()
