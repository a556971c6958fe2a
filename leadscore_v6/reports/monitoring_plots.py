"""Plots of the monthly reports: what has moved, and what the model was worth month by month.

Belongs here: drawing facts that a step has measured. Does not belong here: measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.reports.figure import BARS, JUDGED, OTHER, QUIET, png, sheet

Facts = Mapping[str, Any]


def moved(facts: Facts, *, synthetic: bool) -> bytes:
    """PSI of what has moved most, on a scale of powers of ten, what chance gives, and the plan's 0.25."""
    figure = sheet(f"PSI against training, as of {facts['as_of']}", synthetic=synthetic)
    figure.set_size_inches(9, 5.5)
    axes = figure.add_subplot()
    rows = list(reversed(facts["largest"]))
    places = range(len(rows))
    colours = [JUDGED if row["alerts"] else BARS for row in rows]
    axes.barh(places, [row["psi"] for row in rows], color=colours)
    axes.plot([row["null_quantile"] for row in rows], places, "|", color=OTHER, markersize=12, label="by chance up to")
    axes.axvline(0.25, color=JUDGED, linestyle=":", label="the plan's 0.25")
    axes.set_yticks(places, [row["feature"] for row in rows])
    axes.set(xscale="log", xlabel="population stability index", xlim=(0.001, None))
    if rows:
        axes.legend(loc="lower right")
    else:
        axes.annotate("too few leads to tell", (0.5, 0.5), xycoords="axes fraction", ha="center", color=JUDGED)
    return png(figure)


def by_month(facts: Facts, *, synthetic: bool) -> bytes:
    """AUC-ROC of each month's matured leads with its interval, beside what the scores promised of the same leads."""
    figure = sheet("AUC on matured leads, month by month", synthetic=synthetic)
    axes = figure.add_subplot()
    rows = [row for row in [*facts["history"], facts["row"]] if row.get("auc_roc") is not None]
    days = [row["score_date"] for row in rows]
    axes.errorbar(days, [row["auc_roc"] for row in rows], yerr=_bars(rows), color=JUDGED, marker="o", capsize=3,
                  label="realised (95 % interval)")  # fmt: skip
    axes.plot(days, [row["auc_expected"] for row in rows], color=OTHER, marker="s", linestyle="--", label="promised")
    axes.axhline(0.5, color=QUIET, linestyle=":", label="a random order")
    axes.set(xlabel="as of", ylabel="AUC-ROC", ylim=(0.45, 1))
    axes.tick_params(axis="x", rotation=30)
    axes.legend(loc="lower left")
    return png(figure)


def _bars(rows: list[Facts]) -> list[list[float]]:
    """Lengths below and above; none where there is no interval."""
    below = [row["auc_roc"] - (row["auc_roc"] if row["auc_roc_low"] is None else row["auc_roc_low"]) for row in rows]
    above = [(row["auc_roc"] if row["auc_roc_high"] is None else row["auc_roc_high"]) - row["auc_roc"] for row in rows]
    return [below, above]


def reliability(facts: Facts, *, synthetic: bool) -> bytes:
    """What came of each tenth of the matured leads by score, against what their scores said."""
    figure = sheet("Matured leads: what was said and what came", synthetic=synthetic)
    axes = figure.add_subplot()
    said, came = ([one[name] for one in facts["reliability"]] for name in ("expected", "observed"))
    highest = max([*said, *came], default=1.0)
    axes.plot(said, came, color=JUDGED, marker="o", label="a tenth of the leads")
    axes.plot([0, highest], [0, highest], color=QUIET, linestyle="--", label="right")
    axes.set(xlabel="probability (mean of the tenth)", ylabel="share with a call", xlim=(0, None), ylim=(0, None))
    axes.legend()
    return png(figure)


PLOTS: dict[str, dict[str, Callable[..., bytes]]] = {
    "feature_drift_report": {"": moved},
    "model_performance_report": {"by_month": by_month, "reliability": reliability},
}
