"""When arms may be compared: the protocol of a running test, and the next look that is due (R26).

Belongs here: information from actual matured dials, the refusal of a look that is not planned. Does not belong here:
what is read at a look (`readout.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.settings import DesignSettings


@dataclass(frozen=True)
class Look:
    """A look that was taken: `information` is matured dials over planned ones, `planned` the share it was planned at.

    `z` is None where it was not judgeable. `harm`: what it showed of harm, in sentences.
    """

    number: int
    planned: float
    information: float
    as_of: date
    z: float | None
    critical: float
    harm: tuple[str, ...] = ()

    @property
    def crossed(self) -> bool:
        """Whether it crossed its boundary, up or down."""
        return self.z is not None and abs(self.z) >= self.critical


@dataclass(frozen=True)
class Protocol:
    """What step 5.2 planned, and what happened since.

    `dials` are planned first dials of both arms; `closed_on` is the day on which enrolment ended (None: it goes on);
    `taken` are the looks so far, in order. `last_batch_on`: when leads were last assigned (None: not yet); the batch
    that closes an enrolment may be assigned some days after its last day.
    """

    dials: int
    started_on: date
    closed_on: date | None = None
    taken: tuple[Look, ...] = ()
    last_batch_on: date | None = None


@dataclass(frozen=True)
class DueLook:
    """A look that may be taken now."""

    number: int
    planned: float
    information: float
    is_final: bool


class LookNotDue(UsageError):
    """Arms were to be compared before a planned look; `due_on` is the day of the next one (None: there is none)."""

    def __init__(self, message: str, due_on: date | None) -> None:
        """`message` says why, and when."""
        super().__init__(message)
        self.due_on = due_on


def matured(leads: pd.DataFrame, as_of: date, design: DesignSettings) -> pd.DataFrame:
    """The cohort's leads whose follow-up is over: those that may be read."""
    return leads[leads["dialled_on"] + pd.Timedelta(days=design.matures_after_days) <= pd.Timestamp(as_of)]


def information(leads: pd.DataFrame, protocol: Protocol, as_of: date, design: DesignSettings) -> float:
    """Matured first dials over planned ones; above 1 if more came in than planned."""
    return len(matured(leads, as_of, design)) / protocol.dials


def due_look(leads: pd.DataFrame, protocol: Protocol, as_of: date, design: DesignSettings) -> DueLook:
    """The look that may be taken at `as_of`, the latest if several became due.

    The final one is due at full information, or once enrolment is closed and its last follow-up over: a test that ends
    short of its plan spends what alpha is left. Raises LookNotDue with the day of the next look; InputError where less
    is known than at a look before: information that was spent cannot be unknown again.
    """
    reached = information(leads, protocol, as_of, design)
    _require_as_much(reached, protocol)
    last, final = max((look.number for look in protocol.taken), default=0), len(design.looks)
    if last == final:
        raise LookNotDue(f"the test was finally analysed on {protocol.taken[-1].as_of}: there is no later look.", None)
    if protocol.taken and as_of <= protocol.taken[-1].as_of:
        raise LookNotDue(f"a look as of {as_of} would come before the one of {protocol.taken[-1].as_of}.", None)
    due = [number for number, share in enumerate(design.looks, start=1) if reached >= share]
    end = _last_follow_up(protocol, design)
    if end is not None and end <= as_of:
        due.append(final)
    if not due or due[-1] <= last:
        number = last + 1
        when, how = next_due(leads, protocol, number, as_of, design)
        raise LookNotDue(
            f"arms may not be compared as of {as_of}: look {number} of {final} needs "
            f"{_needed(protocol, number, design)} matured dials, and {round(reached * protocol.dials)} are in. "
            f"It is due on {when} ({how}).\n"
            "  what to do: read the daily metrics until then; peeking in between makes a false alarm likely (R26).",
            when,
        )
    number = due[-1]
    return DueLook(number, design.looks[number - 1], reached, is_final=number == final)


def next_due(
    leads: pd.DataFrame, protocol: Protocol, number: int, as_of: date, design: DesignSettings
) -> tuple[date, str]:
    """The day on which look `number` is due: known if its dials are made, else expected at the pace of dialling so far.

    Never later than the end of the last follow-up, once enrolment is closed.
    """
    needed = _needed(protocol, number, design)
    dialled = np.sort(leads["dialled_on"].dropna().to_numpy(dtype="datetime64[D]"))
    follow_up = timedelta(days=design.matures_after_days)
    if len(dialled) >= needed:
        return dialled[needed - 1].astype(object) + follow_up, "its dials are made and have to mature"
    end = _last_follow_up(protocol, design)
    if end is not None and as_of + follow_up >= end:  # no dial that is still to come would mature sooner
        return end, "the end of the last follow-up"
    if not len(dialled):
        return as_of + follow_up, "at the earliest: nobody was dialled yet"
    days = math.ceil((needed - len(dialled)) * ((as_of - protocol.started_on).days + 1) / len(dialled))
    expected = as_of + timedelta(days=days) + follow_up
    return min(expected, end or expected), "expected at the pace of dialling so far"


def _require_as_much(reached: float, protocol: Protocol) -> None:
    if protocol.taken and reached < protocol.taken[-1].information:
        before = protocol.taken[-1]
        raise InputError(
            f"{round(reached * protocol.dials):,} matured dials are known, and "
            f"{round(before.information * protocol.dials):,} were at look {before.number} of {before.as_of}",
            file="Dials.csv",
            remedy="land a Dials.csv that has every dial since the test began: what a look has spent stays spent (R26)",
        )


def _needed(protocol: Protocol, number: int, design: DesignSettings) -> int:
    return math.ceil(design.looks[number - 1] * protocol.dials)


def _last_follow_up(protocol: Protocol, design: DesignSettings) -> date | None:
    """The day on which the last dial of a closed enrolment has matured: that of the last batch, if it came later."""
    if protocol.closed_on is None:
        return None
    last = max(protocol.closed_on, protocol.last_batch_on or protocol.closed_on)
    return last + timedelta(days=design.queue_days + design.matures_after_days)
