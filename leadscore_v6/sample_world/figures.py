"""AUC and average precision of the truth itself: what a perfect model could reach in this world.

Belongs here: the two figures. They are written out here because sample_world imports nothing of the product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def roc_auc(score: NDArray[np.float64], label: NDArray[np.bool_]) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN without both classes."""
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return float("nan")
    _, position, count = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    return float((mean_rank[position][label].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(score: NDArray[np.float64], label: NDArray[np.bool_]) -> float:
    """Sum of precision times gain in recall over the distinct scores; NaN without positives."""
    if not label.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    precision = hits[ends] / (ends + 1)
    return float((precision * np.diff(hits[ends], prepend=0)).sum() / hits[-1])
