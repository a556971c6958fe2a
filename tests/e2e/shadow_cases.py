"""For every gate of step 5.1, something that makes it fail: a spoiled candidate, or other rows of the seven days.

Belongs here: what is spoiled, and which gates fail by it. Does not belong here: what must then hold (test_shadow.py).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd

from leadscore_v6.assets.shadow import serving, week
from leadscore_v6.contracts import contract

SERVING, SCORES, SHADOW = "serving_advisors_v6", "shadow_scores_v6", "shadow_scoring"
NEWEST = "SELECT MAX(rep_snapshot_at) FROM {honest}"


@dataclass(frozen=True)
class Case:
    """One gate made to fail; `also`: others that cannot but fail with it. select: in place of the built candidate."""

    gate: str
    asset: str
    select: str = ""
    patch: Callable[[], AbstractContextManager[object]] = nullcontext
    also: tuple[str, ...] = ()


def with_other(table: str, **columns: str) -> str:
    """A select of the candidate with other values in some columns."""
    names = contract(table).names
    listed = ", ".join(f"{columns[name]} AS {name}" if name in columns else name for name in names)
    return f"SELECT {listed} FROM {{honest}}"


def rows_of_the_week(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[], AbstractContextManager[object]]:
    """The rows that are judged, changed after they were read."""
    honest = week._rows

    def changed(*given: Any) -> pd.DataFrame:
        return change(honest(*given).reset_index(drop=True))

    return lambda: mock.patch.object(week, "_rows", changed)


def some(rows: pd.DataFrame, count: int, **values: object) -> pd.DataFrame:
    """The first scored leads with other values."""
    places = rows.index[rows["outcome"] == "scored"][:count]
    others = ~rows.index.isin(places)
    return rows.assign(**{name: rows[name].astype(object).where(others, value) for name, value in values.items()})


def missing_everywhere(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(missing_names="Branch_State, DateOfHireAtCurrentFirm_NumberOfYears, Is_Owner, total_reps")


def another_file() -> AbstractContextManager[object]:
    """The file has one advisor's firm a little larger than the table has it."""
    honest = serving.write_copy

    def changed(folder: Path, frame: pd.DataFrame, columns: dict[str, str]) -> Path:
        return honest(folder, frame.assign(total_reps=frame["total_reps"] + (frame.index == 0)), columns)

    return mock.patch.object(serving, "write_copy", changed)


def no_metrics() -> AbstractContextManager[object]:
    return mock.patch.object(week, "_write_metrics", lambda path, facts: path.write_text(""))


def failing_under_stress() -> AbstractContextManager[object]:
    honest = week._stress

    def fails(*given: Any) -> list[dict[str, Any]]:
        return [{**row, "failed": 1} for row in honest(*given)]

    return mock.patch.object(week, "_stress", fails)


CASES = [
    Case(
        "serving_one_row_per_advisor",
        SERVING,
        "SELECT * FROM {honest} UNION ALL SELECT * FROM {honest} WHERE rep_snapshot_at = (" + NEWEST + ")",
        also=("serving_file_equals_table",),
    ),
    Case(
        "serving_advisors_complete",
        SERVING,
        "SELECT * FROM {honest} WHERE FA_CRD__c NOT IN (SELECT MAX(FA_CRD__c) FROM {honest} "
        f"WHERE rep_snapshot_at = ({NEWEST}))",
    ),
    Case(
        "serving_snapshots_right",
        SERVING,
        with_other("serving", rep_snapshot_at="CASE WHEN rep_snapshot_at IS NOT NULL THEN DATE '2024-01-06' END"),
    ),
    Case(
        "serving_unmatched_row",
        SERVING,
        with_other(
            "serving",
            missing_feature_count="missing_feature_count - CASE WHEN FA_CRD__c = 'unmatched' THEN 1 ELSE 0 END",
        ),
    ),
    Case("serving_matches_contract", SERVING, "SELECT *, 'a@b.example' AS Contact FROM {honest}"),
    Case("serving_file_equals_table", SERVING, patch=another_file),
    Case("shadow_rows_equal_leads", SCORES, "SELECT * FROM {honest} WHERE Id != (SELECT MIN(Id) FROM {honest})"),
    Case("shadow_outcomes_accounted", SCORES, with_other("shadow_scores", outcome="'perhaps'")),
    Case("shadow_no_future_snapshot", SCORES, with_other("shadow_scores", rep_snapshot_at="DATE '2026-01-04'")),
    Case("shadow_no_skew", SCORES, with_other("shadow_scores", probability="probability * 0.999999999999")),
    Case("shadow_matches_contract", SCORES, "SELECT *, 'Ann' AS FirstName FROM {honest}"),
    Case(
        "shadow_success_rate",
        SHADOW,
        patch=rows_of_the_week(lambda rows: some(rows, 4, outcome="skipped", why="withdrawn")),
    ),
    Case("shadow_latency", SHADOW, patch=rows_of_the_week(lambda rows: rows.assign(latency_ms=500.1))),
    Case(
        "shadow_error_rate",
        SHADOW,
        patch=rows_of_the_week(lambda rows: some(rows, 1, outcome="failed", why="ValueError: x")),
    ),
    Case("shadow_features_available", SHADOW, patch=rows_of_the_week(missing_everywhere)),
    Case("shadow_metrics_digest", SHADOW, patch=no_metrics),
]
WARNING = Case("shadow_stress", SHADOW, patch=failing_under_stress)
