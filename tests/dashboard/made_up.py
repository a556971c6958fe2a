"""A page with one of every block, made up; the same with every text hostile."""

from __future__ import annotations

from collections.abc import Callable

from leadscore_v6.dashboard.charts import Drawing, Row, Rule, Series, columns, intervals, reliability, trend
from leadscore_v6.dashboard.page import (
    Block,
    Chart,
    Figure,
    Figures,
    Folded,
    Page,
    Panel,
    State,
    Table,
    Verdict,
    Words,
)

Said = Callable[[str], str]


def page(said: Said = str) -> Page:
    """Every kind of block and of state; each text goes through `said`."""
    narrow = Table(said("A narrow table"), (said("bin"), said("share")), ((said("low"), said("1 %")),), frozenset({1}))
    wide = Table(
        said("A wide table"),
        tuple(said(name) for name in ("gate", "step", "figure", "must be", "verdict")),
        (tuple(said(cell) for cell in ("`leads_enough`", "1.1", "leads 10", ">= 10", "pass")),),
        frozenset({2}),
    )
    blocks: tuple[Block, ...] = (
        Words(said("A paragraph.")),
        Words(said("A warning."), is_warning=True),
        Figures((Figure(said("99 %"), said("scored"), said("must be > 99 %")), Figure(said("4"), said("alone")))),
        *(
            Chart(said(title), said(f"{title} in words."), drawing, narrow, (("s1", said("one")), ("s2", said("two"))))
            for title, drawing in drawings(said).items()
        ),
        narrow,
        wide,
        Folded(said("More tables"), (narrow, wide)),
    )
    panels = tuple(
        Panel(f"panel-{place}", said(f"Panel {place}"), said("How is it?"), verdict, blocks)
        for place, verdict in enumerate(
            [*(Verdict(state, said("It is so."), said("Do `this`.")) for state in State), None]
        )
    )
    facts = ((said("As of"), said("2026-03-02")), (said("Model"), said("20261125")))
    return Page(said("A page"), facts, is_synthetic=True, panels=panels, notes=(said("A note."),))


def drawings(said: Said = str) -> dict[str, Drawing]:
    """One of each kind."""
    names = [said(name) for name in ("3 Jan", "4 Jan", "5 Jan")]
    both = [Series("s1", [0.1, 0.2, 0.3]), Series("s2", [0.2, None, 0.1])]
    return {
        "Columns": columns(names, [[0.1, 0.3, 0.2], [0.2, 0.0, 0.1]], _percent, said("across")),
        "Trend": trend(names, both, _percent, Rule(0.25, said("limit"))),
        "Intervals": intervals([Row(said("one"), 1.0, 0.5, 1.5), Row(said("two"), 2.0, is_flagged=True)], _percent),
        "Reliability": reliability([(0.001, 0.0), (0.02, 0.03), (0.2, 0.25)], _percent),
    }


def _percent(value: float) -> str:
    return f"{100 * value:g} %"
