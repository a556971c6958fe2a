"""Which features a model leans on: mean |SHAP|, and whether that stays so from fold to fold (R40).

Belongs here: importance and its stability. Does not belong here: one lead's reasons (`explain.py`). Not gain: over
folds of the same data its Jaccard@10 is about .43, that of mean |SHAP| about .86 (statistics).
"""

from __future__ import annotations

from dataclasses import dataclass


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
