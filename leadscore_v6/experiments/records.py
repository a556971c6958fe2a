"""What the CRM says of a running test: the three tables that a cohort is made from, and whether they still hold.

Belongs here: assigned leads that cannot be read (gone from the extract, or dialled or called before they could be
queued), leads that the CRM changed since, dials that were known and are not any more. Does not belong here: comparing
arms, thresholds of gates.

An assigned lead is read whatever the CRM makes of its contact date or advisor: it stays in the arm that it was dealt
(R28), and its outcome is found by its Id. What is left out is left out by something that happened before the test could
touch the lead, or because nothing is known of it any more; both are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

# Why an assigned lead is not read.
LEFT_OUT: Final = ("gone", "dialled_early", "called_early")


@dataclass(frozen=True)
class Records:
    """What `cohort.cohort` takes.

    assignments  ASSIGNMENT_COLUMNS, and entered_at (when the lead entered Contacting, as known when it was assigned)
    dials        lead_id, dialled_at, queue (R50)
    outcomes     one row for each assigned lead that the extract still has: lead_id, crd and entered_on as they are now,
                 converted_on (the day a call was scheduled; NaT: none)
    """

    assignments: pd.DataFrame
    dials: pd.DataFrame
    outcomes: pd.DataFrame


@dataclass(frozen=True)
class Standing:
    """What became of the assigned leads, and of the dials that were known before.

    gone           leads that the extract does not have any more
    changed        leads with another contact day or advisor than they were assigned with; they are read all the same
    dialled_early  leads with a dial on the day of their assignment or before: it came from no queue of the test
    called_early   the same of a scheduled call
    dials_by_day   dials of the assigned leads, by day (YYYY-MM-DD): what the next reading is held against
    dials_before   how many were known at the reading before; dials_lost: of those, how many are not known any more
    """

    assigned: int
    gone: int
    changed: int
    dialled_early: int
    called_early: int
    left_out: int
    dials_by_day: Mapping[str, int]
    dials_before: int
    dials_lost: int

    def figures(self) -> dict[str, float | int]:
        """What gates read, and a report shows; shares are of the leads, and of the dials that were known before."""
        early = self.left_out - self.gone
        return {
            "leads_assigned_before": self.assigned,
            "leads_gone": self.gone,
            "leads_gone_share": _share(self.gone, self.assigned),
            "leads_changed": self.changed,
            "leads_changed_share": _share(self.changed, self.assigned),
            "leads_dialled_early": self.dialled_early,
            "leads_called_early": self.called_early,
            "leads_early": early,
            "leads_early_share": _share(early, self.assigned),
            "dials_known_before": self.dials_before,
            "dials_lost": self.dials_lost,
            "dials_lost_share": _share(self.dials_lost, self.dials_before),
        }


def left_out(assignments: pd.DataFrame, dials: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per assignment, in its order, and a flag for each reason of LEFT_OUT; the first that holds is set.

    A queue is dialled from the day after the assignment on: what happened up to that day was not the test's doing.
    """
    enrolled = days(assignments["enrolled_on"])
    first = days(dials["dialled_at"]).groupby(dials["lead_id"].to_numpy()).min()
    called = days(outcomes["converted_on"]).groupby(outcomes["lead_id"].to_numpy()).min()
    gone = ~assignments["lead_id"].isin(set(outcomes["lead_id"]))
    dialled = _on(assignments["lead_id"], first) <= enrolled
    asked = _on(assignments["lead_id"], called) <= enrolled
    return pd.DataFrame({"gone": gone, "dialled_early": dialled & ~gone, "called_early": asked & ~dialled & ~gone})


def standing(records: Records, known_before: Mapping[str, int]) -> Standing:
    """How the records hold. `known_before`: `dials_by_day` of the reading before; empty before the first."""
    assigned = records.assignments
    reasons = left_out(assigned, records.dials, records.outcomes)
    of_test = records.dials[records.dials["lead_id"].isin(set(assigned["lead_id"]))]
    counts = days(of_test["dialled_at"]).dt.strftime("%Y-%m-%d").value_counts()
    by_day = {str(day): int(count) for day, count in sorted(counts.items())}
    return Standing(
        assigned=len(assigned),
        changed=_changed(records),
        **{name: int(reasons[name].sum()) for name in LEFT_OUT},
        left_out=int(reasons.any(axis=1).sum()),
        dials_by_day=by_day,
        dials_before=sum(known_before.values()),
        dials_lost=sum(max(0, count - by_day.get(day, 0)) for day, count in known_before.items()),
    )


def days(values: pd.Series) -> pd.Series:
    """Midnights without a zone: days of the CRM are UTC days (R37)."""
    if not pd.api.types.is_datetime64_dtype(values):  # true only without a zone
        values = pd.to_datetime(values, utc=True).dt.tz_localize(None)
    return values.dt.normalize()


def _changed(records: Records) -> int:
    now = records.outcomes.set_index("lead_id")
    there = records.assignments[records.assignments["lead_id"].isin(set(now.index))]
    moved = days(there["entered_at"]) != _on(there["lead_id"], days(now["entered_on"]))
    return int((moved | (there["lead_id"].map(now["crd"]) != there["crd"])).sum())


def _on(leads: pd.Series, known: pd.Series) -> pd.Series:
    return pd.to_datetime(leads.map(known))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
