"""The enrolled leads with what became of them: one row per lead, and the refusal of rows that contradict the design.

Belongs here: the join of assignments, dials and outcomes as they were known at `as_of` (R9), and what such rows must
hold to be read at all. Does not belong here: comparing arms (`effect.py`, `readout.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import pandas as pd

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.settings import ARMS, CONTROL, DesignSettings

COHORT_COLUMNS: Final = (
    "lead_id", "crd", "arm", "segment", "enrolled_on", "dialled_on", "dials", "adopted", "converted_on",
)  # fmt: skip
_OF_THE_TEST: Final = ("model", "own")  # values of `queue` that only a lead of the treatment arm can have


@dataclass(frozen=True)
class Cohort:
    """`leads` has COHORT_COLUMNS, by lead_id; days are midnights, NaT: not yet.

    dials_outside    dials of leads that were never enrolled (queue `usual`): none of the experiment's business
    dials_unknown    dials later than `as_of`, which are not known yet (R9)
    """

    leads: pd.DataFrame
    dials_outside: int
    dials_unknown: int


def cohort(
    assignments: pd.DataFrame, dials: pd.DataFrame, outcomes: pd.DataFrame, as_of: date, design: DesignSettings
) -> Cohort:
    """Enrolled leads as known at the end of the day `as_of`.

    `assignments` as `assignment.assign` made them; `dials` has lead_id, dialled_on, queue (R50); `outcomes` has
    lead_id, converted_on (the day a call was scheduled, NaT: none). `dials` of a lead are those within its follow-up;
    it is adopted if the first one followed the published order. Raises InputError on a dial that the queue of the test
    cannot have had, and as `require_cohort` does.
    """
    assigned = assignments.loc[_days(assignments["enrolled_on"]) <= pd.Timestamp(as_of)]
    dials = dials.assign(dialled_on=_days(dials["dialled_on"]))
    known = dials[dials["dialled_on"] <= pd.Timestamp(as_of)].sort_values(["dialled_on", "lead_id"], kind="stable")
    of_test = known.merge(assigned[["lead_id", "arm"]], on="lead_id", how="left", validate="many_to_one")
    _require_dials_of_the_test(of_test)
    inside = of_test[of_test["arm"].notna()]
    first = inside.groupby("lead_id").agg(dialled_on=("dialled_on", "first"), queue=("queue", "first"))
    inside = inside.merge(first["dialled_on"].rename("first_on"), left_on="lead_id", right_index=True)
    within = inside["dialled_on"] <= inside["first_on"] + pd.Timedelta(days=design.follow_up_days)
    converted = outcomes.assign(converted_on=_days(outcomes["converted_on"])).set_index("lead_id")["converted_on"]
    converted = converted[converted <= pd.Timestamp(as_of)]
    by_lead = assigned["lead_id"]
    leads = assigned[["lead_id", "crd", "arm", "segment"]].assign(
        enrolled_on=_days(assigned["enrolled_on"]),
        dialled_on=by_lead.map(first["dialled_on"]),
        dials=by_lead.map(inside[within].groupby("lead_id").size()).fillna(0).astype("int64"),
        adopted=by_lead.map(first["queue"]).eq("model"),
        converted_on=by_lead.map(converted),
    )
    leads = leads.sort_values("lead_id", ignore_index=True)[list(COHORT_COLUMNS)]
    require_cohort(leads)
    return Cohort(leads, dials_outside=len(of_test) - len(inside), dials_unknown=len(dials) - len(known))


def require_cohort(leads: pd.DataFrame) -> None:
    """Raises InputError, naming the first lead, if rows contradict the design of the test.

    A lead twice, an unknown arm, an advisor in both arms, a dial or an outcome before assignment, a dial without its
    day, a lead of the control arm that followed the model's order.
    """
    missing = [name for name in COHORT_COLUMNS if name not in leads.columns]
    if missing:
        raise InputError(f"the enrolled leads lack the columns {', '.join(missing)}")
    enrolled = leads["enrolled_on"]
    in_both = leads.groupby("crd")["arm"].transform("nunique") > 1
    _refuse(leads, leads["lead_id"].duplicated(), "stands there twice", "Id")
    _refuse(leads, ~leads["arm"].isin(ARMS), f"is in no arm of {' and '.join(ARMS)}", "arm")
    _refuse(leads, in_both, "has an advisor who is in both arms (R28)", "arm")
    _refuse(leads, leads["dialled_on"] < enrolled, "was dialled before it was assigned", "dialled_at")
    _refuse(leads, leads["converted_on"] < enrolled, "had its outcome before it was assigned",
            "Stage_Entered_Call_Scheduled__c")  # fmt: skip
    _refuse(leads, leads["dialled_on"].notna() != (leads["dials"] > 0), "has dials without a day, or a day without",
            "dialled_at")  # fmt: skip
    _refuse(leads, leads["adopted"] & (leads["arm"] == CONTROL), "is of the control arm and followed the model's order",
            "queue")  # fmt: skip


def require_one_model(models: Mapping[date, str]) -> None:
    """Raises UsageError if the queues were not all scored by one model; `models` by day of the queue (R58)."""
    days = sorted(models)
    for day in days[1:]:
        if models[day] != models[days[0]]:
            raise UsageError(
                f"the model changed in mid-test: the queue of {days[0]} was scored by {models[days[0]]}, that of {day} "
                f"by {models[day]}. What the arms differ in would not be one thing.\n"
                "  what to do: end this test, and plan the next one with the new model; a challenger waits (R58)."
            )


def _require_dials_of_the_test(dials: pd.DataFrame) -> None:
    """`dials` with the arm of their lead (NaN: not enrolled)."""
    by_model = dials["queue"].isin(_OF_THE_TEST)
    _refuse(dials, dials["arm"].isna() & by_model, "was dialled from the test's queue and was never assigned", "queue")
    _refuse(dials, (dials["arm"] == CONTROL) & by_model, "is of the control arm and was dialled from the model's queue",
            "queue")  # fmt: skip


def _refuse(rows: pd.DataFrame, wrong: pd.Series, what: str, column: str) -> None:
    if wrong.any():
        first = rows.loc[wrong, "lead_id"].iloc[0]
        raise InputError(
            f"lead {first} {what} ({int(wrong.sum())} such rows)",
            column=column,
            remedy="correct Dials.csv or the CRM extract, and land it again; nothing was read from the test",
        )


def _days(values: pd.Series) -> pd.Series:
    """Midnights, without a zone (days of the CRM are UTC days, R37)."""
    return pd.to_datetime(values, utc=True).dt.tz_localize(None).dt.normalize()
