"""Which features a model leans on: mean |SHAP|, and whether that stays so from fold to fold (R40).

Belongs here: importance and its stability. Does not belong here: one lead's reasons (`explain.py`). Not gain: over
folds of the same data its Jaccard@10 is about .43, that of mean |SHAP| about .86 (statistics).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Importance:
    """One feature: mean |SHAP| in log-odds, its share of the sum over features, and gain as XGBoost counts it."""

    feature: str
    mean_abs_shap: float
    share: float
    gain: float


@dataclass(frozen=True)
class Stability:
    """Mean over all pairs of folds, and the worst pair."""

    spearman: float
    jaccard_at_10: float
    worst_spearman: float
    worst_jaccard_at_10: float


def mean_abs_shap(
    names: Sequence[str], contributions: Floats, gain: Mapping[str, float] | None = None
) -> tuple[Importance, ...]:
    """Importance of each feature, largest first (ties by name). `contributions` (n, p + 1), the base value last."""
    sizes = np.abs(contributions[:, : len(names)]).mean(axis=0)
    total = float(sizes.sum())
    found = [
        Importance(name, float(size), float(size) / total if total > 0 else 0.0, (gain or {}).get(name, 0.0))
        for name, size in zip(names, sizes, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.mean_abs_shap, one.feature)))


def evenly(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most `most` of `rows`, evenly spaced: a sample in time that takes no chance."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.intp)]


def stability(folds: Sequence[Sequence[Importance]]) -> Stability:
    """How alike importance is between folds (R40). A feature that a fold does not know has importance 0 there."""
    from scipy.stats import spearmanr

    names = sorted({one.feature for fold in folds for one in fold})
    sizes = [_sizes(fold, names) for fold in folds]
    tops = [{one.feature for one in fold[:10]} for fold in folds]
    ranks, shared = [], []
    for first, second in combinations(range(len(folds)), 2):
        ranks.append(float(spearmanr(sizes[first], sizes[second]).statistic))
        shared.append(len(tops[first] & tops[second]) / len(tops[first] | tops[second]))
    return Stability(float(np.mean(ranks)), float(np.mean(shared)), min(ranks), min(shared))


def _sizes(fold: Sequence[Importance], names: Sequence[str]) -> list[float]:
    known = {one.feature: one.mean_abs_shap for one in fold}
    return [known.get(name, 0.0) for name in names]
