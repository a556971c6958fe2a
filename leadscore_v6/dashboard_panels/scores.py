"""The scores of the newest day: who was scored, how the scores are spread, how they moved (R51)."""

from __future__ import annotations

from datetime import date
from typing import Any

from leadscore_v6.dashboard.charts import Series, columns, trend
from leadscore_v6.dashboard.page import Block, Chart, Figure, Figures, Panel, Table, Words
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import SCORES, Home
from leadscore_v6.dashboard_panels.words import count, day_of, share, short, tick
from leadscore_v6.gates.extract import days_reached
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.lineage import withdrawn_behind
from leadscore_v6.warehouse.protocol import Warehouse
from leadscore_v6.warehouse.sql import render

# Upper ends of the steps in distribution.sql.
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_KINDS = ("lead", "prospect")


def scores(home: Home, panel: PanelSettings) -> Panel:
    """It describes; whether the scores hold is told by the panel of health."""
    published = _published(home)
    if not published:
        blocks: tuple[Block, ...] = (
            Words(f"There are no scores of production yet: `{panel.made_by}` makes them, once a model is champion."),
        )
        return Panel(panel.panel, panel.title, panel.asks, None, blocks)
    key, newest = published[-1]
    day = day_of(key)
    if not newest.facts["deciles"]:
        said = f"On {day} nobody was scored: each lead and prospect was skipped, or failed."
        return Panel(panel.panel, panel.title, panel.asks, None, (Words(said, is_warning=True), _kinds(newest, day)))
    return Panel(
        panel.panel,
        panel.title,
        panel.asks,
        None,
        (
            Words(_said(newest, day)),
            _figures(newest),
            *_spread(home.warehouse, day),
            _deciles(newest, day),
            *_level(published),
            _kinds(newest, day),
            *_trends(newest, day),
        ),
    )


def _published(home: Home) -> list[tuple[str, Attempt]]:
    """Days whose rows are in the table, oldest first, and the attempt that they are of: not a later one that failed.

    None after the extract, and none that was made from what was taken back since.
    """
    reached, ledger = set(days_reached(home.ledger, SCORES)), home.ledger
    served = (one for one in ledger.published().values() if one.asset == SCORES and one.partition in reached)
    days = {str(one.partition): one for one in served if not withdrawn_behind(ledger, one)}
    return sorted(days.items())[-home.settings.days_shown :]


def _said(attempt: Attempt, day: date) -> str:
    return (
        f"On {day} model {attempt.facts['model_version']} scored open leads and prospects. Expected is the mean "
        "calibrated probability of a call within 30 days of contact. The model learned from contacted leads only: of "
        "prospects it says what it would say of a lead like them (R51)."
    )


def _figures(attempt: Attempt) -> Figures:
    by_kind: dict[str, dict[str, int]] = attempt.facts["by_kind"]
    deciles = attempt.facts["deciles"]
    return Figures(
        (
            Figure(count(by_kind.get("lead", {}).get("scored", 0)), "open leads scored"),
            Figure(count(by_kind.get("prospect", {}).get("scored", 0)), "prospects scored"),
            Figure(share(deciles[-1][3]), "expected of the best tenth"),
            Figure(share(_mean(deciles)), "expected of everybody"),
        )
    )


def _mean(deciles: list[list[float]]) -> float:
    rows = sum(row[1] for row in deciles)
    return float(sum(row[1] * row[3] for row in deciles) / rows)


def _spread(warehouse: Warehouse | None, day: date) -> tuple[Block, ...]:
    """The distribution needs the table; while a run holds it, the page says so."""
    if warehouse is None:
        words = "A run holds the warehouse: how the scores are spread cannot be read while it does."
        return (Words(words, is_warning=True),)
    table = f"{warehouse.dataset}.{SCORES}"
    if not warehouse.exists(table):
        return (Words(f"The table {SCORES} is gone: how the scores are spread cannot be read.", is_warning=True),)
    found = warehouse.query(render(f"{SCORES}/distribution.sql", {"production": table}), {"day": day})
    rows = {(row["kind"], row["step"]): row["scored"] for row in found}
    totals = {kind: sum(rows.get((kind, step), 0) for step in range(len(_STEPS))) for kind in _KINDS}
    series = [[rows.get((kind, step), 0) / (totals[kind] or 1) for step in range(len(_STEPS))] for kind in _KINDS]
    names = [f"{100 * step:g}" for step in _STEPS]
    title = "How the scores are spread"
    says = (
        f"Share of {totals['lead']:,} leads and of {totals['prospect']:,} prospects by probability, in ten steps up to "
        "the percentage below each; the steps widen to the right."
    )
    table_rows = tuple(
        (f"up to {name} %", *(f"{rows.get((kind, step), 0):,}" for kind in _KINDS)) for step, name in enumerate(names)
    )
    drawing = columns(names, series, tick, "probability, % up to")
    numbers = Table(says, ("probability", "leads", "prospects"), table_rows, frozenset({1, 2}))
    return (Chart(title, says, drawing, numbers, (("s1", "leads"), ("s2", "prospects"))),)


def _deciles(attempt: Attempt, day: date) -> Chart:
    deciles = attempt.facts["deciles"]
    title = "Expected conversion by decile"
    says = (
        f"The mean calibrated probability of each tenth of the scores of {day}, 10 best: from {share(deciles[0][3])} "
        f"to {share(deciles[-1][3])}."
    )
    rows = tuple((str(place), count(rows), count(leads), share(mean)) for place, rows, leads, mean in reversed(deciles))
    drawing = columns([str(row[0]) for row in deciles], [[row[3] for row in deciles]], tick, "decile")
    head = ("decile", "rows", "leads among them", "expected")
    return Chart(title, says, drawing, Table(title, head, rows, frozenset({1, 2, 3})))


def _level(published: list[tuple[str, Attempt]]) -> tuple[Block, ...]:
    """Days on which somebody was scored."""
    published = [(key, one) for key, one in published if one.facts["deciles"]]
    if len(published) < 2:
        return ()
    names = [short(day_of(key)) for key, _ in published]
    best = [float(one.facts["deciles"][-1][3]) for _, one in published]
    mean = [_mean(one.facts["deciles"]) for _, one in published]
    title = "Expected conversion over the days"
    says = (
        f"Of the best tenth {share(best[0])} at first and {share(best[-1])} now; of everybody {share(mean[0])}, now "
        f"{share(mean[-1])}."
    )
    rows = tuple(
        (str(day_of(key)), str(one.facts["model_version"]), share(top), share(all_))
        for (key, one), top, all_ in zip(published, best, mean, strict=True)
    )
    drawing = trend(names, [Series("s1", best), Series("s2", mean)], tick)
    numbers = Table(title, ("day", "model", "best tenth", "everybody"), rows, frozenset({2, 3}))
    return (Chart(title, says, drawing, numbers, (("s1", "best tenth"), ("s2", "everybody"))),)


def _kinds(attempt: Attempt, day: date) -> Table:
    words = ("scored", "skipped", "failed")
    by_kind: dict[str, dict[str, int]] = attempt.facts["by_kind"]
    rows = tuple(
        (f"{kind}s", *(count(found.get(word, 0)) for word in words)) for kind, found in sorted(by_kind.items())
    )
    return Table(f"Who was scored on {day}", ("who", *words), rows, frozenset({1, 2, 3}))


def _trends(attempt: Attempt, day: date) -> tuple[Block, ...]:
    found: dict[str, Any] = attempt.facts["trends"]
    rows = tuple((word, count(found[word])) for word in ("up", "same", "down", "new") if word in found)
    then = attempt.facts.get("trend_against")
    against = f"against the scores of {then}, before the newest snapshot" if then else "no score to compare with"
    return (Table(f"Trend on {day}, {against}", ("trend", "rows"), rows, frozenset({1})),) if rows else ()
