"""Tasks side by side, without a byte of the result depending on how many at a time.

Belongs here: how tasks share the cores. Does not belong here: what a task computes, which is one thread's work each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from threadpoolctl import threadpool_limits


def side_by_side(tasks: Sequence[Callable[[], Any]], workers: int) -> list[Any]:
    """What each task gives, in order, `workers` at a time. XGBoost and numpy let other threads run while they compute.

    BLAS keeps to one thread meanwhile: a logit's last bits would depend on how many it has, and on matrices this narrow
    they cost five times what they save.
    """
    with threadpool_limits(1, user_api="blas"):
        if workers <= 1:
            return [task() for task in tasks]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(lambda task: task(), tasks))
