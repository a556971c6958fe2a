"""Random numbers: one stream per name, so that no part of the world depends on the order in which parts are made.

What concerns advisors is drawn from a stream of its own, or by cohort: a world with more quarters has the same feeds
for the first ones, byte for byte, as a world with fewer.

Belongs here: streams and the few distributions that numpy lacks. Does not belong here: what is drawn.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def stream(seed: int, name: str, quarter: int = 0) -> np.random.Generator:
    """The generator of one named part of the world (PCG64 seeded by seed, name and quarter; nothing else)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, crc32(name.encode()), quarter])))


def choose(rng: np.random.Generator, weights: NDArray[np.float64], size: int) -> NDArray[np.int32]:
    """`size` indices drawn with replacement in proportion to `weights` (n,), by inversion: cheap for large sizes."""
    edges = np.cumsum(weights)
    picked = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    chosen: NDArray[np.int32] = np.minimum(picked, len(weights) - 1).astype(np.int32)
    return chosen


def sample_distinct(rng: np.random.Generator, pool: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """`size` members of `pool`, no one twice unless the pool is too small, in random order."""
    if len(pool) == 0 or size == 0:
        return np.empty(0, np.int32)
    rounds = -(-size // len(pool))
    return np.concatenate([rng.permutation(pool) for _ in range(rounds)])[:size]


def distinct_numbers(rng: np.random.Generator, size: int, prime: int) -> NDArray[np.int32]:
    """`size` < `prime` different numbers below `prime`, none of them 0; a longer list starts with the shorter one."""
    step = int(rng.integers(prime // 5, prime - 1))
    return (np.arange(1, size + 1, dtype=np.int64) * step % prime).astype(np.int32)


def share(rng: np.random.Generator, size: int, probability: float | NDArray[np.float64]) -> NDArray[np.bool_]:
    """(size,) independent coins that show True with `probability`."""
    return rng.random(size) < probability


def dealt(
    rng: np.random.Generator, probability: NDArray[np.float64], group: NDArray[np.integer]
) -> NDArray[np.float64]:
    """(n,) numbers from 0 to 1, each of them uniform, so that a group has its due of those below `probability`.

    In every group as many numbers are below as are expected, give or take one; which ones is left to chance: systematic
    sampling of the group in random order (Madow 1949).
    """
    order = np.lexsort((rng.random(len(group)), group))
    sizes = np.unique(group, return_counts=True)[1]
    before = np.cumsum(probability[order]) - probability[order]
    first = np.cumsum(sizes) - sizes
    start = rng.random(len(sizes)) + before[first]
    draw = np.empty(len(group))
    draw[order] = (np.repeat(start, sizes) - before) % 1.0
    return draw
