"""Plots of the model's reports: precision and recall, lift, folds over time, reliability, what moves a score.

Belongs here: drawing facts that a step has measured. Does not belong here: measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.reports.figure import BARS, JUDGED, OTHER, QUIET, png, sheet

Facts = Mapping[str, Any]


def precision_recall(facts: Facts, *, synthetic: bool) -> bytes:
    """Precision against recall on the holdout, model and logistic baseline; the dashed line is a random order's."""
    figure = sheet("Holdout: precision against recall", synthetic=synthetic)
    axes = figure.add_subplot()
    for name, colour in (("model", JUDGED), ("baseline", OTHER)):
        recall, precision = zip(*facts["precision_recall"][name], strict=True)
        axes.step(recall, precision, where="post", color=colour, label=facts["names"][name])
    axes.axhline(facts["holdout"]["prevalence"], color=QUIET, linestyle="--", label="a random order")
    axes.set(xlabel="recall: share of all conversions reached", ylabel="precision: share that converts", xlim=(0, 1))
    axes.set_ylim(0, min(1.0, 1.15 * max(point[1] for point in facts["precision_recall"]["model"][5:])))
    axes.legend()
    return png(figure)


def lift(facts: Facts, *, synthetic: bool) -> bytes:
    """Conversion rate by decile of score on the holdout, highest first, over the rate of all."""
    figure = sheet("Holdout: conversion by decile of score", synthetic=synthetic)
    axes = figure.add_subplot()
    rows = facts["deciles"]
    names = [str(row["decile"]) for row in rows]
    axes.bar(names, [100 * row["rate"] for row in rows], color=BARS)
    axes.axhline(100 * facts["holdout"]["prevalence"], color=QUIET, linestyle="--", label="all leads")
    axes.set(xlabel="decile of score, 1 = highest", ylabel="call within 30 days, %")
    gain = axes.twinx()
    gain.plot(names, [100 * row["gain"] for row in rows], color=JUDGED, marker="o", label="gain")
    gain.set_ylabel("conversions reached so far, %", color=JUDGED)
    gain.set_ylim(0, 105)
    axes.legend(loc="center right")
    return png(figure)


def folds(facts: Facts, *, synthetic: bool) -> bytes:
    """AUC-PR (average precision) of each period, with its 95 % interval, beside the prevalence of that period."""
    figure = sheet("AUC-PR by period of contact, each judged by a model of the past", synthetic=synthetic)
    axes = figure.add_subplot()
    rows = facts["folds"]
    names = [row["period"] for row in rows]
    values = [row["auc_pr"][0] for row in rows]
    # Without an interval (too few conversions) the bar has no length.
    below = [value - (row["auc_pr"][1] or value) for value, row in zip(values, rows, strict=True)]
    above = [(row["auc_pr"][2] or value) - value for value, row in zip(values, rows, strict=True)]
    axes.errorbar(names, values, yerr=[below, above], color=JUDGED, marker="o", capsize=3, label="model")
    axes.plot(names, [row["prevalence"] for row in rows], color=QUIET, linestyle="--", label="a random order")
    axes.axhline(0.15, color=OTHER, linestyle=":", label="the plan's 0.15")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("AUC-PR (95 % interval)")
    axes.tick_params(axis="x", rotation=30)
    axes.legend()
    return png(figure)


def reliability(facts: Facts, *, synthetic: bool) -> bytes:
    """Observed conversion against predicted, in bins of equal mass on the holdout, before and after calibration."""
    figure = sheet("Holdout: what was predicted and what came", synthetic=synthetic)
    axes = figure.add_subplot()
    highest = 0.0
    for name, colour in (("before", OTHER), ("after", JUDGED)):
        _, predicted, observed = zip(*facts[name]["bins"], strict=True)
        highest = max(highest, *predicted, *observed)
        axes.plot(predicted, observed, color=colour, marker="o", label=f"{name} calibration")
    axes.plot([0, highest], [0, highest], color=QUIET, linestyle="--", label="right")
    axes.set(xlabel="predicted probability (mean of the bin)", ylabel="observed share", xlim=(0, None), ylim=(0, None))
    axes.legend()
    return png(figure)


def shap_summary(facts: Facts, *, synthetic: bool) -> bytes:
    """What moves a score: each point a lead, right raises it, colour the feature's value (low blue, high red)."""
    figure = sheet("What moves a score (contributions in log-odds)", synthetic=synthetic)
    figure.set_size_inches(9, 6)
    axes = figure.add_subplot()
    rows = facts["shap_points"]
    for place, row in enumerate(reversed(rows)):
        height = [place + 0.6 * (((31 * index) % 97) / 97 - 0.5) for index in range(len(row["contributions"]))]
        colours = [QUIET_NUMBER if value is None else value for value in row["values"]]
        axes.scatter(row["contributions"], height, c=colours, cmap="coolwarm", vmin=0, vmax=1, s=7, linewidths=0)
    axes.set_yticks(range(len(rows)), [row["feature"] for row in reversed(rows)])
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.set_xlabel("lowers the score                    raises the score")
    return png(figure)


# The middle of the colour scale: a value that is missing.
QUIET_NUMBER = 0.5

Draw = Callable[..., bytes]
PLOTS: dict[str, dict[str, Draw]] = {
    "model_training_report": {"precision_recall": precision_recall, "lift": lift, "folds": folds},
    "calibration_report": {"reliability": reliability},
    "shap_feature_comparison_report": {"shap_summary": shap_summary},
    "backtesting_report": {"folds": folds},
}
