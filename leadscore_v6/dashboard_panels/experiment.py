"""Does the model's order bring more MQLs than the usual one: where the test stands, and what its looks found.

Which arm is ahead is told only of a look that was taken (R26). Figures are those of the newest plan's own test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore_v6.dashboard.charts import Row, Rule, Series, intervals, trend
from leadscore_v6.dashboard.page import Block, Chart, Figure, Figures, Panel, State, Table, Verdict
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import Home, judged
from leadscore_v6.dashboard_panels.words import (
    UNKNOWN,
    between,
    count,
    day_of,
    gates_shown,
    not_yet,
    number,
    share,
    short,
    stopped,
    tick,
)
from leadscore_v6.estimate import p_shown
from leadscore_v6.gates.guard import obstacle_at
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.programme import stop_of
from leadscore_v6.gates.status import attempt_lines

_POWER, _DAILY = "ab_test_power_analysis_v6", "ab_test_daily_metrics_v6"
_FINAL, _INTERIM = "ab_test_final_analysis_v6", "ab_test_interim_analysis_v6"
_MOST_DAYS = 120


def experiment(home: Home, panel: PanelSettings) -> Panel:
    """The plan, the progress, the newest look."""
    planned = home.ledger.latest(_POWER)
    if planned is None:
        return Panel(panel.panel, panel.title, panel.asks, not_yet(panel, "No test is planned."))
    daily = _of_this_test(home, _DAILY, planned)
    look = _of_this_test(home, _FINAL, planned) or _of_this_test(home, _INTERIM, planned)
    verdict = _verdict(home, panel, planned, daily, look)
    return Panel(panel.panel, panel.title, panel.asks, verdict, tuple(_blocks(home, planned, daily, look)))


def _of_this_test(home: Home, asset: str, planned: Attempt) -> Attempt | None:
    """The newest judged attempt there that began after the plan did: an earlier test says nothing of this one."""
    latest = judged(home.ledger.latest(asset))
    if latest is None or latest.started_at is None or planned.started_at is None:
        return None
    return latest if latest.started_at >= planned.started_at else None


def _verdict(
    home: Home, panel: PanelSettings, planned: Attempt, daily: Attempt | None, look: Attempt | None
) -> Verdict:
    end = stop_of(home.ledger, planned.key)
    if end is not None:
        says = f"The test was {end}. It is not read, which is no go: no model may be promoted before the next one."
        return Verdict(State.STOPPED, says, "`leadscore experiment plan`, under another salt")
    asked = look or daily or planned
    obstacle = obstacle_at(home.ledger, asked.asset, asked.partition)
    if look is not None:
        words = f"The {'final' if look.asset == _FINAL else 'interim'} look of {look.facts['as_of']}: {_decided(look)}"
        if obstacle is not None:
            return Verdict(State.STOPPED, words, f"The model may not be promoted. {panel.remedy}")
        if look.asset == _FINAL:
            return Verdict(State.HEALTHY, words)
    if obstacle is not None:
        return stopped([obstacle], panel)
    if daily is None:
        plan = planned.facts["plan"]
        says = f"A test of model {plan['model_version']} is planned from {plan['started_on']}; no lead is in it yet."
        return Verdict(State.NOT_YET, says, "`leadscore experiment assign` begins it.")
    facts = daily.facts
    says = (
        f"The test runs: {share(facts['newest']['information'])} of the planned dials have matured as of "
        f"{facts['as_of']}. {facts['next_look']}"
    )
    is_due = daily.facts.get("due") is not None
    return Verdict(State.LOOK, says, "`leadscore experiment analyse`") if is_due else Verdict(State.HEALTHY, says)


def _decided(look: Attempt) -> str:
    decision = look.facts["decision"]
    return f"{str(decision['verdict']).upper()}: {'; '.join(decision['reasons'])}."


def _blocks(home: Home, planned: Attempt, daily: Attempt | None, look: Attempt | None) -> list[Block]:
    blocks: list[Block] = []
    if look is not None and look.facts.get("arms"):
        blocks += [_figures(look), _arms(look)]
    if daily is not None:
        blocks.append(_progress(daily))
    newest = look or daily or planned
    if look is not None:
        rails = tuple(
            (one["says"], number(one["ratio"], 3), number(one["bound"], 3), number(one["limit"]), str(one["state"]))
            for one in look.facts["guardrails"]
        )
        head = ("treatment over control", "ratio", "one-sided 95 % bound", "limit", "state")
        blocks.append(Table("Guardrails: treatment not worse by over 10 % (R40)", head, rails, frozenset({1, 2, 3})))
    blocks.append(gates_shown(attempt_lines(home.ledger, newest), newest.asset))
    return blocks


def _figures(look: Attempt) -> Figures:
    lift, figures = look.facts["lift"], look.figures
    p_value = p_shown(figures.get("p_value"), UNKNOWN)
    return Figures(
        (
            Figure(
                _percent(lift["value"]),
                "lift in MQLs per 100 dials",
                f"95 %: {_percent(lift['low'])} to {_percent(lift['high'])}",
            ),
            Figure(p_value, "p, adjusted for the looks", "go below 0.05"),
            Figure(share(look.facts["adoption_of_treatment"]), "of treatment's dials followed the order", "adoption"),
        )
    )


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:+.0f}\u00a0%"


def _arms(look: Attempt) -> Chart:
    arms: Mapping[str, Mapping[str, Any]] = look.facts["arms"]
    rates = {name: arm["mqls_per_100_dials"] for name, arm in arms.items()}
    title = "MQLs per 100 dials, by assigned arm"
    rows = [Row(name, rate["value"], rate["low"], rate["high"]) for name, rate in sorted(rates.items(), reverse=True)]
    says = "; ".join(f"{row.name} {between(row.value, row.low, row.high)}" for row in rows) + "; 95 % intervals."
    table_rows = tuple(
        (name, count(arm["advisors"]), count(arm["dials"]), count(arm["mqls"]),
         between(*(rates[name][which] for which in ("value", "low", "high"))))
        for name, arm in sorted(arms.items(), reverse=True)
    )  # fmt: skip
    head = ("arm", "advisors", "dials", "MQLs", "MQLs per 100 dials")
    drawing = intervals(rows, lambda value: f"{value:.3g}")
    return Chart(title, says, drawing, Table(title, head, table_rows, frozenset({1, 2, 3, 4})))


def _progress(daily: Attempt) -> Chart:
    """Matured dials of those planned; every so manieth day where there are many."""
    days, curve = daily.facts["days"], daily.facts["curves"]["information"]
    every = -(-len(days) // _MOST_DAYS)
    shown = list(zip(days, curve, strict=True))[:: -every or 1][::-1]
    newest = daily.facts["newest"]
    title = "Matured dials of those planned"
    says = (
        f"{count(newest['matured_dialled_leads'])} of {count(daily.facts['planned_dials'])} planned dials have "
        f"matured, {share(newest['information'])}."
    )
    names = [short(day_of(day.replace("-", ""))) for day, _ in shown]
    rows = tuple((day, share(value)) for day, value in shown)
    drawing = trend(names, [Series("s1", [value for _, value in shown])], tick, Rule(1.0, "planned"))
    return Chart(title, says, drawing, Table(title, ("day", "matured"), rows, frozenset({1})))
