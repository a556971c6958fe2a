"""Resampling of advisors: leads of one advisor share what the model knows of them, so rows are not independent.

Belongs here: how often each advisor is drawn, and percentiles of what comes of it. Does not belong here: metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_CELLS: Final = 2_000_000  # numbers of a chunk of draws: about what the processor's cache and memory like


def cluster_counts(clusters: int, draws: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Chunks (b, clusters) of how often each cluster is in each draw: `clusters` of them, with replacement."""
    for chunk in _counts(clusters, draws, seed):
        yield chunk.astype(np.float32)


# Whatever is judged on one block is judged on the same resamples, one figure after the other. Those of four blocks stay
# in memory: two bytes an advisor and draw, some 20 MB for 20,000 advisors.
@lru_cache(maxsize=4)
def _counts(clusters: int, draws: int, seed: int) -> tuple[NDArray[np.uint16], ...]:
    rng = np.random.default_rng(seed)
    most = max(1, _CELLS // max(clusters, 1))
    chunks = []
    for start in range(0, draws, most):
        counted = np.empty((min(most, draws - start), clusters), dtype=np.uint16)
        # One draw after the other: its clusters stay in the cache while they are counted.
        for row in counted:
            row[:] = np.bincount(rng.integers(0, clusters, size=clusters), minlength=clusters)
        chunks.append(counted)
    return tuple(chunks)


def over_advisors(
    advisors: NDArray[np.int64],
    statistic: Callable[[NDArray[np.float32]], Floats],
    draws: int,
    seed: int,
) -> Floats:
    """(draws, m) of `statistic`, which takes weights (b, k) of the leads and gives (b, m).

    The same advisors, draws and seed give the same resamples: what two models are compared on is the same leads.
    """
    _, codes = np.unique(advisors, return_inverse=True)
    found = [statistic(np.take(counts, codes, axis=1)) for counts in cluster_counts(int(codes.max()) + 1, draws, seed)]
    return np.concatenate(found)


def interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of draws; what came to nothing in a draw (no positive in it) is left out."""
    low, high = np.nanquantile(values, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
