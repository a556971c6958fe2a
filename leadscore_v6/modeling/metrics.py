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
    telling (t,) of `ends` those that a figure can depend on: the end of each group with a positive, the end before it,
    and the last. With few positives they are few, and a draw of a bootstrap costs one pass over the leads.
    """

    order: NDArray[np.intp]
    ends: NDArray[np.intp]
    telling: NDArray[np.intp]
    label: NDArray[np.float32]

    @classmethod
    def of(cls, label: NDArray[np.int8], score: Floats) -> Ranking:
        """Rank leads by `score`."""
        order = np.argsort(-score, kind="stable")
        ranked, hits = score[order], label[order].astype(np.float32)
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True]))
        with_positive = np.unique(np.searchsorted(ends, np.flatnonzero(hits)))
        kept = np.unique(np.concatenate([with_positive, with_positive[with_positive > 0] - 1, [len(ends) - 1]]))
        return cls(order, ends, ends[kept], hits)

    def curves(self, weights: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """(b, t) weight of positives and of all leads down to each of the `telling` ends.

        `weights` (b, k) are small whole numbers in the order of the leads: their sums are exact in float32.
        """
        ranked = np.take(weights, self.order, axis=1)
        starts = np.append(0, self.telling[:-1] + 1)
        leads = np.add.reduceat(ranked, starts, axis=1)
        positives = np.zeros_like(leads)
        places = np.flatnonzero(self.label)
        of, first = np.unique(np.searchsorted(self.telling, places), return_index=True)
        if len(of):
            positives[:, of] = np.add.reduceat(np.take(ranked, places, axis=1), first, axis=1)
        return tuple(np.cumsum(part, axis=1, dtype=np.float64) for part in (positives, leads))  # type: ignore[return-value]


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
