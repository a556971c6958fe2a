"""The day of the CRM extract that serves: what every day that is not named follows from (R47).

Belongs here: that one day, as the ledger has it. Does not belong here: how it is found in a Lead.csv (assets/leads.py),
which days follow from it (partitions.py).
"""

from __future__ import annotations

from datetime import date

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.ledger import Ledger

LEADS = "crm_leads"


def known_extract_day(ledger: Ledger) -> date | None:
    """The day of the newest extract that was not withdrawn; None where there is none, or it could not be read.

    What an older one serves is not asked: a day would be taken for the newest that is not.
    """
    leads = ledger.latest(LEADS)
    told = leads.facts.get("crm_extracted_at") if leads is not None else None
    return date.fromisoformat(told) if told else None


def extract_day(ledger: Ledger) -> date:
    """That day. Raises UsageError where there is none, which says why."""
    day = known_extract_day(ledger)
    if day is None:
        raise UsageError(why_no_extract(ledger))
    return day


def why_no_extract(ledger: Ledger) -> str:
    """Why there is no such day, and what to do."""
    leads = ledger.latest(LEADS)
    if leads is not None and leads.state == "refused":
        why = str(leads.refusal).partition("\n")[0].rstrip(".")
        return (
            f"The newest Lead.csv was refused: {why}. Deliver it mended (`leadscore run --data DIR`, `leadscore score "
            "--data DIR`), or go on with one that was landed before: `leadscore withdraw Lead.csv`."
        )
    if leads is not None and leads.state == "started":
        return (
            "Taking in the newest Lead.csv did not end: take it in again with `leadscore run --data DIR` or "
            "`leadscore score --data DIR`."
        )
    return "No CRM extract was landed: `leadscore run --data DIR`, or `leadscore monitor --data DIR`."
