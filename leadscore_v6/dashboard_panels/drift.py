"""Does the model still see the kind of leads that it learned from: PSI of each feature and of the score (R30)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore_v6.dashboard.charts import Row, Rule, Series, intervals, trend
from leadscore_v6.dashboard.page import Block, Chart, Folded, Panel, State, Table, Verdict, Words
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import Home, judged
from leadscore_v6.dashboard_panels.words import (
    UNKNOWN,
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
)
from leadscore_v6.estimate import p_shown
from leadscore_v6.gates.guard import obstacle_at
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.status import attempt_lines

DRIFT, WITHIN = "feature_drift_v6", "drift_within_bounds"
Feature = Mapping[str, Any]


def drift(home: Home, panel: PanelSettings) -> Panel:
    """The newest judged month: the features that moved most, and where; and the months before it."""
    days = home.days(DRIFT)
    known = [(key, one) for key in days if (one := judged(home.ledger.latest(DRIFT, key)))]
    if not days:
        verdict = not_yet(panel, "Drift of the features and the score has not been judged yet.")
        return Panel(panel.panel, panel.title, panel.asks, verdict)
    return Panel(panel.panel, panel.title, panel.asks, _verdict(home, panel, days[-1]), _blocks(home, known))


def _verdict(home: Home, panel: PanelSettings, key: str) -> Verdict:
    obstacle = obstacle_at(home.ledger, DRIFT, key)
    if obstacle is not None:
        return stopped([obstacle], panel)
    attempt = home.ledger.latest(DRIFT, key)
    assert attempt is not None, "it has no obstacle"
    former = of_former(home, attempt)
    if former is not None:
        return Verdict(State.LOOK, f"Drift as of {day_of(key)} was judged {former}.", f"`{panel.made_by}`")
    old = stale(home, DRIFT, day_of(key))
    drifted = list(attempt.facts.get("drifted") or [])
    if drifted:
        return Verdict(State.LOOK, f"{_said(attempt)} Beyond chance: {', '.join(map(str, drifted))}.", panel.remedy)
    if old is not None:
        return Verdict(State.LOOK, f"Drift is not judged any more: {old}.", f"`{panel.made_by}`")
    if attempt.figures.get("max_psi") is None:
        few = f"{count(attempt.figures.get('drift_leads'))} leads are too few to judge drift by."
        return Verdict(State.NOT_YET, few, "Nothing: more leads must come first.")
    return Verdict(State.HEALTHY, _said(attempt))


def _said(attempt: Attempt) -> str:
    figures = attempt.figures
    return (
        f"Over {count(figures.get('drift_leads'))} leads the largest PSI is {number(figures.get('max_psi'))}; "
        f"{count(figures.get('features_drifted'))} features have drifted, the score's PSI is "
        f"{number(figures.get('score_psi'))}."
    )


def _blocks(home: Home, known: Sequence[tuple[str, Attempt]]) -> tuple[Block, ...]:
    if not known:
        return ()
    key, newest = known[-1]
    largest = [row for row in newest.facts.get("largest") or [] if row.get("psi") is not None]
    blocks: list[Block] = []
    if largest:
        blocks.append(_features(home, largest[: home.settings.features_shown], key))
    blocks += _months(known)
    shifts = newest.facts.get("shifts") or {}
    if shifts:
        tables = tuple(_shift(str(feature), bins) for feature, bins in shifts.items())
        blocks.append(Folded("Where they moved: shares of each bin in training and now", tables))
    blocks.append(gates_shown(attempt_lines(home.ledger, newest), f"the drift as of {day_of(key)}"))
    return tuple(blocks) if largest else (Words("There are too few leads to judge drift by."), *blocks)


def _features(home: Home, rows: Sequence[Feature], key: str) -> Chart:
    limit = float(home.ledger.gates[WITHIN].literal.value)
    title = f"Features that moved most, as of {day_of(key)}"
    says = (
        f"Population stability index of {len(rows)} features, the largest first: {rows[0]['feature']} with "
        f"{number(rows[0]['psi'])}. Above {limit:g} and beyond chance is an alert, drawn as a diamond."
    )
    drawing = intervals(
        [Row(str(row["feature"]), row["psi"], is_flagged=bool(row["alerts"])) for row in rows],
        lambda value: f"{value:.2g}",
        Rule(limit, f"{limit:g}"),
    )
    table_rows = tuple(
        (
            str(row["feature"]),
            number(row["psi"], 3),
            number(row.get("null_quantile"), 3),
            p_shown(row.get("adjusted_p"), UNKNOWN),
            "alert" if row["alerts"] else "",
        )
        for row in rows
    )
    head = ("feature", "PSI", "chance alone", "p (Holm)", "verdict")
    return Chart(title, says, drawing, Table(title, head, table_rows, frozenset({1, 2, 3})))


def _months(known: Sequence[tuple[str, Attempt]]) -> list[Block]:
    if len(known) < 2:
        return []
    title = "Largest PSI, month by month"
    largest = [one.figures.get("max_psi") for _, one in known]
    score = [one.figures.get("score_psi") for _, one in known]
    rows = tuple(
        (str(day_of(key)), count(one.figures.get("drift_leads")), number(top, 3), number(own, 3),
         count(one.figures.get("features_drifted")))
        for (key, one), top, own in zip(known, largest, score, strict=True)
    )  # fmt: skip
    says = f"{len(known)} months; the newest has {number(largest[-1], 3)}, and of the score {number(score[-1], 3)}."
    drawing = trend(
        [short(day_of(key)) for key, _ in known],
        [Series("s1", largest), Series("s2", score)],
        lambda value: f"{value:.2g}",
    )
    head = ("as of", "leads", "largest PSI", "PSI of the score", "features drifted")
    table = Table(title, head, rows, frozenset({1, 2, 3, 4}))
    return [Chart(title, says, drawing, table, (("s1", "largest of a feature"), ("s2", "the score")))]


def _shift(feature: str, bins: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple((str(one["bin"]), share(one["training"]), share(one["now"]), number(one["psi"], 3)) for one in bins)
    return Table(feature, ("bin", "training", "now", "adds to PSI"), rows, frozenset({1, 2, 3}))
