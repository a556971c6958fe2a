"""The CRM extract `Lead.csv`: landed like a feed, and read once more, row by row, for what a table cannot tell.

Belongs here: what makes an extract unusable (R37), and its date (R47). Does not belong here: typing (sql/crm_leads).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from leadscore_v6.errors import InputError
from leadscore_v6.locations import Location
from leadscore_v6.warehouse.landing.rows import Place, read_rows
from leadscore_v6.warehouse.landing.store import Landed, land

FILE_NAME = "Lead.csv"
ID, CONTACTED, SCHEDULED = "Id", "Stage_Entered_Contacting__c", "Stage_Entered_Call_Scheduled__c"
LEAD_COLUMNS = (ID, "FA_CRD__c", CONTACTED, SCHEDULED)

# What sql/crm_leads reads as a timestamp; a test holds the two against each other.
_TIMESTAMP = re.compile(
    r"\s*([12]\d{3}-[01]\d-[0-3]\d)"
    r"(?:[Tt ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?))?"
    r" ?(?:[Zz]|UTC|([+-](?:0\d|1[0-3])(?::?[0-5]\d)?))?\s*",
    re.ASCII,
)


@dataclass(frozen=True)
class LandedLeads:
    """The landed extract; how many leads were contacted; the last timestamp in it, in UTC (None if there is none)."""

    file: Landed
    contacted: int
    last_timestamp: datetime | None


def land_leads(path: Location, store: Path, expected: Sequence[str] = LEAD_COLUMNS) -> LandedLeads:
    """Land the extract, and read it once more by rows.

    Raises InputError as `land` does, and for a record with too few or too many fields, and for a contacted lead without
    an Id or with the Id of another one (R37). A timestamp that cannot be read is not refused here: it is counted in
    SQL, and a gate judges.
    """
    landed = land(path, store, expected)
    names = [name.lower() for name in landed.names]
    id_at, contacted_at, scheduled_at = (names.index(name.lower()) for name in (ID, CONTACTED, SCHEDULED))
    seen: dict[str, int] = {}
    last: datetime | None = None
    rows = read_rows(landed.path)
    next(rows)
    for place, row in rows:
        if len(row) != len(names):
            raise InputError(
                f"A record has {len(row)} fields where the header has {len(names)} (line {place.line}).",
                file=str(path),
                row=place.line,
                remedy="export the extract again; a field with a comma must be in quotes",
            )
        if row[contacted_at].strip():
            _refuse_id(row[id_at].strip(), place, seen, path)
        for stamp in (parse_timestamp(row[contacted_at]), parse_timestamp(row[scheduled_at])):
            if stamp is not None and (last is None or stamp > last):
                last = stamp
    return LandedLeads(landed, len(seen), last)


def parse_timestamp(text: str) -> datetime | None:
    """A timestamp of the CRM in UTC, or None if the text is blank or is none (R37).

    ISO date; optional time, with or without seconds and fraction (cut to the microsecond); optional zone (Z, UTC,
    +0200, +02:00, +02), without which it is UTC.
    """
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        return None
    day, time, offset = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time or '00:00'}{offset or 'Z'}").astimezone(UTC)
    except ValueError:
        return None


def _refuse_id(lead_id: str, place: Place, seen: dict[str, int], path: Location) -> None:
    if not lead_id:
        raise InputError("A contacted lead has no Id.", file=str(path), column=ID, row=place.line)
    if lead_id in seen:
        raise InputError(
            f"Two contacted leads have the Id {lead_id}: lines {seen[lead_id]} and {place.line}.",
            file=str(path),
            column=ID,
            row=place.line,
            remedy="export each lead once",
        )
    seen[lead_id] = place.line
