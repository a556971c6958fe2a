"""A score's place among the scores of its day, and whether it moved since an earlier day.

Belongs here: percentile, decile, trend. Does not belong here: probabilities (modeling/).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UP, DOWN, SAME, NEW = "up", "down", "same", "new"


def percentiles(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) 1 to 100, 100 best: the share of the n scores below one's own in whole hundredths, and 1.

    Equal scores have equal percentiles, so that no order of rows decides. All are finite.
    """
    below = np.searchsorted(np.sort(scores), scores, side="left").astype(np.int64)
    return 100 * below // max(1, len(scores)) + 1


def deciles(percentile: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) 1 to 10, 10 best: the tenth of the percentiles that each lies in."""
    return (percentile - 1) // 10 + 1


def trends(now: NDArray[np.int64], before: NDArray[np.float64], same_within: int) -> NDArray[np.object_]:
    """(n,) up, down, same (by at most `same_within` points), or new where `before` is NaN."""
    change = now - before
    words = np.where(change > same_within, UP, np.where(change < -same_within, DOWN, SAME))
    return np.where(np.isnan(before), NEW, words).astype(object)
