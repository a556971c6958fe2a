"""Which dial starts a lead's clock: in monitoring as in step 3.1, lead by lead (R50)."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.assets.monitoring.dials import read_dials, worked_of
from leadscore_v6.monitoring.cohorts import Window, cohorts
from leadscore_v6.warehouse.sql import to_duckdb
from tests.oracle.catalog import text
from tests.oracle.compare import warehouse
from tests.sql.cases import zeros

WINDOW = Window(date(2026, 6, 30), days=180, label_window_days=30, matures_after_days=0)
STAGED = text("step_3_1_staging_join_v6", "query.sql")
LISTED = text("model_performance_v6", "dials.sql")


def day(number: int) -> date:
    return date(2026, 1, 1) + timedelta(days=number)


def world(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leads contacted within half a year, and dials of them before and after; the log begins with day 60 or so."""
    rng = np.random.default_rng(seed)
    leads = pd.DataFrame({"Id": [f"lead {n}" for n in range(300)], "contact": rng.integers(0, 150, 300)})
    near = leads.sample(500, replace=True, random_state=seed)
    dials = near.assign(dialled=near["contact"] + rng.integers(-40, 40, 500))
    dials = dials[(dials["dialled"] >= 60) & (dials["dialled"] <= 180)]
    return leads, dials


class Listed:
    """A warehouse of one table: what `dials.sql` says on DuckDB."""

    dataset = "LeadScoring"

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self._rows = rows

    def frame(self, _sql: str, params: dict[str, object]) -> pd.DataFrame:
        given = LISTED.rows({"crm_dials": [{**zeros(LISTED, "crm_dials"), **row} for row in self._rows]})
        with warehouse(LISTED.catalog, given) as connection:
            return connection.execute(to_duckdb(LISTED.sql), params).df()


def rows_of(dials: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {"Id": lead, "dialled_at": pd.Timestamp(day(int(on)), tz="UTC").to_pydatetime(), "queue": "usual"}
        for lead, on in dials[["Id", "dialled"]].to_numpy()
    ]


def of_step_3_1(leads: pd.DataFrame, rows: list[dict[str, object]]) -> dict[str, date | None]:
    """`dialled_on` of every lead by the very text of the staging join."""
    contacts = [
        {"Id": lead, "crd": "1", "Stage_Entered_Contacting__c": pd.Timestamp(day(int(on)), tz="UTC").to_pydatetime()}
        for lead, on in leads[["Id", "contact"]].to_numpy()
    ]
    tables = {"leads": contacts, "crm_dials": rows, "reps_vintages": [], "firms_vintages": []}
    given = {name: [{**zeros(STAGED, name), **row} for row in of] for name, of in tables.items()}
    with warehouse(STAGED.catalog, STAGED.rows(given)) as connection:
        cursor = connection.execute(to_duckdb(STAGED.sql), {"as_of": WINDOW.as_of, "label_window_days": 30})
        names = [column[0] for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["Id"]: row["dialled_on"] for row in found}


@pytest.mark.parametrize("logged", [True, False])
def test_the_clock_is_that_of_step_3_1(logged: bool) -> None:
    """Dials before the contact, several of a lead, leads of before and around the beginning of the log."""
    leads, dials = world(3)
    rows = rows_of(dials) if logged else []
    listed = read_dials(Listed(rows), WINDOW.as_of)  # type: ignore[arg-type] - all that is asked of a warehouse
    contact = pd.Series([day(int(number)) for number in leads["contact"]])
    given = pd.DataFrame({"Id": leads["Id"], "contact_date": contact, "called_on": pd.NaT})
    start = cohorts(worked_of(given, listed), WINDOW).start.astype(object)
    expected = of_step_3_1(leads, rows)
    assert dict(zip(leads["Id"], start, strict=True)) == expected
    assert len({one is None for one in expected.values()}) == (2 if logged else 1)


def test_nobody_was_dialled_and_nobody_was_contacted() -> None:
    """Frames without rows keep their types."""
    _, dials = world(3)
    listed = read_dials(Listed(rows_of(dials)), WINDOW.as_of)  # type: ignore[arg-type] - as above
    nobody = pd.DataFrame({"Id": [], "contact_date": [], "called_on": []})
    assert len(worked_of(nobody, listed).first_dial) == 0
    others = pd.DataFrame({"Id": ["x"], "contact_date": [day(100)], "called_on": [None]})
    assert np.isnat(worked_of(others, listed).first_dial).all()
