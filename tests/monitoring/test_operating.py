"""The published operating characteristics are what monitoring does, and quiet years are as quiet as promised."""

from __future__ import annotations

import pytest

from docs.monitoring_characteristics import HEAD, READING, SECTIONS, TITLE, Section, alerts_a_year, simulate
from docs.operating_characteristics import part

ROWS = [row for section in SECTIONS for row in section.rows]


def test_each_kind_of_drift_has_its_rows() -> None:
    kinds = {row.given[0] for row in ROWS if row.simulate.__name__ == "moved"}
    assert kinds == {"shift", "missing", "new category", "score"}
    assert {row.simulate.__name__ for row in ROWS} == {
        "balance", "quiet_months", "dialled_months", "available", "healthy_year", "looked", "moved", "contest"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["balance", "healthy_year", "looked", "contest", "moved", "dialled_months"])
def test_a_world_is_the_same_each_time(name: str) -> None:
    row = next(row for row in ROWS if row.simulate.__name__ == name)
    assert row.simulate(3, *row.given) == row.simulate(3, *row.given)


def test_the_page_has_every_section_in_order() -> None:
    page = part(TITLE)
    assert page.startswith(HEAD)
    assert page.endswith(READING)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == [*(f"## {section.title}" for section in SECTIONS), READING.splitlines()[0]]


@pytest.mark.prove
@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_the_page_is_what_the_simulation_gives_and_keeps_its_promises(section: Section) -> None:
    found = simulate(section.rows)
    for row in section.rows:
        if row.promise is not None:
            assert alerts_a_year(row, found[row.key]) <= row.promise, row.name
    assert f"\n{section.text(found)}\n" in part(TITLE)
