"""scikit-learn as a peer: sklearn_peer.py VECTORS.f32 DIM

Each line of standard input is a job and gets one line back.

{"insert": N, "threshold": T, "branching": B}: Birch(n_clusters=None) gets the first
N vectors one at a time: {"seconds": S for all, "subclusters": K}.

{"step": N, "messages": M, "threshold": T}: what Beam's Python example does for each
message once N came: load model, texts and embeddings from their pickles, add the
vector, predict the labels of all, and pickle them again: {"seconds": S for each}.

Needs python3-sklearn.
"""

import json
import pickle
import sys
import time
import warnings

import numpy as np
from sklearn.cluster import Birch

warnings.filterwarnings("ignore")
sys.setrecursionlimit(1_000_000)


def insert(vectors, job):
    birch = Birch(n_clusters=None, threshold=job["threshold"], branching_factor=job["branching"])
    started = time.perf_counter()
    for row in vectors[: job["insert"]]:
        birch.partial_fit(row[None])
    return {"seconds": time.perf_counter() - started, "subclusters": len(birch.subcluster_centers_)}


def step(vectors, job):
    n = job["step"]
    birch = Birch(n_clusters=None, threshold=job["threshold"])
    birch.partial_fit(vectors[:n])  # the same tree as one by one, without the waiting
    texts = {i: {"id": i, "text": f"a text of some sixty characters, as messages have, {i}"} for i in range(n)}
    embeddings = {i: vectors[i] for i in range(n)}
    state = [pickle.dumps(part, pickle.HIGHEST_PROTOCOL) for part in (birch, texts, embeddings)]
    started = time.perf_counter()
    for i in range(n, n + job["messages"]):
        birch, texts, embeddings = (pickle.loads(part) for part in state)
        texts[i] = {"id": i, "text": f"a text of some sixty characters, as messages have, {i}"}
        embeddings[i] = vectors[i]
        birch.partial_fit(vectors[i][None])
        birch.predict(np.array(list(embeddings.values())))
        state = [pickle.dumps(part, pickle.HIGHEST_PROTOCOL) for part in (birch, texts, embeddings)]
    return {"seconds": (time.perf_counter() - started) / job["messages"], "subclusters": len(birch.subcluster_centers_)}


def main():
    vectors = np.fromfile(sys.argv[1], "<f4").reshape(-1, int(sys.argv[2]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(insert(vectors, job) if "insert" in job else step(vectors, job)), flush=True)


main()
