"""Tables and figures that several of the model's reports show.

Belongs here: one table, or one figure as text. Does not belong here: what a report is made of (model.py), or says first
(model_headlines.py). AUC-PR is average precision throughout, and every table says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore_v6.reports.markdown import table

Facts = Mapping[str, Any]
Triple = Sequence[float | None]
AUC_PR = "AUC-PR (average precision)"


def interval(found: Triple, form: str = ".3f") -> str:
    """`0.281 (0.244 to 0.322, 95 %)`; without the interval where it is not judgeable."""
    value, low, high = found
    text = number(value, form)
    return text if low is None or high is None else f"{text} ({low:{form}} to {high:{form}}, 95 %)"


def how_dials_are_known(dials: Mapping[str, int]) -> str:
    """What "one dial per lead" stands on: `dials` as the backtest's facts have them (R50)."""
    if not dials["logged"]:
        return "no dials are recorded"
    return f"dials are recorded of {dials['logged']:,} leads, and how often each was dialled is not looked at"


def comparison(estimates: Mapping[str, Triple], facts: Facts) -> str:
    """The figures of a ranking, each beside what a random order gives."""
    prevalence = facts["holdout"]["prevalence"]
    rows = [
        (AUC_PR, interval(estimates["auc_pr"]), f"{prevalence:.3f}"),
        ("AUC-PR over prevalence", interval(estimates["auc_pr_over_prevalence"], ".2f"), "1"),
        ("AUC-ROC", interval(estimates["auc_roc"]), "0.5"),
        ("lift of the top decile", interval(estimates["lift_top_decile"], ".2f"), "1"),
        ("precision at the weekly capacity", interval(estimates["precision_at_capacity"]), f"{prevalence:.3f}"),
        (
            "MQLs per 100 dials, assuming one dial per lead",
            interval(estimates["mqls_per_100_dials"], ".2f"),
            f"{facts['random_mqls_per_100_dials']:.2f}",
        ),
    ]
    return table(["measure", "value (95 % interval over advisors)", "a random order"], rows)


def folds(rows: Sequence[Facts]) -> str:
    """The folds in time: what each was trained and judged on, and its figure."""
    lines = [
        (
            place,
            row["period"],
            row["training_leads"],
            row["leads"],
            row["positives"],
            f"{row['prevalence']:.2%}",
            interval(row["auc_pr"]),
            row["purged"],
            row["advisors_left_out"],
        )
        for place, row in enumerate(rows, start=1)
    ]
    header = ["fold", "judged on", "trained on", "leads", "positive", "share", AUC_PR, "purged", "advisor left out"]
    return table(header, lines)


def gaps(found: Facts) -> str:
    """R17's three gaps, and which of them is judged."""
    rows = [
        ("in sample", f"{found['in_sample']:.1%}", "AUC-PR on the training leads, to the holdout; never judged", ""),
        (
            "folds to holdout",
            f"{found['oof_to_holdout']:.1%}",
            "mean of the folds, to the holdout; 0 if better",
            "judged",
        ),
        ("points", f"{found['points']:+.2f}", "the same in hundredths of AUC-PR", ""),
    ]
    return table(["gap", "value", "what it compares", ""], rows)


def deciles(rows: Sequence[Facts]) -> str:
    """Tenths of the leads by falling score."""
    cells = [
        (
            row["decile"],
            row["leads"],
            row["positives"],
            f"{row['rate']:.2%}",
            f"{row['lift']:.2f}",
            f"{row['gain']:.1%}",
        )
        for row in rows
    ]
    return table(["decile", "leads", "positive", "share", "lift", "gain (reached so far)"], cells)


def number(value: float | None, form: str = ".3f") -> str:
    """A figure, or that it is not judgeable."""
    return "not judgeable" if value is None else f"{value:{form}}"


def signed(value: float | None) -> str:
    """A difference with its sign, or that it is not judgeable."""
    return "not judgeable" if value is None else f"{value:+.3f}"


def cell(value: object) -> object:
    """Four digits of a float; anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else value
