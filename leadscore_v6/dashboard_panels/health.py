"""Scoring health: was every open lead scored, fast, without errors, with the features that matter (R25, R40)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore_v6.dashboard.charts import Drawing, Rule, Series, trend
from leadscore_v6.dashboard.page import Block, Chart, Figure, Figures, Panel, State, Table, Verdict
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import SCORES, Home, judged
from leadscore_v6.dashboard_panels.words import (
    count,
    day_of,
    gates_shown,
    not_yet,
    number,
    of_former,
    share,
    short,
    stale,
    stopped,
    tick,
)
from leadscore_v6.gates.guard import find_obstacles, obstacle_at
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.lineage import withdrawn_behind
from leadscore_v6.gates.registry import Condition
from leadscore_v6.gates.status import attempt_lines

Values = Mapping[str, Any]


def health(home: Home, panel: PanelSettings) -> Panel:
    """The newest scored day against its gates, and the days before it."""
    days = home.days(SCORES)
    if not days:
        return Panel(panel.panel, panel.title, panel.asks, not_yet(panel, "No day has been scored in production yet."))
    return Panel(panel.panel, panel.title, panel.asks, _verdict(home, panel, days[-1]), _blocks(home, days))


def _verdict(home: Home, panel: PanelSettings, key: str) -> Verdict:
    obstacle = obstacle_at(home.ledger, SCORES, key)
    if obstacle is not None:
        return stopped([obstacle], panel)
    attempt = home.ledger.latest(SCORES, key)
    assert attempt is not None, "it has no obstacle"
    before = find_obstacles(home.ledger, SCORES, key)
    if before:
        says = f"The scores of {day_of(key)} hold, and a step before them does not any more: {before[0]}"
        return Verdict(State.LOOK, says.partition("\n")[0], panel.remedy)
    gone = withdrawn_behind(home.ledger, attempt)
    if gone:
        names = ", ".join(dict.fromkeys(taken.file_name for taken in gone))
        says = f"The scores of {day_of(key)} were made from what was withdrawn since: {names}."
        return Verdict(State.LOOK, says, f"`{panel.made_by}`")
    former = of_former(home, attempt)
    if former is not None:
        says = f"The scores of {day_of(key)} are {former}: it has not scored that day."
        return Verdict(State.LOOK, says, f"`{panel.made_by}`")
    words = {line.gate: line.verdict for line in attempt_lines(home.ledger, attempt)}
    odd = [gate for gate, word in words.items() if word in ("warn", "waived")]
    old = stale(home, SCORES, day_of(key))
    if old is not None:
        return Verdict(State.LOOK, f"Leads are not scored any more: {old}.", f"`{panel.made_by}`")
    if odd:
        says = f"{_said(attempt, key)} Warned or waived: {', '.join(odd)}."
        return Verdict(State.LOOK, says, panel.remedy)
    return Verdict(State.HEALTHY, _said(attempt, key))


def _said(attempt: Attempt, key: str) -> str:
    figures = attempt.figures
    return (
        f"Of {count(figures.get('open_leads'))} open leads on {day_of(key)}, "
        f"{share(figures.get('success_rate_leads'))} of those with a CRD were scored, "
        f"{share(figures.get('error_rate_leads'))} failed; a lead takes "
        f"{number(figures.get('latency_mean_ms'), 1)} ms."
    )


def _blocks(home: Home, days: list[str]) -> tuple[Block, ...]:
    known = [(key, attempt.figures) for key in days if (attempt := judged(home.ledger.latest(SCORES, key)))]
    newest = home.ledger.latest(SCORES, days[-1])
    lines = list(attempt_lines(home.ledger, newest)) if newest else []
    must = home.ledger.gates["production_success_rate"].literal
    charts = (_success(known, must), _latency(known)) if len(known) > 1 else ()
    figures = (_figures(home, known[-1][1]),) if known and known[-1][0] == days[-1] else ()
    return (*figures, *charts, gates_shown(lines, f"the scores of {day_of(days[-1])}"))


def _figures(home: Home, figures: Values) -> Figures:
    """What the plan asks of a day, each beside what it must be."""
    gates = home.ledger.gates
    success, errors = gates["production_success_rate"].literal, gates["production_error_rate"].literal
    latency = gates["production_latency"].literal
    missing = figures.get("features_unavailable")
    return Figures(
        (
            Figure(share(figures.get("success_rate_leads")), "of leads with a CRD scored", _must(success)),
            Figure(share(figures.get("error_rate_leads")), "failed", _must(errors)),
            Figure(f"{number(figures.get('latency_mean_ms'), 1)} ms", "a lead, on average", f"must be {latency} ms"),
            Figure(count(missing), "top features missing beyond chance", "must be 0"),
        )
    )


def _must(condition: Condition) -> str:
    """`must be > 99 %`, of a condition on a share."""
    return f"must be {condition.op} {tick(condition.value)}"


def _success(known: Sequence[tuple[str, Values]], must: Condition) -> Chart:
    values = [figures.get("success_rate_leads") for _, figures in known]
    floor = min([must.value, *(value for value in values if value is not None)]) - _ROOM
    rule = Rule(must.value, _must(must))
    drawing = trend(_names(known), [Series("s1", values)], tick, rule, floor)
    return _chart("Leads with a CRD that were scored", known, [share(value) for value in values], drawing)


def _latency(known: Sequence[tuple[str, Values]]) -> Chart:
    values = [figures.get("latency_mean_ms") for _, figures in known]
    drawing = trend(_names(known), [Series("s1", values)], lambda value: f"{value:g}")
    return _chart("Milliseconds a lead, on average", known, [number(value) for value in values], drawing)


def _names(known: Sequence[tuple[str, Values]]) -> list[str]:
    return [short(day_of(key)) for key, _ in known]


def _chart(title: str, known: Sequence[tuple[str, Values]], shown: list[str], drawing: Drawing) -> Chart:
    rows = tuple((str(day_of(key)), value) for (key, _), value in zip(known, shown, strict=True))
    says = f"{len(known)} days; on the newest, {rows[-1][0]}, it is {shown[-1]}."
    return Chart(title, says, drawing, Table(title, ("day", title), rows, frozenset({1})))


# What an axis that does not begin at 0 shows below its least value.
_ROOM = 0.01
