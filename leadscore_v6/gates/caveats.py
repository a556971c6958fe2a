"""What belongs on every page that shows the scores of a model: waivers, its age, what was taken back since (R31, R32).

Belongs here: these lines, from the ledger. Does not belong here: the pages (reports/), whether a model may serve at all
(`champions.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from leadscore_v6.gates.champions import Reign, reigns, taken_away
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.lineage import made_from
from leadscore_v6.gates.models import KnownModel
from leadscore_v6.monitoring.champion import champion_age
from leadscore_v6.monitoring.settings import monitoring_settings


def caveats(ledger: Ledger, reign: Reign, on: date) -> list[str]:
    """A line each, for people. `on`: the day that the page is about, by which the model's age is reckoned."""
    taken = taken_away(ledger, reign.model)
    gone = [f"What the model {reign.version} learned from was taken back: {one}" for one in taken]
    return [*filter(None, [too_old(reign, on)]), *gone, *_waivers(ledger, reign.model)]


def too_old(reign: Reign, on: date) -> str | None:
    """The warning about a champion that is older than two quarters on that day, else None (R31)."""
    made = date.fromisoformat(reign.model.trained.facts["as_of"])
    return champion_age(reign.version, made, on, monitoring_settings().champion)


def reign_of(ledger: Ledger, version: str) -> Reign | None:
    """The newest reign of a model, whether it lasts or not."""
    return next((reign for reign in reversed(reigns(ledger)) if reign.version == version), None)


def _waivers(ledger: Ledger, model: KnownModel) -> Iterator[str]:
    """Of the model's own attempts and all behind them, in force or not: its scores rest on them for good (R32)."""
    for attempt in (model.furthest, *made_from(ledger, model.furthest)):
        for gate, waiver in attempt.waivers.items():
            who = f"by {waiver['by']} until {waiver['expires']}: {waiver['reason']}"
            yield f"Waived on the way to the model {model.version}: {_place(attempt)}: `{gate}` {who}"


def _place(attempt: Attempt) -> str:
    return attempt.asset if attempt.partition is None else f"{attempt.asset} {attempt.partition}"
