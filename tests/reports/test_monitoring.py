"""What a month's reports say first: the verdict in words, by the intervals."""

from __future__ import annotations

import pytest

from leadscore_v6.reports.monitoring import _verdict

SOUND = {
    "auc_roc": 0.87, "auc_roc_low": 0.85, "auc_roc_high": 0.89, "auc_expected": 0.86, "mqls": 226, "dropped": 0,
    "auc_drop": -0.01, "auc_drop_low": -0.03, "auc_drop_high": 0.01,
    "expected_observed": 1.0, "expected_observed_low": 0.93, "expected_observed_high": 1.08,
}  # fmt: skip


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({}, "The model is worth what it promises"),
        ({"auc_drop": -0.02, "auc_drop_high": -0.005}, "The model ranks better than it promises"),
        ({"auc_drop": -0.02, "auc_drop_high": -0.005}, "a fall from here is told later by as much as the two differ"),
        ({"dropped": 1}, "The model ranks worse than it promises"),
        ({"dropped": None}, "Too few calls for an interval"),
        ({"auc_drop_high": -0.005, "expected_observed_low": 1.2}, "fewer leads convert than it says"),
    ],
)
def test_the_verdict_is_of_the_interval(figures: dict[str, float | None], says: str) -> None:
    assert says in _verdict({**SOUND, **figures})
