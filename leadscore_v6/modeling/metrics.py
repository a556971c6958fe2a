"""Point metrics of a ranking: average precision, AUC, gain and lift, by weights, so that a bootstrap is one pass.

Belongs here: a number out of labels, scores and weights. Does not belong here: resampling (`bootstrap.py`).
Tied scores share: a metric is what it is on average over the orders of the tied leads' group, as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """k leads, best score first.

    order (k,) positions by falling score; ends (g,) last place of each group of equal scores; label (k,) in order.
    """

    order: NDArray[np.intp]
    ends: NDArray[np.intp]
    label: NDArray[np.float32]

    @classmethod
    def of(cls, label: NDArray[np.int8], score: Floats) -> Ranking:
        """Rank leads by `score`."""
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True]))
        return cls(order, ends, label[order].astype(np.float32))

    def curves(self, weights: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """(b, g) weight of positives and of all leads down to the end of each group.

        `weights` (b, k) are small whole numbers in the order of the leads: their sums are exact in float32.
        """
        sorted_weights = weights[:, self.order]
        leads = np.cumsum(sorted_weights, axis=1, dtype=np.float32)[:, self.ends]
        positives = np.cumsum(sorted_weights * self.label, axis=1, dtype=np.float32)[:, self.ends]
        return positives.astype(np.float64), leads.astype(np.float64)


def average_precision(positives: Floats, leads: Floats) -> Floats:
    """(b,) sum of precision × step in recall over the groups: scikit-learn's average precision, the plan's AUC-PR."""
    steps = np.diff(positives, axis=1, prepend=0.0)
    precision = np.divide(positives, leads, out=np.zeros_like(positives), where=leads > 0)
    found: Floats = _ratio((precision * steps).sum(axis=1), positives[:, -1])
    return found


def auc_roc(positives: Floats, leads: Floats) -> Floats:
    """(b,) share of pairs of a positive and a negative that are in the right order, ties as half."""
    negatives = leads - positives
    steps = np.diff(positives, axis=1, prepend=0.0)
    ties = np.diff(negatives, axis=1, prepend=0.0)
    below = negatives[:, -1:] - negatives + ties / 2
    return _ratio((steps * below).sum(axis=1), positives[:, -1] * negatives[:, -1])


def gain(positives: Floats, leads: Floats, share: float) -> Floats:
    """(b,) share of the positives among the first `share` of the leads; a group that the cut splits counts in part."""
    found = np.empty(len(leads))
    for row, (hits, seen) in enumerate(zip(positives, leads, strict=True)):
        found[row] = np.interp(share * seen[-1], np.append(0.0, seen), np.append(0.0, hits))
    return _ratio(found, positives[:, -1])


def selected_by_week(score: Floats, contact: NDArray[np.datetime64], share: float) -> Floats:
    """(k,) 1 for the leads among the best `share` of their week of contact (ISO, from Monday), 0 for the others.

    A week's capacity is rounded up to whole leads; of leads with equal scores at the cut each counts in part.
    """
    weeks = (contact.astype("datetime64[D]").astype(np.int64) + 3) // 7  # 1970-01-01 was a Thursday
    order = np.lexsort((-score, weeks))
    _, first, count = np.unique(weeks[order], return_index=True, return_counts=True)
    selected = np.zeros(len(score))
    for start, size in zip(first, count, strict=True):
        places = order[start : start + size]
        capacity = int(np.ceil(share * size - 1e-9))
        cut = score[places[capacity - 1]]
        above, at = score[places] > cut, score[places] == cut
        selected[places[above]] = 1.0
        selected[places[at]] = (capacity - above.sum()) / at.sum()
    return selected


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
