"""Which rows a failed gate is about: lines of the landed file, so that a person can look there (R46).

Belongs here: from a failed gate to lines; of leads that are not in the file, to Ids. Does not belong here: judging (the
figures come from SQL), or any other value of a field: a message names file, column and line (R57). It reads the file
with Python, which is slow, and only after a gate has failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from leadscore_v6.contracts import contract
from leadscore_v6.contracts.contract import ContractColumn
from leadscore_v6.gates.attempt import Outcome
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.warehouse.landing import locate, parse_timestamp

# Rows named for each column, and columns named for each gate.
_ROWS, _COLUMNS = 5, 3

# Gates about fixed columns, with the figure that counts each column's rows.
_FIXED = {
    "reps_crd_valid": {"RepCRD": "invalid_rep_crd"},
    "reps_firm_crd_valid": {"RIAFirmCRD": "firm_crd_missing"},
    "leads_timestamps_parsed": {
        "Stage_Entered_Contacting__c": "contacting_unparsed",
        "Stage_Entered_Call_Scheduled__c": "scheduled_unparsed",
    },
}
# Gates about whichever columns lost most, with the beginning of their figures' names.
_WORST = {"reps_typing_losses": "typing_loss__", "reps_domain_losses": "domain_loss__"}
# The one about rows that are not in the file: of them the Ids are named.
_LOST = "leads_of_before_still_there"
# In these a blank is at fault too.
_NEVER_BLANK = ("RepCRD", "RIAFirmCRD")

# What macros.sql reads as a value of each type; a test holds the two against each other.
_BLANK = r"[\t\n\f\r ]*"
_FORMS = {
    "crd": re.compile(rf"{_BLANK}0*[1-9][0-9]*(?:\.0*)?{_BLANK}"),
    "int64": re.compile(rf"{_BLANK}([+-]?[0-9]+)(?:\.0*)?{_BLANK}"),
    "float64": re.compile(
        rf"{_BLANK}[+-]?(?:[0-9]{{1,99}}\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?0*[0-9]{{1,2}})?{_BLANK}"
    ),
}


def offending_rows(outcome: Outcome, ledger: Ledger, store: Path) -> list[str]:
    """Where to look when gates block: a line of text per column with its rows, else the file; none without a file."""
    attempt = outcome.attempt
    place = ("crm_leads", None) if attempt.asset == "crm_leads" else ("snapshot_reps_raw", attempt.partition)
    landed = next((known for known in ledger.landed.get(place, []) if known["digest"] == attempt.source), None)
    if landed is None or not outcome.blocking:
        return []
    path, name = store / landed["stored_as"], landed["file_name"]
    agreed = {column.name: column for column in contract("lead" if attempt.asset == "crm_leads" else "feed").columns}
    spelled = {legal.lower(): original for original, legal in landed["names"]}
    found = [
        f"{name}, column {column}: {_told(path, spelled[column.lower()], rows, at_fault(agreed[column]))}"
        for verdict in outcome.blocking
        for column, rows in _columns(verdict.gate.name, attempt.figures)
        if rows and path.is_file()
    ]
    if any(verdict.gate.name == _LOST for verdict in outcome.blocking):
        found += _lost(name, attempt.figures)
    return found or [f"made from {name}"]


def at_fault(column: ContractColumn) -> Callable[[str], bool]:
    """Whether a field of this column is one that the gates count against it."""

    def is_at_fault(field: str) -> bool:
        if not re.search(r"[^\t\n\f\r ]", field):
            return column.name in _NEVER_BLANK
        if column.words:
            return field not in column.words
        if column.typed == "timestamp":
            return parse_timestamp(field) is None
        found = _FORMS[column.typed or "float64"].fullmatch(field)
        if found is None:
            return True
        return column.typed == "int64" and not -(2**63) <= int(found[1]) < 2**63

    return is_at_fault


def _lost(name: str, figures: Mapping[str, Any]) -> list[str]:
    """Which leads a file lacks; nothing where that could not be measured."""
    lost, recent = figures.get("lost_leads"), figures.get("lost_recent")
    if not lost:
        return []
    told = (
        f"{name} lacks {lost:,} of {figures['leads_before']:,} leads of the extract of {figures['extract_before']}, "
        f"{recent:,} of the {figures['recent_before']:,} contacted in its last days; the newest: Id "
        f"{', '.join(figures['lost_first'])}."
    )
    return [told]


def _columns(gate: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Columns of the file that a gate found fault with, and in how many rows; most rows first."""
    counted = {column: figures.get(figure) or 0 for column, figure in _FIXED.get(gate, {}).items()}
    if gate in _WORST:
        losses = (name for name in figures if name.startswith(_WORST[gate]))
        counted = {name.removeprefix(_WORST[gate]): figures[name] or 0 for name in losses}
    yield from sorted(counted.items(), key=lambda item: -item[1])[:_COLUMNS]


def _told(path: Path, column: str, rows: int, predicate: Callable[[str], bool]) -> str:
    lines = [str(place.line) for place in locate(path, column, predicate, _ROWS)]
    first = "lines" if rows == len(lines) else f"first {len(lines)} lines"
    return f"{rows:,} rows; {first}: {', '.join(lines)}"
