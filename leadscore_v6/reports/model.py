"""What the model's reports say beyond their gates: figures with intervals, and what the model was made from.

Belongs here: the sections of each report of steps 4.1 to 4.4, in order. Does not belong here: measuring, what is said
first (model_headlines.py), what several reports show (model_pieces.py), plots (model_plots.py), the model card.
"""

from __future__ import annotations

from collections.abc import Callable

from leadscore_v6.reports.markdown import table
from leadscore_v6.reports.model_card import card
from leadscore_v6.reports.model_pieces import (
    Facts,
    cell,
    comparison,
    deciles,
    folds,
    gaps,
    how_dials_are_known,
    interval,
    number,
    signed,
)

# --- 4.1 ------------------------------------------------------------------------------------------------------------


def _training(figures: Facts, facts: Facts) -> list[str]:
    blocks = [
        (row["block"], row["from"], row["to"], row["leads"], row["positives"], f"{row['prevalence']:.2%}")
        for row in facts["blocks"]
    ]
    return [
        "## Blocks of time\n\n"
        + table(["block", "first contact", "last contact", "leads", "positive", "share"], blocks)
        + f"\n\n{facts['lost_to_purge']:,} leads of the training block train nothing: their label window reaches the "
        "next block, or their advisor is in a later one (R16). A model that also learned from the holdout's advisors "
        f"would show {facts['without_exclusion']:.3f} on it.",
        "## Folds\n\n" + folds(facts["folds"]),
        "## On the holdout\n\n" + comparison(facts["estimates"], facts),
        "## Three gaps between training and test\n\n" + gaps(facts["gaps"]),
        "## Deciles of score on the holdout\n\n" + deciles(facts["deciles"]),
        "## Features\n\n" + _features(facts),
        "## Canaries\n\n" + _canaries(facts["canaries"]),
        "## Parameters\n\n" + table(["parameter", "value"], facts["parameters"].items()),
    ]


def _features(facts: Facts) -> str:
    rows = [
        (row["feature"], row["family"], f"{row['mean_abs_shap']:.4f}", f"{row['share']:.1%}", f"{row['gain']:.1f}")
        for row in facts["importance"]
    ]
    unseen = {name: count for name, count in facts["unseen_levels"].items() if count}
    text = (
        f"{facts['matrix_columns']} columns are in the matrix. The first {len(rows)} by mean |SHAP| on the holdout, in "
        "log-odds:\n\n" + table(["feature", "family", "mean |SHAP|", "share", "total gain"], rows)
    )
    if unseen:
        told = ", ".join(f"`{name}` {count:,}" for name, count in unseen.items())
        text += f"\n\nLevels that training did not know, taken as missing on the holdout: {told}."
    droplist = ", ".join(f"`{name}`" for name in facts["on_the_droplist"])
    return (
        f"{text}\n\nColumns of the training set that are on the PII droplist, and never in the matrix (step 4.2): "
        f"{droplist}.\n\nFeatures that are not in the matrix:\n\n" + table(["column", "why"], facts["dropped"].items())
    )


def _canaries(canaries: Facts) -> str:
    planted = [(name, "caught" if caught else "MISSED") for name, caught in canaries["planted"].items()]
    strongest = [(name, f"{auc:.3f}") for name, auc in canaries["strongest"].items()]
    leaks = [(name, why) for name, why in canaries["leaks"].items()] or [("none", "")]
    return (
        table(["planted on purpose", ""], planted)
        + "\n\nFeatures that look like a leak:\n\n"
        + table(["feature", "why"], leaks)
        + "\n\nThe strongest by themselves:\n\n"
        + table(["feature", "AUC alone"], strongest)
    )


def _selection(figures: Facts, facts: Facts) -> list[str]:
    rows = [
        (row["feature"], f"{row['kept']} of {row['folds']}", f"{row['share']:.2%}", row["final"])
        for row in facts["selection"]
    ]
    note = (
        "A feature is left out of one training window when it is of no use on the end of that very window: leads that "
        "judge a fold never choose its features. It is conservative: a feature has to do nothing at all to be left out."
    )
    return [
        f"## Selection inside the folds\n\n{note}",
        table(["feature", "folds that kept it", "mean share of |SHAP|", "final model"], rows),
    ]


# --- 4.3 ------------------------------------------------------------------------------------------------------------


def _calibration(figures: Facts, facts: Facts) -> list[str]:
    segments = [
        (
            row["segment"],
            row["leads"],
            row["positives"],
            number(row["ece"], ".4f"),
            interval(row["expected_observed"], ".2f"),
            interval(row["slope"], ".2f"),
            row["calibrator"],
        )
        for row in facts["segments"]
    ]
    before, after = facts["before"], facts["after"]
    both = [
        ("ECE", number(before["ece"], ".4f"), number(after["ece"], ".4f")),
        (
            "expected / observed",
            interval(before["expected_observed"], ".2f"),
            interval(after["expected_observed"], ".2f"),
        ),
        ("slope", interval(before["slope"], ".2f"), interval(after["slope"], ".2f")),
        ("Brier skill", interval(before["brier_skill"]), interval(after["brier_skill"])),
    ]
    bins = [
        (place, late[0], f"{early[1]:.4f}", f"{early[2]:.4f}", f"{late[1]:.4f}", f"{late[2]:.4f}")
        for place, (early, late) in enumerate(zip(before["bins"], after["bins"], strict=True), start=1)
    ]
    return [
        "## Before and after, on the holdout\n\n" + table(["", "before", "after"], both),
        f"## Segments, by {facts['segment_column']}\n\nAUM tiers where AUM is known at all, else the size of the firm "
        "(R19). A segment whose figures have no interval has too few conversions to be judged by itself.\n\n"
        + table(["segment", "leads", "positive", "ECE", "expected / observed", "slope", "calibrator"], segments),
        "## Reliability, in bins of equal mass\n\n"
        + table(["bin", "leads", "predicted before", "observed", "predicted after", "observed"], bins),
    ]


def _shap(figures: Facts, facts: Facts) -> list[str]:
    rows = [
        (
            row["feature"],
            row["family"],
            f"{row['base']:.4f}",
            f"{row['calibrated']:.4f}",
            row["rank_before"],
            row["rank_after"],
        )
        for row in facts["shap"]
    ]
    note = (
        "The calibrator scales every contribution of a lead by its segment's slope (overall "
        f"{facts['slope']:.3f}); the order of features changes only where segments differ."
    )
    return [
        f"## Mean |contribution| on the holdout, in log-odds\n\n{note}",
        table(["feature", "family", "base model", "calibrated", "rank before", "rank after"], rows),
    ]


# --- 4.4 ------------------------------------------------------------------------------------------------------------


def _backtest(figures: Facts, facts: Facts) -> list[str]:
    rows = [
        (row["period"], number(row["ece"], ".4f"), interval(row["expected_observed"], ".2f")) for row in facts["folds"]
    ]
    return [
        "## Periods\n\n" + folds(facts["folds"]),
        "## Calibration in each period\n\n" + table(["period", "ECE", "expected / observed"], rows),
    ]


def _validation(figures: Facts, facts: Facts) -> list[str]:
    calibrated = facts["calibrated"]
    estimates = calibrated["estimates"]
    names = list(facts["business"][0])
    business = [[cell(row[name]) for name in names] for row in facts["business"]]
    last = calibrated["deciles"][-2:]
    skipped = 1 - calibrated["deciles"][-3]["gain"]
    dials = (
        f"With a weekly capacity of {facts['capacity_share']:.0%} of the leads, and **assuming one dial per lead** "
        f"({how_dials_are_known(facts['dials'])}, R50), the model's choice brings "
        f"{interval(estimates['mqls_per_100_dials'], '.2f')} conversions per 100 dials; a random choice brings "
        f"{calibrated['random_mqls_per_100_dials']:.2f}. Skipping the lowest 20 % of leads "
        f"({sum(row['leads'] for row in last):,} on the holdout) would lose {skipped:.1%} of the conversions."
    )
    return [
        "## The shipped model on the holdout\n\n" + comparison(estimates, calibrated),
        "## Deciles of score on the holdout\n\n" + deciles(calibrated["deciles"]),
        f"## What it means for the people who dial\n\n{dials}",
        "## By period (business_impact_metrics)\n\n" + table([name.replace("_", " ") for name in names], business),
    ]


def _overfitting(figures: Facts, facts: Facts) -> list[str]:
    trends = [
        (name.replace("_", " "), *map(signed, found), "yes" if found[1] is not None and found[1] > 0 else "no")
        for name, found in facts["gap_trends"].items()
    ]
    periods = [
        (row["period"], f"{own['in_sample']:.1%}", f"{own['oof_to_holdout']:.1%}", f"{own['points']:+.2f}")
        for row, own in zip(facts["folds"], facts["gaps_by_fold"], strict=True)
    ]
    stable = facts["stability"]
    ranks = table(["feature", *(row["period"] for row in facts["folds"])], facts["importance_by_fold"])
    stability = (
        f"Mean |SHAP| between pairs of periods: Spearman {stable['spearman']:.2f} (worst "
        f"{stable['worst_spearman']:.2f}), Jaccard of the ten first {stable['jaccard_at_10']:.2f} (worst "
        f"{stable['worst_jaccard_at_10']:.2f}). Ranks of the newest period's first features:"
    )
    return [
        "## Three gaps between training and test\n\n" + gaps(facts["gaps"]),
        "## The same in each period\n\n" + table(["period", "in sample", "folds to holdout", "points"], periods),
        "## Does any of them grow?\n\nIt does when the lower bound is above 0 (R40).\n\n"
        + table(["gap", "change a period", "95 % from", "to", "grows"], trends),
        f"## Is importance stable?\n\n{stability}\n\n{ranks}",
    ]


SECTIONS: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "model_training_report": _training,
    "feature_selection_report": _selection,
    "calibration_report": _calibration,
    "shap_feature_comparison_report": _shap,
    "backtesting_report": _backtest,
    "performance_validation_report": _validation,
    "overfitting_analysis": _overfitting,
    "model_card": card,
}
