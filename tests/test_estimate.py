"""How a p-value is said: never that something is impossible."""

from __future__ import annotations

import math

import pytest

from leadscore_v6.estimate import p_said, p_shown


@pytest.mark.parametrize(
    ("p", "shown", "said"),
    [
        (1.0, "1.0000", "p = 1.0000"),
        (0.03125, "0.0312", "p = 0.0312"),
        (0.0001, "0.0001", "p = 0.0001"),
        (0.00009999, "< 0.0001", "p < 0.0001"),
        (0.0, "< 0.0001", "p < 0.0001"),
    ],
)
def test_a_p_value_is_small_and_not_zero(p: float, shown: str, said: str) -> None:
    assert (p_shown(p), p_said(p)) == (shown, said)


def test_a_p_value_that_there_is_not_is_told() -> None:
    assert p_shown(None) == p_shown(math.nan) == "not judgeable"
    assert p_shown(None, "not measured") == "not measured"
