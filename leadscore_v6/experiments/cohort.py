"""The enrolled leads with what became of them: one row per lead, and the refusal of rows that contradict the design.

Belongs here: the join of assignments, dials and outcomes as they were known at `as_of` (R9), and what such rows must
hold to be read at all. Does not belong here: comparing arms (`effect.py`, `readout.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.records import days, left_out
from leadscore_v6.experiments.settings import ARMS, CONTROL, DesignSettings

COHORT_COLUMNS: Final = (
    "lead_id", "crd", "arm", "segment", "enrolled_on", "dialled_on", "dials", "adopted", "converted_on",
)  # fmt: skip
_OF_THE_TEST: Final = ("model", "own")  # values of `queue` that only a lead of the treatment arm can have
_QUEUES: Final = (*_OF_THE_TEST, "usual")  # R50


@dataclass(frozen=True)
class Cohort:
    """`leads` has COHORT_COLUMNS, by lead_id; days are midnights, NaT: not yet.

    dials_outside    dials of leads that are not read (never enrolled, or left out)
    dials_unknown    dials later than `as_of`, which are not known yet (R9)
    left_out         leads that were assigned and are not read, by reason (`records.LEFT_OUT`)
    """

    leads: pd.DataFrame
    dials_outside: int
    dials_unknown: int
    left_out: Mapping[str, int]


def cohort(
    assignments: pd.DataFrame, dials: pd.DataFrame, outcomes: pd.DataFrame, as_of: date, design: DesignSettings
) -> Cohort:
    """Enrolled leads as known at the end of the day `as_of`.

    The three tables are a `Records`'. A lead that the extract does not have any more, or with a dial or a call up to
    the day of its assignment, is left out and counted (`records.left_out`). `dials` of a lead are those within its
    follow-up; it is adopted if the first one followed the published order. Raises InputError on a dial that the queue
    of the test cannot have had, and as `require_cohort` does.
    """
    return Journal.of(assignments, dials, outcomes, as_of, design).as_known(as_of)


@dataclass(frozen=True)
class Journal:
    """All that is known of a test at one day, kept so that each day before can be told as it was known then.

    leads      lead_id, crd, arm, segment, enrolled_on, first (day of the first dial), queue (of that dial),
               converted_on; by lead_id
    dial_days  (n,) days of all dials known, rising; dial_leads (n,) place in `leads`, -1: never enrolled; dial_within
               (n,) whether the dial is within the follow-up of its lead's first one
    later      dials after the day of the journal
    left_out   leads that were assigned and are not read, by reason
    """

    leads: pd.DataFrame
    dial_days: NDArray[np.datetime64]
    dial_leads: NDArray[np.intp]
    dial_within: NDArray[np.bool_]
    later: int
    left_out: Mapping[str, int]

    @classmethod
    def of(
        cls, assignments: pd.DataFrame, dials: pd.DataFrame, outcomes: pd.DataFrame, as_of: date, design: DesignSettings
    ) -> Journal:
        """What `cohort` takes; it raises what `cohort` does."""
        leads = assignments[["lead_id", "crd", "arm", "segment"]].assign(enrolled_on=days(assignments["enrolled_on"]))
        leads = leads[leads["enrolled_on"] <= pd.Timestamp(as_of)].sort_values("lead_id", ignore_index=True)
        _refuse(leads, leads["lead_id"].duplicated(), "is assigned twice", "Id")
        _refuse(outcomes, outcomes["lead_id"].duplicated(), "has two outcomes", "Id")
        made = dials.assign(dialled_at=pd.to_datetime(dials["dialled_at"], utc=True))
        made["dialled_on"] = days(made["dialled_at"])
        _refuse(made, made["dialled_on"].isna(), "was dialled on no day", "dialled_at")
        _refuse(
            made, ~made["queue"].isin(_QUEUES), f"was dialled from none of the queues {', '.join(_QUEUES)}", "queue"
        )
        made = made[made["dialled_on"] <= pd.Timestamp(as_of)]
        made = made.sort_values(["dialled_at", "lead_id", "queue"], ignore_index=True)
        _require_dials_of_the_test(made.assign(place=_places(leads, made)), leads["arm"])
        reasons = left_out(leads, made, outcomes)
        leads = leads[~reasons.any(axis=1)].reset_index(drop=True)
        made["place"] = _places(leads, made)
        first = made[made["place"] >= 0].drop_duplicates("place").set_index("place")
        leads["first"], leads["queue"] = first["dialled_on"], first["queue"]
        converted = outcomes.set_index("lead_id")["converted_on"]
        leads["converted_on"] = pd.to_datetime(leads["lead_id"].map(days(converted[converted.notna()])))
        leads.loc[leads["converted_on"] > pd.Timestamp(as_of), "converted_on"] = pd.NaT
        since = made["dialled_on"] - made["place"].map(leads["first"])
        within = (since <= pd.Timedelta(days=design.follow_up_days)).to_numpy()
        counts = {name: int(count) for name, count in reasons.sum().items()}
        journal = cls(
            leads, made["dialled_on"].to_numpy(), made["place"].to_numpy(), within, len(dials) - len(made), counts
        )
        require_cohort(journal.as_known(as_of).leads)
        return journal

    def as_known(self, day: date) -> Cohort:
        """The cohort at the end of `day`, which is the journal's own or one before it."""
        now = pd.Timestamp(day)
        enrolled = self.leads["enrolled_on"] <= now
        made = self.dial_leads[: np.searchsorted(self.dial_days, now.to_datetime64(), side="right")]
        inside = made[(made >= 0) & self.dial_within[: len(made)]]
        leads = self.leads.assign(
            dialled_on=self.leads["first"].where(self.leads["first"] <= now),
            dials=np.bincount(inside, minlength=len(self.leads)),
            adopted=(self.leads["queue"] == "model") & (self.leads["first"] <= now),
            converted_on=self.leads["converted_on"].where(self.leads["converted_on"] <= now),
        )
        leads = leads.loc[enrolled, list(COHORT_COLUMNS)].reset_index(drop=True)
        unknown = self.later + len(self.dial_leads) - len(made)
        return Cohort(leads, int((made < 0).sum()), unknown, self.left_out)


def require_cohort(leads: pd.DataFrame) -> None:
    """Raises InputError, naming the first lead, if rows contradict the design of the test.

    A lead twice, an unknown arm, an advisor in both arms, a dial or an outcome up to assignment, a dial without its
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
    _refuse(leads, leads["dialled_on"] <= enrolled, "was dialled before it could be queued", "dialled_at")
    _refuse(leads, leads["converted_on"] <= enrolled, "had its outcome before it could be queued",
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
                "  what to do: end this test (`leadscore experiment stop`), and plan the next one with the new model; "
                "a challenger waits (R58)."
            )


def _require_dials_of_the_test(dials: pd.DataFrame, arms: pd.Series) -> None:
    """`dials` with the place of their lead in `arms` (-1: not enrolled)."""
    by_model, control = dials["queue"].isin(_OF_THE_TEST), dials["place"].map(arms) == CONTROL
    _refuse(dials, (dials["place"] < 0) & by_model, "was dialled from the test's queue and was never assigned", "queue")
    _refuse(dials, control & by_model, "is of the control arm and was dialled from the model's queue", "queue")


def _refuse(rows: pd.DataFrame, wrong: pd.Series, what: str, column: str) -> None:
    if wrong.any():
        first = rows.loc[wrong, "lead_id"].iloc[0]
        raise InputError(
            f"lead {first} {what} ({int(wrong.sum())} such rows)",
            column=column,
            remedy="correct Dials.csv or the CRM extract, and land it again; nothing was read from the test",
        )


def _places(leads: pd.DataFrame, dials: pd.DataFrame) -> NDArray[np.intp]:
    """Of each dial the row of its lead; -1: it has none."""
    places: NDArray[np.intp] = pd.Index(leads["lead_id"]).get_indexer(dials["lead_id"])
    return places
