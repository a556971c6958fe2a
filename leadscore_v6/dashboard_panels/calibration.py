"""Do as many leads convert as their scores promise: on matured leads, month by month and week by week (R29, R50).

Until the first month is judged the page shows what the holdout said when the champion was calibrated, and says that it
is that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore_v6.dashboard.charts import Row, Rule, Series, intervals, reliability, trend
from leadscore_v6.dashboard.page import Block, Chart, Figure, Figures, Panel, State, Table, Verdict, Words
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
    of_former,
    share,
    short,
    stale,
    stopped,
    tick,
)
from leadscore_v6.estimate import p_shown
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.guard import obstacle_at
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.status import attempt_lines
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.reports.sections import headlines, topic

PERFORMANCE, BALANCE = "model_performance_v6", "class_balance_v6"
_RATIO = "expected / observed"


def calibration(home: Home, panel: PanelSettings) -> Panel:
    """The newest judged month, the months before it, and the matured weeks."""
    days = home.days(PERFORMANCE)
    balance = judged(home.ledger.latest(BALANCE))
    pictures, tables = _months(home, days)
    blocks = (*pictures, *_weeks(balance), *tables)
    return Panel(panel.panel, panel.title, panel.asks, _verdict(home, panel, days, balance), blocks)


# --- verdict --------------------------------------------------------------------------------------------------------


def _verdict(home: Home, panel: PanelSettings, days: list[str], balance: Attempt | None) -> Verdict:
    places: list[tuple[str, str | None]] = [(PERFORMANCE, days[-1])] if days else []
    places += [(BALANCE, None)] if home.ledger.latest(BALANCE) else []
    obstacles = [found for place in places if (found := obstacle_at(home.ledger, *place))]
    if obstacles:
        return stopped(obstacles, panel)
    # What is of a former model, or old, is judged anew; only what was found of the one that serves is asked about.
    anew, odd = [*_of_former(home, days, balance), *_late(home, days, balance)], _odd(home, days, balance)
    if anew or odd:
        do = [*(["`leadscore monitor`"] if anew else []), *([panel.remedy] if odd else [])]
        return Verdict(State.LOOK, f"{'; '.join([*anew, *odd])}.", ". ".join(do))
    if not days:
        week = f" {_week_said(home, balance)}." if balance is not None and balance.facts["weeks"] else ""
        return not_yet(panel, f"What became of scored leads has not been judged yet.{week}")
    newest = home.ledger.latest(PERFORMANCE, days[-1])
    assert newest is not None, "it has no obstacle"
    if newest.figures.get("expected_observed_low") is None:
        return Verdict(State.NOT_YET, f"{_report_says(newest)}.", "Nothing: more leads must mature first.")
    return Verdict(State.HEALTHY, _said(newest))


def _of_former(home: Home, days: list[str], balance: Attempt | None) -> list[str]:
    """Which of the two looks are about a model that does not serve any more."""
    newest = home.ledger.latest(PERFORMANCE, days[-1]) if days else None
    looks = (("Performance", newest), ("Class balance", balance))
    said = ((name, of_former(home, one)) for name, one in looks if one is not None)
    return [f"{name} was judged {former}" for name, former in said if former is not None]


def _odd(home: Home, days: list[str], balance: Attempt | None) -> list[str]:
    """What warns of the model that serves."""
    found = []
    newest = home.ledger.latest(PERFORMANCE, days[-1]) if days else None
    if newest is not None and of_former(home, newest) is None:
        found += [_gate_said(home, newest, word) for word in ("warn", "waived") if _of_word(home, newest, word)]
    if balance is not None and of_former(home, balance) is None and _of_word(home, balance, "warn"):
        found.append(_week_said(home, balance))
    return found


def _late(home: Home, days: list[str], balance: Attempt | None) -> list[str]:
    """What of the model that serves is older than it may be."""
    newest = home.ledger.latest(PERFORMANCE, days[-1]) if days else None
    ages = []
    if newest is not None and of_former(home, newest) is None:
        ages.append(("Performance", stale(home, PERFORMANCE, day_of(days[-1]))))
    if balance is not None and of_former(home, balance) is None:
        ages.append(("Class balance", stale(home, BALANCE, day_of(balance.facts["as_of"].replace("-", "")))))
    return [f"{name} is not judged any more: {old}" for name, old in ages if old]


def _week_said(home: Home, balance: Attempt) -> str:
    week, usual = balance.facts["weeks"][-1], balance.facts["training_rate"]
    sure = "not beyond chance" if week["judgeable"] else f"too few leads to tell ({count(week['leads'])})"
    if _of_word(home, balance, "warn"):
        sure = "beyond chance"
    return f"In the newest matured week {share(week['rate'])} converted, in training {share(usual)}, {sure}"


def _of_word(home: Home, attempt: Attempt, word: str) -> list[str]:
    return [line.gate for line in attempt_lines(home.ledger, attempt) if line.verdict == word]


def _gate_said(home: Home, attempt: Attempt, word: str) -> str:
    gates = ", ".join(_of_word(home, attempt, word))
    verb = "warned" if word == "warn" else "waived"
    return f"{_report_says(attempt)}; {verb}: {gates}"


def _report_says(attempt: Attempt) -> str:
    """The report's own first sentence: what it found, whether that is the order, the level, or too little to tell."""
    first = headlines(topic(STEPS[PERFORMANCE].report), attempt.figures, attempt.facts)[0]
    return first.replace("**", "").rstrip(".")


def _said(attempt: Attempt) -> str:
    figures = attempt.figures
    leads, promised = count(figures.get("matured_leads")), number(figures.get("auc_expected"))
    return (
        f"Of {leads} matured leads ({_basis(attempt)}) expected over observed conversions is {_ratio(figures)}; "
        f"AUC-ROC {number(figures.get('auc_roc'))}, promised {promised}."
    )


def _basis(attempt: Attempt) -> str:
    """Whether dials are known, or one is assumed for each lead (R50)."""
    return str(attempt.facts.get("basis", UNKNOWN))


def _ratio(figures: Mapping[str, Any]) -> str:
    value, low, high = (figures.get(f"expected_observed{which}") for which in ("", "_low", "_high"))
    return between(value, low, high)


# --- months ---------------------------------------------------------------------------------------------------------


def _months(home: Home, days: list[str]) -> tuple[list[Block], list[Block]]:
    """Pictures, and what comes after all pictures."""
    known = [(key, one) for key in days if (one := judged(home.ledger.latest(PERFORMANCE, key)))]
    if not known:
        return _holdout(home), []
    key, newest = known[-1]
    title = f"Matured leads as of {day_of(key)}, by tenth of the score"
    points = [(row["expected"], row["observed"], row["leads"]) for row in newest.facts.get("reliability") or []]
    pictures = [_figures(newest), *([_reliability(title, points)] if points else []), *_ratios(known)]
    gates = gates_shown(attempt_lines(home.ledger, newest), f"the performance as of {day_of(key)}")
    return pictures, [_history(known), gates]


def _figures(newest: Attempt) -> Figures:
    figures = newest.figures
    precision, least = figures.get("average_precision"), figures.get("average_precision_low")
    promised = number(figures.get("auc_expected"))
    return Figures(
        (
            Figure(count(figures.get("matured_leads")), "matured leads", _basis(newest)),
            Figure(number(figures.get("expected_observed")), _RATIO, f"95 %: {_bounds(figures)}"),
            Figure(number(precision, 3), "AUC-PR", f"95 %: from {number(least, 3)}"),
            Figure(number(figures.get("auc_roc")), "AUC-ROC", f"the scores promise {promised}"),
        )
    )


def _bounds(figures: Mapping[str, Any]) -> str:
    low, high = (figures.get(f"expected_observed{which}") for which in ("_low", "_high"))
    return UNKNOWN if low is None else f"{number(low)} to {number(high)}"


def _holdout(home: Home) -> list[Block]:
    reign = champion(home.ledger)
    if reign is None:
        return []
    facts = reign.calibrated.facts
    block = facts["holdout"]
    title = "The champion's holdout, by tenth of the score"
    words = Words(
        f"Not matured leads of production, but the holdout of {block['from']} to {block['to']} on which the champion "
        f"{reign.version} was judged before it served: {count(block['leads'])} leads."
    )
    points = [(expected, observed, leads) for leads, expected, observed in facts["after"]["bins"]]
    return [words, _reliability(title, points)]


def _reliability(title: str, points: Sequence[tuple[float, float, int]]) -> Chart:
    rows = tuple(
        (str(place), count(leads), share(expected), share(observed))
        for place, (expected, observed, leads) in enumerate(points, start=1)
    )
    says = (
        "Each dot is a tenth of the leads, by score: what was expected of it to the right, what was observed upwards; "
        f"on the dashed line both agree. Of the best tenth {share(points[-1][0])} was expected and "
        f"{share(points[-1][1])} observed. The axes grow with the square root."
    )
    drawing = reliability([(expected, observed) for expected, observed, _ in points], tick)
    table = Table(title, ("tenth", "leads", "expected", "observed"), rows, frozenset({1, 2, 3}))
    return Chart(title, says, drawing, table)


def _ratios(known: Sequence[tuple[str, Attempt]]) -> list[Block]:
    rows = [
        Row(
            str(day_of(key)),
            one.figures["expected_observed"],
            one.figures.get("expected_observed_low"),
            one.figures.get("expected_observed_high"),
        )
        for key, one in known[-6:]
        if one.figures.get("expected_observed") is not None
    ]
    if not rows:
        return []
    title = "Expected over observed conversions"
    says = f"By the day of judgement, with 95 % intervals; 1 is right. The newest is {rows[-1].value:.2f}."
    drawing = intervals(rows, lambda value: f"{value:.2f}", Rule(1.0, "as promised"))
    table = Table(title, ("as of", _RATIO), tuple((row.name, between(row.value, row.low, row.high)) for row in rows))
    return [Chart(title, says, drawing, table)]


def _history(known: Sequence[tuple[str, Attempt]]) -> Table:
    rows = tuple(
        (
            str(day_of(key)),
            str(one.facts.get("model_version", "")),
            _basis(one),
            count(one.figures.get("matured_leads")),
            between(one.figures.get("average_precision"), one.figures.get("average_precision_low"),
                    one.figures.get("average_precision_high")),
            number(one.figures.get("auc_roc")),
            _ratio(one.figures),
            number(one.figures.get("ece"), 4),
            number(one.figures.get("lift"), 1),
        )
        for key, one in reversed(known)
    )  # fmt: skip
    head = ("as of", "model", "basis", "matured leads", "AUC-PR", "AUC-ROC", _RATIO, "ECE", "lift of the best tenth")
    return Table("Performance on matured leads", head, rows, frozenset({3, 4, 5, 6, 7, 8}))


# --- weeks ----------------------------------------------------------------------------------------------------------


def _weeks(balance: Attempt | None) -> list[Block]:
    weeks: list[Mapping[str, Any]] = balance.facts["weeks"] if balance is not None else []
    if balance is None or not weeks:
        return []
    usual = balance.facts["training_rate"]
    title = "Weekly rate of conversions, matured weeks of contact"
    says = (
        f"{len(weeks)} weeks; in the newest {share(weeks[-1]['rate'])} converted, in training {share(usual)}. "
        f"{sum(1 for week in weeks if week['alerts'])} of them are over 5 % from it and beyond chance (R29)."
    )
    rows = tuple(
        (
            week["week"],
            count(week["leads"]),
            count(week["positives"]),
            share(week["rate"]),
            f"{100 * week['relative_change']:+.0f} %",
            p_shown(week["p_value"]),
            "alert" if week["alerts"] else "" if week["judgeable"] else "too few leads",
        )
        for week in reversed(weeks)
    )
    names = [short(day_of(week["week"].replace("-", ""))) for week in weeks]
    drawing = trend(names, [Series("s1", [week["rate"] for week in weeks])], tick, Rule(usual, "training"))
    head = ("week of", "leads", "converted", "rate", "against training", "p", "verdict")
    return [Chart(title, says, drawing, Table(title, head, rows, frozenset({1, 2, 3, 4, 5})))]
