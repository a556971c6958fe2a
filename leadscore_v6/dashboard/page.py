"""What a dashboard page is made of, as plain values.

Belongs here: the pieces of a page. Does not belong here: how one looks (templates/), which there are
(dashboard_panels/). All text is data: the template escapes it. Between backquotes stands what a person types, as in the
reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from leadscore_v6.dashboard.charts import Drawing


class State(StrEnum):
    """How something stands, best first; the words are what a person reads."""

    HEALTHY = "healthy"
    NOT_YET = "not yet"
    LOOK = "look here"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Verdict:
    """How something stands, in one sentence, and what to do about it (empty: nothing)."""

    state: State
    says: str
    do: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption. `numbers`: places of the columns that are figures, which stand to the right.

    The first cell of a row is its header.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()

    @property
    def is_wide(self) -> bool:
        """Whether it has more columns than a phone shows beside each other: there its rows are stacked."""
        return len(self.head) > _NARROW


@dataclass(frozen=True)
class Figure:
    """One figure as one looks for it first: the figure, what it is, and what it is held against or how sure it is."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Figures:
    """Figures beside each other."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Chart:
    """A picture, what it shows in a sentence or two (for who cannot see it), and its numbers as a table.

    legend: (mark, name) of each series, where there is more than one.
    """

    title: str
    says: str
    drawing: Drawing
    table: Table
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Words:
    """A paragraph. is_warning: it is set apart."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Folded:
    """Tables that are there for who asks for them, behind a line to open."""

    summary: str
    tables: tuple[Table, ...]


Block: TypeAlias = "Words | Table | Chart | Folded | Figures"


@dataclass(frozen=True)
class Panel:
    """One section: what it asks, how that stands, and what that rests on. `verdict` None: it only describes."""

    name: str
    title: str
    asks: str
    verdict: Verdict | None
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Page:
    """The whole page. `facts`: name and value of what it is about, shown under its title."""

    title: str
    facts: tuple[tuple[str, str], ...]
    is_synthetic: bool
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()

    @property
    def judged(self) -> list[tuple[Panel, Verdict]]:
        """Panels with a verdict, the worst first."""
        found = [(panel, panel.verdict) for panel in self.panels if panel.verdict is not None]
        return sorted(found, key=lambda one: list(State).index(one[1].state), reverse=True)

    @property
    def verdict(self) -> Verdict:
        """The worst of the panels' verdicts, and which panels it is about."""
        judged = self.judged
        worst = judged[0][1].state if judged else State.NOT_YET
        about = [panel.title for panel, verdict in judged if verdict.state is worst]
        return Verdict(worst, _OVERALL[worst].format(about=_joined(about)))


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


_NARROW = 4
_OVERALL = {
    State.HEALTHY: "Everything that is watched is as it should be.",
    State.NOT_YET: "Nothing is wrong with what is there; not there yet: {about}.",
    State.LOOK: "It works, and somebody should look at: {about}.",
    State.STOPPED: "A gate or an error has stopped: {about}. What was published before is served still.",
}
