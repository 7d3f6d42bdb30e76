"""Writes what scikit-learn says of some labellings, for golden_test.go.

    apt-get install python3-sklearn
    /usr/bin/python3 sklearn_golden.py > sklearn_golden.json

Labels come from a formula that both sides compute. scikit-learn has no purity and
no simplified silhouette; NumPy computes those from their definitions.
"""

import json
import sys

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.metrics.cluster import contingency_matrix

MASK = (1 << 64) - 1


def noise(i):
    """splitmix64's output for the counter i."""
    z = i * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def labelling(documents, labels, clusters, wrong):
    """The label of a document is skewed towards small numbers; its cluster
    follows the label, or in `wrong` of 100 documents chance."""
    truth, found = [], []
    for i in range(documents):
        label = noise(i) % labels * (noise(i + (1 << 40)) % labels) // labels
        chance = noise(i + (1 << 41)) % 100 < wrong
        cluster = noise(i + (1 << 42)) % clusters if chance else label % clusters
        truth.append(label)
        found.append(cluster)
    return truth, found


def purity(truth, found):
    if not truth:
        return 1.0
    return float(contingency_matrix(truth, found).max(axis=0).sum() / len(truth))


def ami(truth, found):
    """Where all documents are alone on both sides AMI is 0/0, which scikit-learn
    takes for 0 or 1 as the rounding goes. It is a perfect match: 1."""
    if len(set(truth)) == len(set(found)) == len(truth):
        return 1.0
    return float(metrics.adjusted_mutual_info_score(truth, found))


def scores(truth, found):
    h, c, v = metrics.homogeneity_completeness_v_measure(truth, found)
    return {
        "documents": len(truth),
        "labels": len(set(truth)),
        "large_labels": sum(truth.count(x) >= 5 for x in set(truth)),
        "clusters": len(set(found)),
        "large_clusters": sum(found.count(x) >= 5 for x in set(found)),
        "nmi": float(metrics.normalized_mutual_info_score(truth, found)),
        "ami": ami(truth, found),
        "ari": float(metrics.adjusted_rand_score(truth, found)),
        "homogeneity": float(h),
        "completeness": float(c),
        "v_measure": float(v),
        "purity": purity(truth, found),
    }


def simplified_silhouette(vectors, found):
    """The mean of (b-a)/max(a,b): a is the distance to the document's own
    centroid, b that to the nearest other; alone in a cluster counts 0."""
    names = sorted(set(found))
    if len(names) < 2:
        return 0.0
    found = np.array(found)
    centroids = np.array([vectors[found == name].mean(axis=0) for name in names])
    distances = metrics.pairwise_distances(vectors, centroids)
    values = []
    for row, name in zip(distances, found):
        own = names.index(name)
        a, b = row[own], np.delete(row, own).min()
        alone = (found == name).sum() == 1
        values.append(0.0 if alone or max(a, b) == 0 else (b - a) / max(a, b))
    return float(np.mean(values))


def vectors(truth, dim):
    rows = [
        [(noise(label * dim + j + (1 << 43)) >> 44) + (noise(i * dim + j + (1 << 44)) >> 44) for j in range(dim)]
        for i, label in enumerate(truth)
    ]
    return np.array(rows, dtype=np.float64) / (1 << 20) - 1


def case(documents, labels, clusters, wrong):
    truth, found = labelling(documents, labels, clusters, wrong)
    return {
        "documents": documents, "labels": labels, "clusters": clusters, "wrong": wrong,
        "scores": scores(truth, found),
    }


FORMULAS = [
    (1000, 10, 10, 0), (1000, 10, 10, 20), (1000, 10, 10, 100), (1000, 10, 3, 10),
    (1000, 3, 40, 30), (300, 300, 300, 10), (5000, 100, 400, 35), (20000, 150, 60, 25),
    (7, 3, 3, 50), (2000, 1, 20, 100), (2000, 20, 1, 0),
]

BY_HAND = [
    ([], []),
    ([1], [1]),
    ([1, 2], [1, 1]),
    ([1, 1], [1, 2]),
    ([1, 2], [5, 7]),
    ([1, 1, 1], [2, 2, 2]),
    ([1, 2, 3, 4], [4, 3, 2, 1]),
    ([1, 1, 2, 2], [1, 2, 3, 4]),
    ([1, 1, 2, 2], [1, 2, 1, 2]),
    ([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1]),
    ([1, 1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 1, 1, 2, 2, 2]),
]

SILHOUETTES = [(400, 8, 8, 0, 6), (400, 8, 8, 30, 6), (120, 40, 40, 50, 33), (50, 1, 1, 0, 4)]


def silhouette_case(documents, labels, clusters, wrong, dim):
    truth, found = labelling(documents, labels, clusters, wrong)
    return {
        "documents": documents, "labels": labels, "clusters": clusters, "wrong": wrong, "dim": dim,
        "silhouette": simplified_silhouette(vectors(truth, dim), found),
    }


json.dump(
    {
        "sklearn": sklearn.__version__,
        "formulas": [case(*f) for f in FORMULAS],
        "by_hand": [{"truth": t, "found": f, "scores": scores(t, f)} for t, f in BY_HAND],
        "silhouettes": [silhouette_case(*s) for s in SILHOUETTES],
    },
    sys.stdout,
    indent=1,
)
print()
