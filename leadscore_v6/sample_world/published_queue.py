"""The published queue, read as a stranger's file: all that a played world ever sees of the pipeline (R52).

Belongs here: its form, and what makes it no queue for this world. Does not belong here: dialling it (dialling.py).
Columns: queue_date, arm (treatment | control), position (1 is dialled first, in each arm), Id, FA_CRD__c.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from leadscore_v6.errors import InputError

ARMS: Final = ("treatment", "control")
COLUMNS: Final = ("queue_date", "arm", "position", "Id", "FA_CRD__c")
_REMEDY: Final = "hand over the queue as the pipeline published it; nothing was played"


def read_queue(path: Path, leads: pd.DataFrame, offered: pd.Series) -> pd.DataFrame:
    """The queue in the order of arms and positions, columns Id, arm, position (int).

    leads    of the played months: Id, crd, counted, contact_date
    offered  Ids that an earlier week put before the associates

    Raises InputError with file, column and row (the header is row 1) for a file that is no queue, a lead twice, a lead
    that this world does not know or has not contacted, another lead's CRD, and a lead that was in a queue before.
    """
    queue = _read(path)
    known = leads.set_index("Id")
    _refuse(path, queue, "arm", ~queue["arm"].isin(ARMS), lambda row: f"arm {row.arm!r} is none of {', '.join(ARMS)}")
    number = queue["position"].str.fullmatch(r"[1-9]\d{0,8}")
    _refuse(path, queue, "position", ~number, lambda row: f"position {row.position!r} is no whole number from 1 on")
    _refuse(path, queue, "queue_date", ~queue["queue_date"].map(_is_day), lambda row: f"{row.queue_date!r} is no date")
    other_day = queue["queue_date"] != queue["queue_date"].where(queue.index == 0).ffill()
    _refuse(path, queue, "queue_date", other_day, lambda _: "one queue is of one day, this one is of several")
    twice = queue.duplicated(["arm", "position"])
    _refuse(path, queue, "position", twice, lambda row: f"position {row.position} of {row.arm} is there twice")
    _refuse(path, queue, "Id", queue["Id"].duplicated(), lambda row: f"lead {row.Id} is there twice")
    stranger = ~queue["Id"].isin(known.index)
    _refuse(path, queue, "Id", stranger, lambda row: f"lead {row.Id} is none that arrived in the played weeks")
    of_queue = known.loc[queue["Id"]].set_axis(queue.index)
    _refuse(
        path, queue, "Id", ~of_queue["counted"], lambda row: f"lead {row.Id} never entered contacting, or has no CRD"
    )
    crd = queue["FA_CRD__c"].map(_canonical) != of_queue["crd"].astype(str)
    _refuse(path, queue, "FA_CRD__c", crd, lambda row: f"lead {row.Id} is of another advisor")
    again = queue["Id"].isin(offered)
    _refuse(path, queue, "Id", again, lambda row: f"lead {row.Id} was in a queue before: this one has been played")
    queue["position"] = queue["position"].astype(int)
    return queue.sort_values(["arm", "position"], ignore_index=True)[["Id", "arm", "position"]]


def _read(path: Path) -> pd.DataFrame:
    """Every field as text; strict, so that a cut or a shifted row is an error and not another queue."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, strict=True)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"the queue cannot be read: {_said(error)}", file=str(path), remedy=_REMEDY) from error
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(f"the queue lacks {', '.join(missing)}", file=str(path), column=missing[0], remedy=_REMEDY)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            what = f"the queue cannot be read: {len(row)} fields where the header has {len(header)}"
            raise InputError(what, file=str(path), row=number, remedy=_REMEDY)
    return pd.DataFrame(rows, columns=header, dtype=str)


def _said(error: Exception) -> str:
    """The error in a person's words."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is empty" if "unpack" in str(error) else str(error)


def _refuse(path: Path, queue: pd.DataFrame, column: str, wrong: pd.Series, say: Callable[[pd.Series], str]) -> None:
    """Stop at the first wrong row, and say how many there are."""
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        others = f" (and {int(wrong.sum()) - 1:,} more rows like it)" if wrong.sum() > 1 else ""
        what = f"{say(queue.iloc[first])}{others}"
        raise InputError(what, file=str(path), column=column, row=first + 2, remedy=_REMEDY)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _canonical(text: str) -> str:
    """A CRD's digits (R34), or what was written."""
    return re.sub(r"^\s*0*(\d+)(\.0+)?\s*$", r"\1", text)
