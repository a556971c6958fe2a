"""What the training set's steps hand to SQL: the day after which nothing is known, and the snapshots of then."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import cast

import pytest

from leadscore_v6.assets.training_set import _staging, _training, resolve_as_of
from leadscore_v6.contracts import contract
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.resources import RunOptions


def bench(extracted: str) -> Bench:
    """A bench with a CRM extract of that day and three registered snapshots."""
    leads = SimpleNamespace(facts={"crm_extracted_at": extracted})
    staging = SimpleNamespace(version="1", outputs=["LeadScoring.staging_1"], facts={"as_of": extracted})
    latest = {"crm_leads": leads, "step_3_1_staging_join_v6": staging}
    ledger = SimpleNamespace(latest=latest.get, snapshots=lambda: ["20240107", "20240331", "20240707"])
    return cast("Bench", SimpleNamespace(ledger=ledger, warehouse=SimpleNamespace(dataset="LeadScoring")))


def test_the_default_is_the_day_of_the_extract() -> None:
    assert resolve_as_of(bench("2024-05-03"), "") == date(2024, 5, 3)


def test_it_may_be_any_earlier_day_that_a_snapshot_was_known_on() -> None:
    assert resolve_as_of(bench("2024-05-03"), "2024-01-07") == date(2024, 1, 7)
    with pytest.raises(UsageError, match="before the first snapshot"):
        resolve_as_of(bench("2024-05-03"), "2024-01-06")


def test_more_than_a_week_after_the_extract_is_refused_with_both_days() -> None:
    assert resolve_as_of(bench("2024-05-03"), "2024-05-10") == date(2024, 5, 10)
    with pytest.raises(UsageError, match=r"2024-05-11.*2024-05-03"):
        resolve_as_of(bench("2024-05-03"), "2024-05-11")


def test_gates_of_a_version_do_not_see_snapshots_dated_after_it() -> None:
    recipe = _staging(bench("2024-12-01"), date(2024, 3, 31))
    assert recipe.check_params["snapshot_dates"] == [date(2024, 1, 7), date(2024, 3, 31)]


def test_ties_are_settled_by_every_other_column_of_the_contract_in_its_order() -> None:
    """The four others come before them: the advisor, the snapshot, the primary firm, the firm (R2)."""
    first = ["RepCRD", "snapshot_at", "IsPrimaryRIAFirm", "RIAFirmCRD"]
    wanted = [name for name in contract("reps").names if name not in first]
    assert _staging(bench("2024-12-01"), date(2024, 3, 31)).lists["tie_breakers"] == wanted


def test_a_negative_entry_lag_is_refused_wherever_it_comes_from() -> None:
    """The UI and `dagster asset materialize --config` know nothing of the command line's range."""
    with pytest.raises(UsageError, match="entry_lag_days is -30"):
        _training(bench("2024-05-03"), RunOptions(entry_lag_days=-30))
