"""Which leads performance is judged on as of a day, and which are too young: the clock of each starts with its dial.

Belongs here: days of contact, of the first dial and of the call in; cohorts and labels out. Does not belong here: what
a cohort says of the model (`performance.py`).

A lead that nobody called cannot convert and says nothing of the model (R50). As in step 3.1 the contact says what is
known of its dial. Of a lead contacted since the log began, the clock starts with the first dial, and without any it is
left out. Long before the log begins, and where there is none, one dial on the day of contact is assumed, and `basis`
says so beside every figure. Of a lead whose contact is so near before the beginning of the log that its first dial may
lie on either side, nobody knows: it is left out too, whatever the log has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]

DIALLED: Final = "dialled leads"
ASSUMED: Final = "leads, assuming one dial per lead"


@dataclass(frozen=True)
class Worked:
    """k leads: days (k,) of contact, of the first logged dial since then, and of the call; NaT where there was none.

    log_begins is the first day of the dialler's log; None where there is none.
    """

    contact: Days
    first_dial: Days
    called_on: Days
    log_begins: date | None

    @property
    def is_logged(self) -> NDArray[np.bool_]:
        """(k,) whether the lead was contacted since the log began; of none without a log."""
        if self.log_begins is None:
            return np.zeros(len(self.contact), dtype=bool)
        return self.contact >= np.datetime64(self.log_begins, "D")

    @property
    def logged(self) -> Days:
        """(k,) first dials of leads contacted since the log began: what it has of others need not be their first."""
        return np.where(self.is_logged, self.first_dial, np.datetime64("NaT", "D"))


@dataclass(frozen=True)
class Window:
    """`as_of` nothing later is known; the cohort has `days` days, the last of which has just matured."""

    as_of: date
    days: int
    label_window_days: int
    matures_after_days: int

    @property
    def mature_by(self) -> date:
        """The last day whose leads have matured."""
        day: date = (np.datetime64(self.as_of, "D") - self.matures_after_days).astype(object)
        return day

    @property
    def first_day(self) -> date:
        """The first day of the cohort."""
        day: date = (np.datetime64(self.mature_by, "D") - (self.days - 1)).astype(object)
        return day


@dataclass(frozen=True)
class Cohorts:
    """Rows of the matured leads with their labels, and of the young; both in the order given.

    start: (k,) the day on which each lead's clock starts, NaT if nobody is known to have dialled it. first, last: days
    of the matured cohort, None if it is empty. assumed: matured leads whose dial is assumed. Rows that no clock was
    started for, of whatever days (`left_out` counts them): not_dialled of leads contacted since the log began,
    dial_unknown of those so near before it that nobody knows. Whose call came before the dial is in neither (R10).
    """

    matured: NDArray[np.intp]
    label: NDArray[np.int8]
    young: NDArray[np.intp]
    start: Days
    basis: str
    first: date | None
    last: date | None
    assumed: int
    not_dialled: NDArray[np.intp]
    dial_unknown: NDArray[np.intp]


@dataclass(frozen=True)
class LeftOut:
    """Leads that no clock was started for, by the days of their contact.

    not_dialled, dial_unknown: contacted in the days asked about, see `Cohorts`. not_dialled_yet: contacted after them.
    """

    not_dialled: int
    dial_unknown: int
    not_dialled_yet: int


def left_out(leads: Worked, found: Cohorts, first: date, last: date) -> LeftOut:
    """Of `leads`, as they were sorted into `found`, those contacted from `first` to `last`, and the younger ones."""
    begins, ends = (np.datetime64(day, "D") for day in (first, last))
    contact, unknown = leads.contact[found.not_dialled], leads.contact[found.dial_unknown]
    return LeftOut(
        not_dialled=int(((contact >= begins) & (contact <= ends)).sum()),
        dial_unknown=int(((unknown >= begins) & (unknown <= ends)).sum()),
        not_dialled_yet=int((contact > ends).sum()),
    )


def cohorts(leads: Worked, window: Window) -> Cohorts:
    """Sort the leads into matured (with labels), young, and left out."""
    known_from = _known_from(leads, window)
    is_assumed = np.ones(len(leads.contact), dtype=bool)
    if known_from is not None:
        is_assumed &= leads.contact < np.datetime64(known_from, "D")
    is_logged = leads.is_logged
    start = np.where(is_assumed, leads.contact, leads.logged)
    gap = (leads.called_on - start).astype("timedelta64[D]")
    has_call, is_dialled = ~np.isnat(leads.called_on), ~np.isnat(start)
    is_early = is_dialled & has_call & (gap < np.timedelta64(0, "D"))
    counts = is_dialled & ~is_early
    first, last = np.datetime64(window.first_day, "D"), np.datetime64(window.mature_by, "D")
    matured = np.flatnonzero(counts & (start >= first) & (start <= last))
    young = np.flatnonzero(counts & (start > last))
    label = has_call & (gap <= np.timedelta64(window.label_window_days, "D"))
    days = start[matured]
    return Cohorts(
        matured=matured,
        label=label[matured].astype(np.int8),
        young=young,
        start=start,
        basis=_basis(known_from, int(is_assumed[matured].sum()), len(matured)),
        first=days.min().astype(object) if len(days) else None,
        last=days.max().astype(object) if len(days) else None,
        assumed=int(is_assumed[matured].sum()),
        not_dialled=np.flatnonzero(~is_dialled & is_logged),
        dial_unknown=np.flatnonzero(~is_dialled & ~is_logged),
    )


def _known_from(leads: Worked, window: Window) -> date | None:
    """Of leads contacted before that day one dial is assumed: no lead waits longer for its first."""
    if leads.log_begins is None:
        return None
    day: date = (np.datetime64(leads.log_begins, "D") - window.label_window_days).astype(object)
    return day


def _basis(known_from: date | None, assumed: int, leads: int) -> str:
    if known_from is None or (assumed == leads and leads):
        return ASSUMED
    return DIALLED if not assumed else f"{DIALLED}; assuming one dial per lead contacted before {known_from}"
