"""What the CRM lost, moved or knew too early of a running test: counted lead by lead and day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from leadscore_v6.experiments.records import Records, left_out, standing
from tests.experiments.trials import START, trial


def records() -> Records:
    """Two weeks, nothing wrong: the extract has every lead as it was assigned."""
    made = trial(2, 60)
    assigned = made.assignments.assign(entered_at=made.assignments["enrolled_on"] - pd.Timedelta(hours=30))
    now = assigned.set_index("lead_id")[["crd", "entered_at"]].rename(columns={"entered_at": "entered_on"})
    now["entered_on"] = now["entered_on"].dt.normalize()
    return Records(assigned, made.dials, made.outcomes.merge(now.reset_index(), on="lead_id"))


def by(of: pd.DataFrame, lead: str, **values: Any) -> pd.DataFrame:
    """The table with a lead's row changed."""
    changed = of.copy()
    for name, value in values.items():
        changed.loc[changed["lead_id"] == lead, name] = value
    return changed


def test_of_a_sound_extract_nothing_is_left_out() -> None:
    of = records()
    found = standing(of, standing(of, {}).dials_by_day)
    assert (found.assigned, found.dials_before) == (len(of.assignments), len(of.dials))
    assert {name: value for name, value in found.figures().items() if value} == {
        "leads_assigned_before": len(of.assignments),
        "dials_known_before": len(of.dials),
    }


@pytest.mark.parametrize("what", ["gone", "dated anew", "no date", "another advisor", "dialled", "called"])
def test_each_thing_that_goes_wrong_has_its_own_count(what: str) -> None:
    of = records()
    lead, enrolled = of.assignments.iloc[5][["lead_id", "enrolled_on"]]
    undialled = of.dials[of.dials["lead_id"] != lead]
    quiet = replace(of, dials=undialled, outcomes=by(of.outcomes, lead, converted_on=pd.NaT))
    dial = pd.DataFrame({"lead_id": [lead], "dialled_at": [enrolled + pd.Timedelta(hours=9)], "queue": ["usual"]})
    changed, counts = {
        "gone": (replace(quiet, outcomes=quiet.outcomes[quiet.outcomes["lead_id"] != lead]), "gone left_out"),
        "dated anew": (replace(quiet, outcomes=by(quiet.outcomes, lead, entered_on=enrolled)), "changed"),
        "no date": (replace(quiet, outcomes=by(quiet.outcomes, lead, entered_on=pd.NaT)), "changed"),
        "another advisor": (replace(quiet, outcomes=by(quiet.outcomes, lead, crd="7")), "changed"),
        "dialled": (replace(quiet, dials=pd.concat([quiet.dials, dial])), "dialled_early left_out"),
        "called": (replace(quiet, outcomes=by(quiet.outcomes, lead, converted_on=enrolled)), "called_early left_out"),
    }[what]
    found = standing(changed, {})
    names = ("gone", "changed", "dialled_early", "called_early", "left_out")
    assert {name for name in names if getattr(found, name)} == set(counts.split())
    assert all(getattr(found, name) == 1 for name in counts.split())
    share = 1 / len(of.assignments)
    assert [name for name, value in found.figures().items() if value == share] == [
        {"gone": "leads_gone_share", "changed": "leads_changed_share"}.get(counts.split()[0], "leads_early_share")
    ]


def test_before_anything_is_assigned_or_dialled_there_is_nothing_to_lose() -> None:
    of = records()
    tables = (of.assignments, of.dials, of.outcomes)
    none = Records(*(pd.DataFrame(columns=table.columns, dtype=object) for table in tables))
    assert not any(standing(none, {}).figures().values())
    assert standing(replace(of, dials=none.dials), {}).dials_by_day == {}
    # As an engine may give a table without rows: no types at all.
    bare = Records(*(pd.DataFrame({name: [] for name in table.columns}) for table in tables))
    assert not any(standing(bare, {}).figures().values())


def test_a_lead_is_left_out_for_one_reason() -> None:
    of = records()
    early = of.dials.assign(dialled_at=pd.Timestamp(START) - pd.Timedelta(days=1))
    reasons = left_out(of.assignments, early, of.outcomes.assign(converted_on=pd.Timestamp(START)).iloc[::2])
    assert (reasons.sum(axis=1) <= 1).all()
    assert reasons.sum().gt(0).all()


def test_a_dial_is_not_early_on_the_day_after_the_assignment() -> None:
    of = records()
    following = of.assignments[["lead_id"]].assign(
        dialled_at=of.assignments["enrolled_on"] + pd.Timedelta(days=1), queue="usual"
    )
    assert standing(replace(of, dials=following), {}).dialled_early == 0


def test_dials_that_were_known_and_are_not_are_counted_day_by_day() -> None:
    """A file that keeps the last week alone has lost the weeks before, however many dials it has gained."""
    of = records()
    before = standing(of, {}).dials_by_day
    assert sum(before.values()) == len(of.dials)
    cut = pd.Timestamp(START + timedelta(days=7))
    again = [of.dials[of.dials["dialled_at"] > cut]] * 5
    found = standing(replace(of, dials=pd.concat(again)), before)
    assert found.dials_lost == (of.dials["dialled_at"] <= cut).sum() > 10
    assert found.figures()["dials_lost_share"] == found.dials_lost / len(of.dials)
    # Dials of leads that no arm has are no dials of the test, lost or not.
    strangers = of.dials.assign(lead_id="S" + of.dials["lead_id"])
    assert standing(replace(of, dials=pd.concat([of.dials, strangers])), before).dials_by_day == before
