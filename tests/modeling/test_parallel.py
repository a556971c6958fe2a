"""Tasks side by side: in order, and alone with their thread."""

from __future__ import annotations

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from leadscore_v6.modeling.parallel import side_by_side


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_leave_blas_one_thread_and_give_the_others_back(workers: int) -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        before = threads()
        within = side_by_side([threads] * 3, workers)
        assert before
        assert within == [[1] * len(before)] * 3
        assert threads() == before


@pytest.mark.parametrize("workers", [1, 2])
def test_what_they_give_is_in_their_order(workers: int) -> None:
    assert side_by_side([lambda number=number: number for number in range(5)], workers) == [0, 1, 2, 3, 4]
