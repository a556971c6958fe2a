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
    """The day of the newest extract that could be read and was not withdrawn; None where there is none."""
    leads = ledger.latest(LEADS)
    told = leads.facts.get("crm_extracted_at") if leads is not None else None
    return date.fromisoformat(told) if told else None


def extract_day(ledger: Ledger) -> date:
    """That day. Raises UsageError where there is none."""
    day = known_extract_day(ledger)
    if day is None:
        raise UsageError("No CRM extract was landed: `leadscore run --data DIR`, or `leadscore monitor --data DIR`.")
    return day
