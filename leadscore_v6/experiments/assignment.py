"""Who is in which arm: by advisor, in salted permuted blocks within the segment, append-only (plan 5.3, R28).

Belongs here: dealing new advisors, and whether what was dealt is what stands there (balance, coverage). Does not
belong here: which leads are eligible, the queue, whether the sizes are right at a reading (`sample_ratio.py`).

A row is a lead; all leads of an advisor are in the advisor's arm, those to come as well. Assigned rows never change:
`assign` returns rows to append. What it returns depends on the rows that stand and on the leads that are new, not on
the order in which either comes. Within a segment, new advisors are taken by a salted hash of their CRD and dealt to the
next free places; a block's places are shuffled by a salted hash of segment and block, so that each full block holds the
arms in the design's ratio.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import pandas as pd

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.settings import ARMS, CONTROL, TREATMENT, Arm, AssignmentSettings

# lead_id, crd (canonical digits), arm, segment, block (from 0 in its segment), place (in its block), enrolled_on (day),
# fingerprint (of the settings it was assigned by).
ASSIGNMENT_COLUMNS: Final = ("lead_id", "crd", "arm", "segment", "block", "place", "enrolled_on", "fingerprint")
_OF_ADVISOR: Final = ["crd", "arm", "segment", "block", "place"]
MISSING: Final = "missing"  # the segment of an advisor whose segment is not known


@dataclass(frozen=True)
class Enrolment:
    """Rows to append (ASSIGNMENT_COLUMNS, by lead_id), and how they came about.

    already   leads that were assigned before, and stay as they are
    followed  new leads of an advisor who has an arm already
    dealt     advisors who got an arm now
    """

    rows: pd.DataFrame
    already: int
    followed: int
    dealt: int


@dataclass(frozen=True)
class Coverage:
    """Share of advisors with a matched snapshot by arm, and the p-value of their difference."""

    treatment: float
    control: float
    p: float


def no_assignments() -> pd.DataFrame:
    """The table before the first lead is enrolled."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in ASSIGNMENT_COLUMNS})


def assign(standing: pd.DataFrame, leads: pd.DataFrame, enrolled_on: date, settings: AssignmentSettings) -> Enrolment:
    """Arms for the leads that have none.

    `standing` has ASSIGNMENT_COLUMNS; `leads` has lead_id, crd, segment (None: not known). An advisor's segment is that
    of his first lead by lead_id, and stays. Raises UsageError if the design changed under a running test or the day is
    before one already enrolled; InputError on an invalid CRD, a lead that comes twice, or a table that contradicts
    itself.
    """
    require_same_design(standing, settings)
    leads = _checked(leads)
    advisors = _advisors(standing)
    new = leads[~leads["lead_id"].isin(set(standing["lead_id"]))].sort_values("lead_id", ignore_index=True)
    if len(new) and len(standing) and pd.to_datetime(standing["enrolled_on"]).max() > pd.Timestamp(enrolled_on):
        raise UsageError(
            f"leads cannot be enrolled on {enrolled_on}: some were on "
            f"{pd.to_datetime(standing['enrolled_on']).max():%Y-%m-%d}. Assignments are only appended, day by day."
        )
    known = set(advisors["crd"])
    unknown = new[~new["crd"].isin(known)].drop_duplicates("crd")
    dealt = _deal(unknown, Counter(advisors["segment"]), settings)
    rows = new[["lead_id", "crd"]].merge(pd.concat([advisors, dealt]), on="crd", how="left", validate="many_to_one")
    rows = rows.assign(enrolled_on=pd.Timestamp(enrolled_on), fingerprint=settings.fingerprint)
    return Enrolment(
        rows=rows[list(ASSIGNMENT_COLUMNS)],
        already=len(leads) - len(new),
        followed=int(new["crd"].isin(known).sum()),
        dealt=len(dealt),
    )


def require_same_design(standing: pd.DataFrame, settings: AssignmentSettings) -> None:
    """Raises UsageError if a row was assigned by another salt, segment, ratio or block size than `settings` say."""
    others = set(standing["fingerprint"]) - {settings.fingerprint}
    if others:
        raise UsageError(
            f"the running test was assigned by the design {', '.join(sorted(others))}, and v6_experiment.yaml now says "
            f"{settings.fingerprint}: its salt, segment, ratio or block size was changed.\n"
            "  what to do: put the section `assignment` back as it was; a changed design is for the next test."
        )


def block_balance(assignments: pd.DataFrame, settings: AssignmentSettings) -> pd.DataFrame:
    """One row per segment and block: advisors per arm, `full`, and `off`: how many advisors an arm has too many.

    `off` is 0 in every block that was dealt by the design, full or not.
    """
    advisors = _advisors(assignments)
    dealt = advisors.assign(**{arm: (advisors["arm"] == arm).astype(int) for arm in ARMS})
    found = dealt.groupby(["segment", "block"], as_index=False)[list(ARMS)].sum()
    room = {arm: settings.block_size * settings.ratio[arm] // sum(settings.ratio.values()) for arm in ARMS}
    found["full"] = found[TREATMENT] + found[CONTROL] >= settings.block_size
    found["off"] = sum((found[arm] - room[arm]).clip(lower=0) for arm in ARMS)
    return found


def coverage_balance(assignments: pd.DataFrame, matched: pd.Series) -> Coverage:
    """Whether both arms' advisors have discovery data alike (the plan's "balanced discovery data coverage").

    `matched` (bool, in the order of the assignments): the lead had a snapshot. An advisor counts by his first lead.
    Fisher's exact test.
    """
    from scipy.stats import fisher_exact

    first = assignments.assign(matched=matched.to_numpy(dtype=bool)).sort_values("lead_id").drop_duplicates("crd")
    by_arm = {arm: first.loc[first["arm"] == arm, "matched"] for arm in ARMS}
    table = [[int(found.sum()), int((~found).sum())] for found in by_arm.values()]
    shares = {arm: float(found.mean()) for arm, found in by_arm.items()}
    return Coverage(shares[TREATMENT], shares[CONTROL], float(fisher_exact(table).pvalue))


def _deal(advisors: pd.DataFrame, taken: Mapping[str, int], settings: AssignmentSettings) -> pd.DataFrame:
    """Places and arms of new advisors (crd, segment); `taken` counts the places given away in each segment."""
    rows = []
    for segment, found in advisors.groupby("segment"):
        order = sorted(found["crd"], key=lambda crd: _digest(settings.salt, "advisor", crd))
        for at, crd in enumerate(order, start=taken.get(str(segment), 0)):
            block, place = divmod(at, settings.block_size)
            rows.append((crd, _places(str(segment), block, settings)[place], segment, block, place))
    return pd.DataFrame(rows, columns=_OF_ADVISOR)


def _places(segment: str, block: int, settings: AssignmentSettings) -> list[Arm]:
    """The arms of a block's places, shuffled."""
    times = settings.block_size // sum(settings.ratio.values())
    arms = [arm for arm in ARMS for _ in range(times * settings.ratio[arm])]
    order = sorted(range(len(arms)), key=lambda slot: _digest(settings.salt, "block", segment, str(block), str(slot)))
    return [arms[slot] for slot in order]


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def _checked(leads: pd.DataFrame) -> pd.DataFrame:
    leads = leads[["lead_id", "crd", "segment"]].copy()
    leads["crd"] = leads["crd"].map(str)
    wrong = leads[~leads["crd"].str.fullmatch("[1-9][0-9]*")]
    if len(wrong):
        raise InputError(
            f"{len(wrong)} leads to enrol have no valid CRD, the first is lead {wrong['lead_id'].iloc[0]}: arms are "
            "dealt by it",
            column="FA_CRD__c",
            remedy="leave such leads out of the experiment (they are skipped in scoring, too)",
        )
    twice = leads.loc[leads["lead_id"].duplicated(), "lead_id"]
    if len(twice):
        raise InputError(f"lead {twice.iloc[0]} is to be enrolled twice", column="Id")
    leads["segment"] = leads["segment"].astype(object).where(leads["segment"].notna(), MISSING).map(str)
    return leads


def _advisors(assignments: pd.DataFrame) -> pd.DataFrame:
    """One row per advisor. Raises InputError if one stands in two places, or a lead stands there twice."""
    advisors = assignments[_OF_ADVISOR].drop_duplicates().astype({"crd": str})
    for frame, key in ((advisors, "crd"), (assignments, "lead_id")):
        twice = frame.loc[frame[key].duplicated(), key]
        if len(twice):
            raise InputError(
                f"{key} {twice.iloc[0]} stands in the assignments in two ways: the table was changed by hand or joined",
                remedy="restore ab_test_assignments_v6 from its last published version; it is only ever appended to",
            )
    return advisors
