"""The published operating characteristics are what monitoring does, and quiet years are as quiet as promised."""

from __future__ import annotations

import os

import pytest

from docs.monitoring_characteristics import PAGE, QUIET, QUIET_LOOKS, ROWS, alerts_a_year, render, simulate


def test_each_kind_of_drift_has_its_rows() -> None:
    kinds = {row.given[0] for row in ROWS if row.simulate.__name__ == "moved"}
    assert kinds == {"shift", "missing", "new category", "score"}
    assert {row.simulate.__name__ for row in ROWS} == {
        "balance", "quiet_months", "available", "healthy_year", "looked", "moved", "contest"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["balance", "healthy_year", "looked", "contest", "moved"])
def test_a_world_is_the_same_each_time(name: str) -> None:
    row = next(row for row in ROWS if row.simulate.__name__ == name)
    assert row.simulate(3, *row.given) == row.simulate(3, *row.given)


@pytest.mark.prove
def test_the_page_is_what_the_simulation_gives_and_keeps_its_promises() -> None:
    found = simulate(os.cpu_count() or 1)
    for row in (*QUIET, *QUIET_LOOKS):
        if row.promise is not None:
            assert alerts_a_year(row, found[row.key]) <= row.promise, row.name
    assert PAGE.read_text(encoding="utf-8") == render(found)
