"""Writes sklearn_golden.json and sklearn_blobs.json: what scikit-learn's Birch makes
of vectors that a formula gives, for the Go tests to compare with.

    apt-get install python3-sklearn
    /usr/bin/python3 sklearn_golden.py

The formula is integer arithmetic and one exact division by a power of two, so
that Python and Go compute the same float32 values. See golden_test.go.
"""
import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import sklearn
from sklearn.cluster import Birch, _birch

HERE = os.path.dirname(os.path.abspath(__file__))


def noise(i):
    """20 bits of splitmix64's output for the counter i, centred on 0."""
    with np.errstate(over="ignore"):
        z = i.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(44)).astype(np.int64) - (1 << 19)


def vectors(points, dim, groups):
    """Each point is 4 times the centre of its group plus 3 times noise."""
    p = np.arange(points, dtype=np.uint64)
    group = (noise(p + np.uint64(1 << 40)) + (1 << 19)) % groups
    column = np.arange(dim, dtype=np.uint64)
    centre = noise(group.astype(np.uint64)[:, None] * np.uint64(dim) + column + np.uint64(1 << 41))
    own = noise(p[:, None] * np.uint64(dim) + column + np.uint64(1 << 42))
    return (4 * centre + 3 * own) / 2.0 ** 25


def blobs(points, groups):
    """Points of the plane in groups that mostly stand apart: 8 times the centre of
    the group plus an eighth of the sum of two noises, rounded down."""
    p = np.arange(points, dtype=np.uint64)
    group = (noise(p + np.uint64(1 << 40)) + (1 << 19)) % groups
    column = np.arange(2, dtype=np.uint64)
    centre = noise(group.astype(np.uint64)[:, None] * np.uint64(2) + column + np.uint64(1 << 41))
    first = noise(p[:, None] * np.uint64(2) + column + np.uint64(1 << 42))
    second = noise(p[:, None] * np.uint64(2) + column + np.uint64(1 << 43))
    return (8 * centre + ((first + second) >> 3)) / 2.0 ** 25


def partition(x, threshold, branching):
    """Feeds x to Birch in order and returns the sub-cluster of each point,
    numbered by first appearance, and the centroids in that order."""
    made = []

    class Recording(_birch._CFSubcluster):
        def __init__(self, *, linear_sum=None):
            super().__init__(linear_sum=linear_sum)
            self.points = []
            if linear_sum is not None:
                self.points.append(len(made))
                made.append(self)

        def merge_subcluster(self, nominee, threshold):
            merged = super().merge_subcluster(nominee, threshold)
            if merged:
                self.points += nominee.points
            return merged

    original = _birch._CFSubcluster
    _birch._CFSubcluster = Recording
    try:
        birch = Birch(n_clusters=None, threshold=threshold, branching_factor=branching,
                      compute_labels=False).fit(x)
    finally:
        _birch._CFSubcluster = original
    entries = [s for leaf in birch._get_leaves() for s in leaf.subclusters_]
    entries.sort(key=lambda s: s.points[0])
    labels = np.full(len(x), -1)
    for i, entry in enumerate(entries):
        labels[entry.points] = i
    assert len(entries) == len(birch.subcluster_centers_) and (labels >= 0).all()
    return labels, [entry.centroid_ for entry in entries]


def fnv1a(labels):
    h = 0xCBF29CE484222325
    for byte in labels.astype("<u4").tobytes():
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h:016x}"


def case(points, dim, groups, threshold, branching):
    labels, centroids = partition(vectors(points, dim, groups), threshold, branching)
    sizes = np.bincount(labels)
    shown = sorted({0, len(centroids) // 2, len(centroids) - 1, int(sizes.argmax())})
    return {
        "points": points, "dim": dim, "groups": groups,
        "threshold": threshold, "branching": branching,
        "subclusters": len(centroids),
        "largest": sorted(sizes.tolist(), reverse=True)[:20],
        "labels_fnv1a": fnv1a(labels),
        "first_labels": labels[:100].tolist(),
        "centroids": {str(i): centroids[i][:8].tolist() for i in shown},
    }


def blob_case(points, groups, threshold, branching):
    labels, centroids = partition(blobs(points, groups), threshold, branching)
    return {
        "points": points, "groups": groups, "threshold": threshold, "branching": branching,
        "sizes": np.bincount(labels).tolist(),
        "labels_fnv1a": fnv1a(labels),
        "centroids": np.round(centroids, 9).tolist(),
    }


def write(name, cases, **layout):
    with open(os.path.join(HERE, name), "w") as f:
        json.dump({"scikit-learn": sklearn.__version__, "cases": cases}, f, **layout)
        f.write("\n")


def main():
    cases = [case(20_000, 2, 40, t, b)
             for t, b in [(0.001, 50), (0.002, 50), (0.002, 7), (0.005, 3), (0.01, 50), (0.02, 10), (0.05, 2)]]
    cases += [case(1_500, 768, 30, t, b)
              for t, b in [(0.5, 50), (0.65, 50), (0.65, 8), (0.7, 20), (0.75, 50)]]
    for c in cases:
        print(c["dim"], c["threshold"], c["branching"], c["subclusters"], c["largest"][:5])
    write("sklearn_golden.json", cases, indent=1)
    cases = [blob_case(100_000, 100, t, 50) for t in (0.001, 0.003)]
    for c in cases:
        print("blobs", c["threshold"], len(c["sizes"]), sorted(c["sizes"])[-5:])
    write("sklearn_blobs.json", cases, separators=(",", ":"))


if __name__ == "__main__":
    main()
