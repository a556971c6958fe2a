"""Who is left out of the reports of conversions is counted in the days that are named (R10, R50)."""

from __future__ import annotations

from typing import Any

import pytest

from leadscore_v6.reports import monitoring, production

LEFT_OUT: dict[str, Any] = {
    "first_day": "2025-10-05", "last_day": "2026-01-02", "not_dialled": 6212, "dial_unknown": 4416,
    "not_dialled_yet": 3941,
}  # fmt: skip
PERFORMANCE = {**LEFT_OUT, "basis": "dialled leads", "row": {"leads": 40, "mqls": 1}}
BALANCE = {
    **LEFT_OUT, "basis": "dialled leads", "weeks": [], "training_rate": 0.034, "young": 2645, "chosen_by_model": 1920,
}  # fmt: skip


@pytest.mark.parametrize(
    ("sections", "facts", "others"),
    [
        (monitoring.SECTIONS["model_performance_report"], PERFORMANCE, "whose call came before the dial (R10)"),
        (production.SECTIONS["class_balance_report"], BALANCE, "1,920 that the model's queue chose, by the day of"),
    ],
)
def test_three_counts_of_those_who_could_not_convert(sections: Any, facts: dict[str, Any], others: str) -> None:
    (told,) = sections({}, facts)
    assert "from 2025-10-05 to 2026-01-02" in told or "of 2025-10-05 to 2026-01-02" in told
    assert "6,212 that nobody is known to have dialled" in told
    assert "4,416 contacted so near before the log of dials begins that nobody knows" in told
    assert "3,941 contacted since then have not been dialled yet" in told
    assert others in told
