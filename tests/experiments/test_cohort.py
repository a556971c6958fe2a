"""The cohort against a loop over leads and dials; rows that contradict the design are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.cohort import Journal, cohort, require_cohort, require_one_model
from tests.experiments.trials import START, Trial, settings, trial

DESIGN = settings().design
AS_OF = START + timedelta(days=50)


def read(of: Trial, as_of: date = AS_OF) -> pd.DataFrame:
    return cohort(of.assignments, of.dials, of.outcomes, as_of, DESIGN).leads


@pytest.fixture(scope="module")
def small() -> Trial:
    """Four weeks: leads dialled again up to fifty days later, converting before their dial or queue, and backlog."""
    made = trial(4, 80)
    again = made.dials.iloc[::3].assign(dialled_at=lambda rows: rows["dialled_at"] + pd.to_timedelta(17, unit="D"))
    late = made.dials.iloc[::5].assign(dialled_at=lambda rows: rows["dialled_at"] + pd.to_timedelta(31, unit="D"))
    backlog = pd.DataFrame({"lead_id": ["B1", "B2"], "dialled_at": [pd.Timestamp(START)] * 2, "queue": "usual"})
    dials = pd.concat([late, made.dials, backlog, again], ignore_index=True)
    outcomes = made.outcomes.copy()
    inbound = outcomes.index[::11]
    days = pd.to_timedelta([number % 2 for number in range(len(inbound))], unit="D")
    outcomes.loc[inbound, "converted_on"] = made.assignments.loc[inbound, "enrolled_on"] + days
    return Trial(made.assignments, dials, outcomes)


@pytest.mark.parametrize("days", [0, 25, 90])
def test_each_day_is_what_a_loop_sees(small: Trial, days: int) -> None:
    as_of = pd.Timestamp(START + timedelta(days=days))
    found = read(small, as_of.date()).set_index("lead_id")
    outcomes = small.outcomes.set_index("lead_id")["converted_on"]
    expected = 0
    for lead in small.assignments.itertuples():
        if lead.enrolled_on > as_of or outcomes[lead.lead_id] <= lead.enrolled_on:
            assert lead.lead_id not in found.index
            continue
        expected += 1
        made = sorted(
            (dial.dialled_at, dial.queue)
            for dial in small.dials[small.dials["lead_id"] == lead.lead_id].itertuples()
            if dial.dialled_at <= as_of
        )
        row, converted = found.loc[lead.lead_id], outcomes[lead.lead_id]
        assert row["dials"] == sum(day <= made[0][0] + timedelta(days=30) for day, _ in made)
        assert (row["dialled_on"] == made[0][0]) if made else pd.isna(row["dialled_on"])
        assert row["adopted"] == (bool(made) and made[0][1] == "model")
        assert (row["converted_on"] == converted) if converted <= as_of else pd.isna(row["converted_on"])
    assert len(found) == expected


def test_dials_of_others_and_of_tomorrow_are_counted(small: Trial) -> None:
    found = cohort(small.assignments, small.dials, small.outcomes, START, DESIGN)
    assert found.dials_outside == 2
    assert found.dials_unknown == int((small.dials["dialled_at"] > pd.Timestamp(START)).sum()) > 0


def test_a_day_of_the_journal_is_the_cohort_of_that_day(small: Trial) -> None:
    journal = Journal.of(small.assignments, small.dials, small.outcomes, AS_OF, DESIGN)
    for days in (0, 12, 30, 50):
        day = START + timedelta(days=days)
        found, alone = journal.as_known(day), cohort(small.assignments, small.dials, small.outcomes, day, DESIGN)
        assert_frame_equal(found.leads, alone.leads)
        assert (found.dials_outside, found.dials_unknown) == (alone.dials_outside, alone.dials_unknown)


def test_times_and_zones_become_days_of_utc() -> None:
    made = trial(1, 20)
    dials = made.dials.assign(dialled_at=made.dials["dialled_at"].map(lambda day: f"{day:%Y-%m-%d}T23:30:00-01:00"))
    later = read(Trial(made.assignments, dials, made.outcomes))["dialled_on"]
    assert_frame_equal(later.dropna().to_frame(), (read(made)["dialled_on"].dropna() + timedelta(days=1)).to_frame())


def test_the_order_of_the_files_rows_says_nothing() -> None:
    """Two dials of a lead on one day, and all rows shuffled."""
    made = trial(2, 60)
    lead = lead_of(made, "treatment")
    day = made.dials.loc[made.dials["lead_id"] == lead, "dialled_at"].iloc[0].date()
    twice = dial(dial(made, lead, day, "own"), lead, day, "model")
    shuffled = Trial(
        *(table.sample(frac=1, random_state=4) for table in (twice.assignments, twice.dials, twice.outcomes))
    )
    assert_frame_equal(read(shuffled), read(twice))


# --- left out, and told by the minute ------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [-3, 0, 1])
def test_what_happened_before_a_lead_could_be_queued_leaves_it_out(days: int) -> None:
    """One dial or call too many is no reason to read nothing: the lead is not the test's doing, and is counted."""
    made = trial(2, 60)
    leads = [lead_of(made, arm) for arm in ("treatment", "control")]
    enrolled = made.assignments.set_index("lead_id")["enrolled_on"][leads] + pd.Timedelta(days=days)
    changed = dial(made, leads[0], enrolled.iloc[0].date(), "usual")
    changed = outcome(changed, leads[1], enrolled.iloc[1].date())
    found = cohort(changed.assignments, changed.dials, changed.outcomes, AS_OF, DESIGN)
    early = int(days <= 0)
    assert found.left_out == {"gone": 0, "dialled_early": early, "called_early": early}
    assert set(found.leads["lead_id"]) == set(made.assignments["lead_id"]) - (set(leads) if early else set())
    assert found.dials_outside == (3 if early else 0)


def test_a_lead_that_the_extract_has_lost_is_left_out_with_its_dials() -> None:
    made = trial(2, 60)
    lead = lead_of(made, "treatment")
    outcomes = made.outcomes[made.outcomes["lead_id"] != lead]
    found = cohort(made.assignments, made.dials, outcomes, AS_OF, DESIGN)
    assert found.left_out["gone"] == 1
    assert lead not in set(found.leads["lead_id"])
    assert found.dials_outside == 1


@pytest.mark.parametrize("first", ["model", "own"])
def test_adoption_is_the_earlier_dials_of_a_day(first: str) -> None:
    made = trial(2, 60)
    lead = lead_of(made, "treatment")
    day = made.dials.loc[made.dials["lead_id"] == lead, "dialled_at"].iloc[0]
    queues = [first, "own" if first == "model" else "model"]
    two = pd.DataFrame({"lead_id": lead, "dialled_at": [day + timedelta(hours=at) for at in (9, 15)], "queue": queues})
    dials = pd.concat([two.iloc[::-1], made.dials[made.dials["lead_id"] != lead]])
    found = read(Trial(made.assignments, dials, made.outcomes)).set_index("lead_id").loc[lead]
    assert (found["adopted"], found["dials"]) == (first == "model", 2)


# --- refused -------------------------------------------------------------------------------------------------------


def lead_of(of: Trial, arm: str) -> str:
    """The first dialled lead of an arm."""
    dialled = of.assignments[of.assignments["lead_id"].isin(of.dials["lead_id"])]
    return str(dialled.loc[dialled["arm"] == arm, "lead_id"].iloc[0])


def dial(of: Trial, lead: str, day: date, queue: str) -> Trial:
    row = pd.DataFrame({"lead_id": [lead], "dialled_at": [pd.Timestamp(day)], "queue": [queue]})
    return Trial(of.assignments, pd.concat([of.dials, row]), of.outcomes)


def outcome(of: Trial, lead: str, day: date) -> Trial:
    changed = of.outcomes.copy()
    changed.loc[changed["lead_id"] == lead, "converted_on"] = pd.Timestamp(day)
    return Trial(of.assignments, of.dials, changed)


@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        (lambda of: dial(of, "NOBODY", START, "model"), "lead NOBODY was dialled from the test's queue and was never"),
        (lambda of: dial(of, "NOBODY", START, "own"), "lead NOBODY was dialled from the test's queue and was never"),
        (
            lambda of: dial(of, lead_of(of, "control"), AS_OF, "model"),
            "of the control arm and was dialled from the mod",
        ),
        (
            lambda of: Trial(pd.concat([of.assignments, of.assignments.head(1)]), of.dials, of.outcomes),
            "is assigned twice",
        ),
        (lambda of: Trial(of.assignments, of.dials, pd.concat([of.outcomes, of.outcomes.head(1)])), "has two outcomes"),
        (lambda of: Trial(of.assignments, of.dials.assign(dialled_at=pd.NaT), of.outcomes), "was dialled on no day"),
        (lambda of: dial(of, lead_of(of, "treatment"), AS_OF, "Model"), "from none of the queues model, own, usual"),
    ],
    ids=[
        "unassigned",
        "unassigned, own choice",
        "control by model",
        "twice",
        "two outcomes",
        "no day",
        "no queue",
    ],
)
def test_tables_that_contradict_the_design_are_refused(sabotage: Callable[[Trial], Trial], says: str) -> None:
    made = trial(2, 60)
    assert len(read(made))
    with pytest.raises(InputError, match=says) as refused:
        read(sabotage(made))
    assert refused.value.column
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda leads: leads.drop(columns="adopted"), "lack the columns adopted"),
        (lambda leads: pd.concat([leads, leads.head(1)]), "stands there twice"),
        (lambda leads: leads.assign(arm="both"), "is in no arm"),
        (lambda leads: leads.assign(crd="7"), "an advisor who is in both arms"),
        (lambda leads: leads.assign(dials=1), "has dials without a day"),
        (lambda leads: leads.assign(dialled_on=leads["enrolled_on"], dials=1), "dialled before it could be queued"),
        (lambda leads: leads.assign(converted_on=leads["enrolled_on"]), "its outcome before it could be queued"),
        (lambda leads: leads.assign(adopted=True), "of the control arm and followed the model's order"),
    ],
    ids=["column", "twice", "arm", "both arms", "dials", "dial too early", "outcome too early", "adopted"],
)
def test_a_cohort_of_other_makes_is_judged_too(change: Callable[[pd.DataFrame], pd.DataFrame], says: str) -> None:
    leads = read(trial(2, 60))
    require_cohort(leads)
    with pytest.raises(InputError, match=says):
        require_cohort(change(leads))


def test_a_model_that_changes_in_mid_test_is_refused() -> None:
    """R58."""
    one = {START: "a1", START + timedelta(days=7): "a1"}
    require_one_model(one)
    require_one_model({})
    with pytest.raises(UsageError, match=r"the queue of 2025-11-10 was scored by a1, that of 2025-11-24 by b2"):
        require_one_model(one | {START + timedelta(days=14): "b2"})
