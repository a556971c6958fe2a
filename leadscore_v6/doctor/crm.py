"""The CRM's files (Lead.csv, Dials.csv, Associates.csv): what a run would refuse of them (R37, R47, R50).

Belongs here: a file beside its contract, its first bad row, its dates. Does not belong here: what takes more than one
file, or a share, to judge: gates do that.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from leadscore_v6.contracts import Contract, contract
from leadscore_v6.contracts.contract import ContractColumn
from leadscore_v6.doctor.finding import Finding, missing, ok
from leadscore_v6.errors import LeadscoreError
from leadscore_v6.locations import Location, reaching
from leadscore_v6.warehouse.landing import CRM_FILES, Landed, Place, land, land_leads, parse_timestamp
from leadscore_v6.warehouse.landing.leads import FILE_NAME as LEADS_FILE
from leadscore_v6.warehouse.landing.rows import read_rows

# As sql/macros.sql reads a whole number; nothing in these files may be below 0.
_WHOLE = re.compile(r"\s*\+?[0-9]+(?:\.0*)?\s*", re.ASCII)


@dataclass
class _Seen:
    """What was met in one column: values that cannot be read, the first of them, the earliest and the latest time."""

    unreadable: int = 0
    first_bad: Place | None = None
    earliest: datetime | None = None
    latest: datetime | None = None

    def meet(self, text: str, column: ContractColumn, place: Place) -> None:
        """Take one value into account."""
        if column.typed == "timestamp":
            time = parse_timestamp(text)
            is_read = time is not None
            if time is not None:
                self.earliest, self.latest = min(self.earliest or time, time), max(self.latest or time, time)
        else:
            is_read = text in column.words if column.words else _WHOLE.fullmatch(text) is not None
        if not is_read:
            self.unreadable += 1
            self.first_bad = self.first_bad or place


def crm_file(path: Location, today: date) -> Finding:
    """Land the file into a folder of the moment, as a run lands it, and read its values; `today` is the day of receipt.

    Of what cannot be read a run lets no word and no number through, and of times a small share: those are told only.
    """
    agreed = contract(path.name.removesuffix(".csv").lower())
    try:
        with reaching(path), tempfile.TemporaryDirectory() as store:
            if path.name == LEADS_FILE:
                landed = land_leads(path, Path(store), agreed.names).file
            else:
                landed = land(path, Path(store), agreed.names)
            seen = _look(landed, agreed, blank_is_a_value=path.name != LEADS_FILE)
    except LeadscoreError as error:
        what, _, remedy = str(error).partition("\n  what to do: ")
        return missing(path.name, what, remedy or "have it delivered again")
    return _judge(path.name, landed, agreed, seen, today)


def not_there(name: str) -> Finding:
    """What it means that the folder has no such file."""
    asset = CRM_FILES[name]
    return ok(name, f"not there; it is optional: {asset} stays empty, or as it was landed before")


def _look(landed: Landed, agreed: Contract, *, blank_is_a_value: bool) -> dict[str, _Seen]:
    """By column that is read as something: what was met in it."""
    columns = [column for column in agreed.columns if column.words or column.typed in ("timestamp", "int64")]
    seen = {column.name: _Seen() for column in columns}
    names = [name.lower() for name in landed.names]
    at = [(column, names.index(column.name.lower())) for column in columns]
    for place, row in read_rows(landed.path):
        for column, index in at if place.record else ():
            if row[index].strip() or blank_is_a_value:
                seen[column.name].meet(row[index], column, place)
    return seen


def _judge(name: str, landed: Landed, agreed: Contract, seen: dict[str, _Seen], today: date) -> Finding:
    times = [time.date() for one in seen.values() for time in (one.earliest, one.latest) if time is not None]
    if times and max(times) > today:
        says = f"{name} has a time of {max(times)}, after the day it is received ({today})"
        by_hand = ", or say when it was extracted: --crm-extracted-at YYYY-MM-DD" if name == LEADS_FILE else ""
        return missing(name, says, f"correct it in the CRM (a wrong year, a wrong clock){by_hand}")
    if name == LEADS_FILE and not times:
        says = f"{name} has no time at all, by which a run knows when it was extracted"
        return missing(name, says, "export it with its times, or say --crm-extracted-at YYYY-MM-DD")
    bad = dict(_unreadable(seen))
    refused = [said for column, said in bad.items() if column not in _of_times(agreed)]
    if refused:
        return missing(name, f"{name}: {'; '.join(refused)}", "correct it in the CRM, and export it again")
    said = [f"{name}: {landed.records:,} records, all {len(agreed.columns)} columns of the contract"]
    said += [f"times from {min(times)} to {max(times)}"] if times else []
    return ok(name, "; ".join([*said, *bad.values()]))


def _unreadable(seen: dict[str, _Seen]) -> Iterator[tuple[str, str]]:
    for column, one in seen.items():
        if one.first_bad is not None:
            yield column, f"{one.unreadable:,} of {column} cannot be read, the first in line {one.first_bad.line}"


def _of_times(agreed: Contract) -> set[str]:
    return {column.name for column in agreed.columns if column.typed == "timestamp"}
