"""Where step 5.2 takes the capacity from: the CRM's associates, and the configuration only where the CRM names none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from leadscore_v6.assets.experiment.design import _weekly_capacity
from leadscore_v6.errors import InputError


def ledger(**figures: Any) -> Any:
    return SimpleNamespace(latest=lambda asset: SimpleNamespace(figures=figures) if figures else None)


@pytest.mark.parametrize(
    ("figures", "capacity"),
    [({"associates": 3, "weekly_capacity": 120}, 120.0), ({"associates": 0, "weekly_capacity": 0}, None), ({}, None)],
    ids=["named", "an empty table", "never landed"],
)
def test_the_capacity_is_that_of_the_associates_that_the_crm_names(
    figures: dict[str, int], capacity: float | None
) -> None:
    assert _weekly_capacity(ledger(**figures)) == capacity


def test_a_capacity_of_zero_is_not_one_that_nobody_measured() -> None:
    """All associates inactive: the share of the configuration would promise dials that nobody makes (R42)."""
    with pytest.raises(InputError, match="No associate is active with a capacity above 0") as refused:
        _weekly_capacity(ledger(associates=3, weekly_capacity=0))
    assert refused.value.column == "weekly_capacity"
