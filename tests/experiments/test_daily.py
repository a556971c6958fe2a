"""The daily metrics are what each day's cohort says, and tell nobody which arm is ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from leadscore_v6.experiments.cohort import cohort
from leadscore_v6.experiments.daily import DAILY_COLUMNS, daily_metrics
from leadscore_v6.experiments.looks import Protocol
from leadscore_v6.experiments.records import Records
from tests.experiments.trials import START, settings, trial

OF = settings()
PLAN = Protocol(500, START)
TRIAL = trial(3, 200)
RECORDS = Records(TRIAL.assignments, TRIAL.dials, TRIAL.outcomes)
LAST = START + timedelta(days=47)


@cache
def metrics() -> pd.DataFrame:
    return daily_metrics(RECORDS, PLAN, LAST, OF)


def test_one_row_a_day_each_as_it_was_known_then() -> None:
    found = metrics()
    assert tuple(found.columns) == DAILY_COLUMNS
    assert list(found["day"]) == list(pd.date_range(START, LAST))
    for at in (0, 20, 40, 47):
        day = pd.Timestamp(START + timedelta(days=at))
        known = TRIAL.dials[TRIAL.dials["dialled_at"] <= day].merge(TRIAL.outcomes, on="lead_id")
        old = known[known["dialled_at"] < day - pd.Timedelta(days=30)]
        mqls = int((old["converted_on"] <= old["dialled_at"] + pd.Timedelta(days=30)).sum())
        row = found.iloc[at]
        assert row["enrolled_leads"] == (TRIAL.assignments["enrolled_on"] <= day).sum()
        assert (row["dials"], row["matured_dialled_leads"], row["mqls"]) == (len(known), len(old), mqls)
        assert row["information"] == len(old) / 500
        if len(old):
            assert row["mqls_per_100_dials"] == pytest.approx(100 * mqls / len(old))
    assert found["mqls_per_100_dials"].isna().head(30).all(), "nothing has matured in the first thirty days"


def test_a_later_day_changes_no_earlier_row() -> None:
    early = daily_metrics(RECORDS, PLAN, START + timedelta(days=33), OF)
    pd.testing.assert_frame_equal(early, metrics().head(34))


def test_swapping_which_arm_converts_changes_nothing() -> None:
    """R26: no arm-by-arm outcome before a planned look; the pooled rate is all that outcomes can move."""
    leads = cohort(TRIAL.assignments, TRIAL.dials, TRIAL.outcomes, LAST, OF.design).leads
    converts = leads[leads["converted_on"].notna()]
    rows = leads[leads["dialled_on"].notna()].sort_values("dialled_on")
    pairs = {arm: rows.loc[(rows["arm"] == arm), "lead_id"].tolist() for arm in ("treatment", "control")}
    days = rows.set_index("lead_id")["dialled_on"]
    outcomes = TRIAL.outcomes.set_index("lead_id")["converted_on"].copy()
    swapped = outcomes.copy()
    moved = 0
    for lead in converts["lead_id"]:
        arm = "treatment" if lead in set(pairs["treatment"]) else "control"
        other = "control" if arm == "treatment" else "treatment"
        twin = next((one for one in pairs[other] if days[one] == days[lead] and pd.isna(swapped[one])), None)
        if twin is not None and arm == "treatment":
            swapped[twin], swapped[lead] = outcomes[lead], pd.NaT
            moved += 1
    assert moved > 8
    found = daily_metrics(replace(RECORDS, outcomes=swapped.reset_index()), PLAN, LAST, OF)
    pd.testing.assert_frame_equal(found, metrics())


def test_a_mismatch_shows_on_the_day_on_which_it_happens() -> None:
    control = TRIAL.assignments["arm"] == "control"
    late = TRIAL.assignments["enrolled_on"] > pd.Timestamp(START + timedelta(days=6))
    gone = set(TRIAL.assignments.loc[control & late, "crd"]) - set(TRIAL.assignments.loc[~late, "crd"])
    kept = TRIAL.assignments[~TRIAL.assignments["crd"].isin(gone)]
    found = daily_metrics(replace(RECORDS, assignments=kept, dials=TRIAL.dials.head(0)), PLAN, LAST, OF)
    ready = found["decision_ready"].to_numpy()
    assert ready[:7].all()
    assert not ready[-1]
    assert np.isnan(found["adoption"]).all(), "no dials, nothing to tell"
