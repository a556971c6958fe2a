"""The day of the CRM extract that serves, from which every day that is not named follows (R47), and the one before.

Belongs here: which extract that is, as the ledger has it, and which days it reaches. Does not belong here: how its day
is found in a Lead.csv, and how two extracts are held against each other (assets/leads.py); which days follow from it
(partitions.py).
"""

from __future__ import annotations

from datetime import date

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.ledger import Attempt, Ledger

LEADS = "crm_leads"


def known_extract_day(ledger: Ledger) -> date | None:
    """The day of the newest extract that was not withdrawn; None where there is none, or it could not be read.

    What an older one serves is not asked: a day would be taken for the newest that is not.
    """
    leads = ledger.latest(LEADS)
    told = leads.facts.get("crm_extracted_at") if leads is not None else None
    return date.fromisoformat(told) if told else None


def waits_to_be_built(ledger: Ledger) -> bool:
    """Whether the extract that counts was built before, and its table is of one that was withdrawn since."""
    leads = ledger.latest(LEADS)
    if leads is None or leads.state != "published":
        return False
    return any(ledger.serving(name) is not leads for name in leads.outputs)


def days_reached(ledger: Ledger, asset: str) -> list[str]:
    """Keys of a step that is built day by day, in order, up to the newest extract's day, or the serving one's if later.

    A later one is of an extract that was taken back, or of a clock that was wrong: no run renews it, and it would be
    the newest for ever. A newest extract that was stopped (one that was cut off is older than what serves), or that
    could not be read, takes no day away.
    """
    serves = extract_before(ledger)
    told = [known_extract_day(ledger), date.fromisoformat(serves.facts["crm_extracted_at"]) if serves else None]
    last = max((day for day in told if day is not None), default=None)
    keys = (str(key) for key in ledger.keys(asset))
    return [key for key in keys if last is None or key <= f"{last:%Y%m%d}"]


def extract_before(ledger: Ledger) -> Attempt | None:
    """The extract that the next one is held against: the one that serves. None at the first one.

    A withdrawn one may have had leads that the next one rightly lacks: then it is the newest that was published before.
    """
    place = (LEADS, None)
    served = next((attempt for attempt in ledger.published().values() if attempt.place == place), None)
    if served is None or not served.withdrawn:
        return served
    earlier = (
        attempt
        for attempt in ledger.attempts.values()
        if attempt.place == place and attempt.state == "published" and not attempt.withdrawn
    )
    return max(earlier, key=lambda attempt: attempt.began, default=None)


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
