"""Where a running test stands: its records as the CRM has them now, whether they hold, looks taken, enrolment.

Belongs here: from ledger and warehouse to the values of experiments/. Does not belong here: the plan (plan.py),
counting (experiments/records.py), comparing arms.

What was once known stays: an enrolment that has closed is closed, a look that was taken is spent, and the dials that
were known are asked for again (R26). A file of the CRM that forgets does not undo them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from leadscore_v6.assets.experiment.plan import (
    ASSIGNMENTS,
    DAILY,
    INTERIM,
    Plan,
    assignments_of,
    rows,
    table,
    text,
)
from leadscore_v6.assets.tables import digest_of
from leadscore_v6.errors import InputError
from leadscore_v6.experiments.looks import Look, Protocol
from leadscore_v6.experiments.records import Records, Standing, days, left_out, standing
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.programme import attempts_of, compared
from leadscore_v6.warehouse.protocol import Warehouse

# The texts that the records of a test are read by.
RECORDS = (f"{DAILY}/dials.sql", f"{DAILY}/outcomes.sql")
_OPEN = "open"  # in place of the day on which enrolment closed


def records_of(warehouse: Warehouse, plan: Plan, as_of: date) -> Records:
    """What the test's cohort is made from, as of that day."""
    dials, outcomes = ("lead_id", "dialled_at", "queue"), ("lead_id", "crd", "entered_on", "converted_on")
    assigned = assignments_of(warehouse, plan)
    if not warehouse.exists(table(warehouse, ASSIGNMENTS)):
        return Records(assigned, *(pd.DataFrame(columns=list(names), dtype=object) for names in (dials, outcomes)))
    of = {"as_of": as_of, "fingerprint": plan.fingerprint}
    made = text(warehouse, RECORDS[0], crm_dials="crm_dials", assignments=ASSIGNMENTS)
    came = text(warehouse, RECORDS[1], leads="crm_leads", assignments=ASSIGNMENTS)
    return Records(
        assigned,
        rows(warehouse, made, {**of, "first_day": plan.started_on}, dials),
        rows(warehouse, came, of, outcomes),
    )


def standing_of(ledger: Ledger, plan: Plan, records: Records, as_of: date) -> Standing:
    """How the records of the batches before this extract hold, against what the extract before it knew."""
    earlier = records.assignments[days(records.assignments["enrolled_on"]) < pd.Timestamp(as_of)]
    return standing(replace(records, assignments=earlier), _known_before(ledger, plan, as_of))


def require_dials(ledger: Ledger) -> None:
    """Raises InputError where the CRM logs no dials: the test counts outcomes per dial (R28, R50)."""
    dials = ledger.latest("crm_dials")
    assert dials is not None, "the guard has passed"
    if not dials.facts.get("rows"):
        raise InputError(
            "The test is read per dial, and no dial was landed",
            file="Dials.csv",
            remedy="export the CRM's dials beside Lead.csv (Id, FA_CRD__c, associate, dialled_at, queue); "
            "sga_adoption_tracking_plan_v6.md says what each column must hold.",
        )


def require_recent_dials(warehouse: Warehouse, as_of: date, limit: int) -> None:
    """Raises InputError where dials are known, and none of the `limit` days before the extract (R28).

    Who was dialled meanwhile would be assigned as if nobody had. Where the CRM logs no dials at all, the looks refuse.
    """
    sql = text(warehouse, f"{ASSIGNMENTS}/newest_dial.sql", crm_dials="crm_dials")
    (newest,) = days(rows(warehouse, sql, {"as_of": as_of}, ("dialled_on",))["dialled_on"])
    if not pd.isna(newest) and (pd.Timestamp(as_of) - newest).days > limit:
        raise InputError(
            f"The newest dial is of {newest:%Y-%m-%d}, more than {limit} days before the CRM extract of {as_of}: leads "
            "that were dialled since would be assigned as if they were not",
            file="Dials.csv",
            remedy=f"export the dials up to the day of the extract (at most {limit} days before it: max_dial_age_days)",
        )


# --- looks ----------------------------------------------------------------------------------------------------------


def protocol_of(ledger: Ledger, plan: Plan, records: Records, as_of: date) -> Protocol:
    """What was planned, and what happened since: enrolment closed or not, looks taken."""
    batches = days(records.assignments["enrolled_on"])
    last = batches.max().date() if len(batches) else None
    closed_on = _closed_on(ledger, plan, records, as_of)
    return Protocol(plan.dials, plan.started_on, closed_on, looks_taken(ledger, plan), last)


def looks_taken(ledger: Ledger, plan: Plan) -> tuple[Look, ...]:
    """Looks at this test that were taken before the final one: their arms were compared, whatever the gates said."""
    interim = look_attempt(ledger, plan, INTERIM)
    if interim is None:
        return ()
    look = interim.facts["look"]
    return (Look(**{**look, "as_of": date.fromisoformat(look["as_of"]), "harm": tuple(look["harm"])}),)


def look_attempt(ledger: Ledger, plan: Plan, asset: str) -> Attempt | None:
    """The attempt at a look of this test at which the arms were compared, if one was."""
    return compared(ledger, plan.attempt, asset)


def data_digest(leads: pd.DataFrame, as_of: date) -> str:
    """SHA-256 of what a look reads: the cohort's leads, and the day."""
    return digest_of(leads.assign(as_of=pd.Timestamp(as_of)))


def _closed_on(ledger: Ledger, plan: Plan, records: Records, as_of: date) -> date | None:
    """The day on which enrolment ended: the planned dials are made, the longest enrolment is over, or a look said so.

    None while it goes on. What was found closed once is not opened again by dials that are not known any more.
    """
    ends = [plan.enrols_until, *_closed_before(ledger, plan)]
    unread = left_out(records.assignments, records.dials, records.outcomes).any(axis=1)
    read = set(records.assignments.loc[~unread, "lead_id"])
    of_test = records.dials[records.dials["lead_id"].isin(read)]
    first = np.sort(days(of_test["dialled_at"]).groupby(of_test["lead_id"]).min().to_numpy())
    if len(first) >= plan.dials:
        ends.append(pd.Timestamp(first[plan.dials - 1]).date())
    interim = look_attempt(ledger, plan, INTERIM)
    if interim is not None and interim.facts["decision"]["verdict"] in ("go", "no-go"):
        ends.append(date.fromisoformat(interim.facts["as_of"]))
    return min(ends) if min(ends) <= as_of else None


def told_closed(closed_on: date | None) -> str:
    """As the facts of a batch keep it."""
    return closed_on.isoformat() if closed_on else _OPEN


def _closed_before(ledger: Ledger, plan: Plan) -> list[date]:
    told = [one.facts["enrolment_closed_on"] for one in _batches(ledger, plan)]
    return [date.fromisoformat(day) for day in told if day != _OPEN]


def _known_before(ledger: Ledger, plan: Plan, as_of: date) -> Mapping[str, int]:
    """Dials by day as the last batch of an earlier extract knew them; one that was refused teaches nothing."""
    earlier = [one for one in _batches(ledger, plan) if one.facts["as_of"] < as_of.isoformat()]
    last = max(earlier, key=lambda one: (one.facts["as_of"], one.seq), default=None)
    known: Mapping[str, int] = last.facts["dials_by_day"] if last is not None else {}
    return known


def _batches(ledger: Ledger, plan: Plan) -> list[Attempt]:
    return [one for one in attempts_of(ledger, plan.attempt, ASSIGNMENTS) if one.state == "published"]
