"""PyTorch as a peer: torch_peer.py FOLDER THREADS

Each line of standard input is a job, {"texts": [[ids]...], "batch": 1}, and gets
one line back: {"seconds": S, "first": [...]}. It embeds one text at a time in
float32, as the Python pipeline does.

Needs python3-torch.
"""

import json
import math
import struct
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F


def read_safetensors(path):
    data = bytearray(path.read_bytes())
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(bytes(data[8 : 8 + size]))
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        count = math.prod(entry["shape"])
        offset = 8 + size + entry["data_offsets"][0]
        values = torch.frombuffer(data, dtype=torch.float32, count=count, offset=offset)
        tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors


class Encoder:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.w = read_safetensors(folder / "model.safetensors")

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"], 1e-12)

    def attention(self, x, at):
        batch, tokens, dim = x.shape
        heads = self.config["n_heads"]

        def split(name):
            return self.linear(x, at + name).view(batch, tokens, heads, dim // heads).transpose(1, 2)

        q, k, v = split("attention.q_lin"), split("attention.k_lin"), split("attention.v_lin")
        scores = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(dim // heads), -1)
        return self.linear((scores @ v).transpose(1, 2).reshape(batch, tokens, dim), at + "attention.out_lin")

    def __call__(self, ids):
        x = self.w["embeddings.word_embeddings.weight"][ids]
        x = x + self.w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self.norm(x, "embeddings.LayerNorm")
        for layer in range(self.config["n_layers"]):
            at = f"transformer.layer.{layer}."
            x = self.norm(x + self.attention(x, at), at + "sa_layer_norm")
            wide = F.gelu(self.linear(x, at + "ffn.lin1"))
            x = self.norm(x + self.linear(wide, at + "ffn.lin2"), at + "output_layer_norm")
        return x.mean(1)


def main():
    encoder = Encoder(Path(sys.argv[1]))
    torch.set_num_threads(int(sys.argv[2]))
    with torch.inference_mode():
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            texts = [torch.tensor([ids]) for ids in json.loads(line)["texts"]]
            started = time.perf_counter()
            embeddings = [encoder(ids) for ids in texts]
            seconds = time.perf_counter() - started
            print(json.dumps({"seconds": seconds, "first": embeddings[0][0].tolist()}), flush=True)


main()
