"""Plots of the shadow scoring report: latency, volume, scores beside the baseline's, availability of features.

Belongs here: drawing facts that the step has measured. Does not belong here: measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.reports.figure import BARS, JUDGED, OTHER, QUIET, png, sheet

Facts = Mapping[str, Any]


def volume(facts: Facts, *, synthetic: bool) -> bytes:
    """Leads of each day by how they ended; a day that does not count is marked."""
    figure = sheet("Leads by day, and how they ended", synthetic=synthetic)
    axes = figure.add_subplot()
    counted = {row["score_date"]: row for row in facts["by_day"]}
    days = sorted([*counted, *facts["missing_days"]])
    base = [0] * len(days)
    for outcome, colour in (("scored", BARS), ("skipped", QUIET), ("failed", JUDGED)):
        heights = [counted[day][outcome] if day in counted else 0 for day in days]
        axes.bar(days, heights, bottom=base, color=colour, label=outcome)
        base = [low + height for low, height in zip(base, heights, strict=True)]
    for place, day in enumerate(days):
        if day in facts["missing_days"]:
            axes.annotate("missing", (place, 0), ha="center", va="bottom", color=JUDGED)
    axes.set_ylabel("leads")
    axes.set_ylim(bottom=0)
    axes.tick_params(axis="x", rotation=30)
    axes.legend()
    return png(figure)


def latency(facts: Facts, *, synthetic: bool) -> bytes:
    """Share of leads that took no longer than so many ms, on a scale of powers of ten, with the plan's 500 ms."""
    figure = sheet("Latency of one lead, look-up included", synthetic=synthetic)
    axes = figure.add_subplot()
    values = facts["latencies_ms"]
    axes.step(values, [(place + 1) / len(values) for place in range(len(values))], where="post", color=JUDGED)
    axes.axvline(500, color=QUIET, linestyle=":", label="the plan's 500 ms (of the mean)")
    axes.set(xscale="log", xlabel="ms", ylabel="share of leads", ylim=(0, 1.02))
    axes.legend(loc="lower right")
    return png(figure)


def scores(facts: Facts, *, synthetic: bool) -> bytes:
    """How many leads have which score, model and baseline (champion if there is one), in log-odds."""
    figure = sheet("Scores, beside what they are compared with", synthetic=synthetic)
    axes = figure.add_subplot()
    other, says = (facts["champion"], "champion") if facts["champion"] else (facts["baseline"], "logistic baseline")
    if other:
        axes.stairs(other["model"], other["edges"], color=JUDGED, fill=False, label=f"model {facts['model_version']}")
        axes.stairs(other["other"], other["edges"], color=OTHER, fill=False, label=says)
        axes.legend()
    axes.set(xlabel="log-odds of a call within 30 days", ylabel="leads")
    return png(figure)


def missing(facts: Facts, *, synthetic: bool) -> bytes:
    """Missing share of each top feature on these days beside training's; the dotted mark is the gate's 10 points."""
    figure = sheet("What is not known of a lead, beside training", synthetic=synthetic)
    figure.set_size_inches(9, 6)
    axes = figure.add_subplot()
    rows = list(reversed(facts["availability"]))
    places = range(len(rows))
    axes.barh(places, [100 * row["shadow"] for row in rows], color=BARS, label="these days")
    axes.plot([100 * row["training"] for row in rows], places, "o", color=OTHER, label="training")
    axes.plot([100 * row["training"] + 10 for row in rows], places, "|", color=JUDGED, label="gate", markersize=10)
    axes.set_yticks(places, [row["feature"] for row in rows])
    axes.set_xlabel("missing, % of leads")
    axes.legend()
    return png(figure)


PLOTS: dict[str, dict[str, Callable[..., bytes]]] = {
    "shadow_scoring_report": {"volume": volume, "latency": latency, "scores": scores, "availability": missing},
}
