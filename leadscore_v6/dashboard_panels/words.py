"""Figures and gates in the dashboard's words: shares, numbers, days, a table of gates.

Belongs here: what several panels say alike. Does not belong here: what only one of them says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from leadscore_v6.dashboard.page import Block, Folded, State, Table, Verdict
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import Home
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.guard import Obstacle
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.reports.status import StatusLine

UNKNOWN = "not measured"


def share(value: float | None) -> str:
    """0.0712 as `7.12 %`; with as many digits as it takes to tell a small one from 0."""
    if value is None:
        return UNKNOWN
    percent = 100 * value
    digits = 0 if percent in (0, 100) else 1 if abs(percent) >= 10 else 2
    return f"{percent:.{digits}f}\u00a0%"


def tick(value: float) -> str:
    """A share on an axis: no digit more than it needs."""
    return f"{100 * value:.4g}\u00a0%"


def number(value: float | None, digits: int = 2) -> str:
    """A figure with its thousands apart."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def count(value: float | None) -> str:
    """A whole number with its thousands apart."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def between(value: float | None, low: float | None, high: float | None, digits: int = 2) -> str:
    """`0.96 (0.91 to 1.04)`: a figure with its 95 % interval, where there is one."""
    if value is None or low is None or high is None:
        return number(value, digits)
    return f"{value:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def day_of(key: str) -> date:
    """The day of a partition key `YYYYMMDD`."""
    return date(int(key[:4]), int(key[4:6]), int(key[6:8]))


def short(day: date) -> str:
    """A day under a chart."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def not_yet(panel: PanelSettings, what: str) -> Verdict:
    """There is nothing to show; which command makes it."""
    return Verdict(State.NOT_YET, what, f"`{panel.made_by}` makes it.")


def stopped(obstacles: Iterable[Obstacle], panel: PanelSettings) -> Verdict:
    """What a gate or an error has stopped, in the guard's words.

    What a step could not read, and nobody has delivered, a model's file say, no other file mends: what the error itself
    says is to be done then.
    """
    found = list(obstacles)
    refused = [one.attempt for one in found if one.attempt is not None and one.attempt.state == "refused"]
    own = [str(one.refusal).partition("what to do: ")[2] for one in refused if "file_name" not in one.facts]
    do = " ".join(dict.fromkeys(filter(None, own)))
    return Verdict(State.STOPPED, "; ".join(_first_line(str(one)) for one in found), do or panel.remedy)


def stale(home: Home, asset: str, day: date) -> str | None:
    """How old an asset's figures of `day` are, if older than they may be."""
    age = (home.as_of - day).days
    late = age > home.watched.late_after_days(asset)
    return f"the newest is of {day}, {age} days before {home.as_of}" if late else None


def of_former(home: Home, attempt: Attempt) -> str | None:
    """Of which model an attempt is, if another one serves now: its verdict says nothing of that one."""
    reign = champion(home.ledger)
    if reign is None or attempt.facts["model_version"] == reign.version:
        return None
    return f"of model {attempt.facts['model_version']}, and {reign.version} serves since {reign.since:%Y-%m-%d}"


def gate_table(lines: Iterable[StatusLine], caption: str, *, places: bool = False) -> Table:
    """Gates with figure, threshold and verdict; `places`: and of which step and partition."""
    rows = []
    for line in lines:
        place = (f"{line.step} {line.asset}" + (f" {line.partition}" if line.partition else ""),) if places else ()
        said = (line.figure, line.threshold, line.mark)
        rows.append((f"`{line.gate}`" if line.gate != "-" else "refused", *place, *said))
    head = ("gate", *(("step",) if places else ()), "figure", "must be", "verdict")
    return Table(caption, head, tuple(rows))


def gates_shown(lines: Iterable[StatusLine], about: str) -> Block:
    """The gates of one attempt: behind a line to open where all hold, in sight where one does not."""
    known = list(lines)
    table = gate_table(known, f"Gates of {about}")
    if all(line.verdict in ("pass", "not applicable") for line in known):
        return Folded(f"{len(known)} gates of {about}: all hold", (table,))
    return table


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
