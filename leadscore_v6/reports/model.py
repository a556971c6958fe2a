"""What the model's reports say beyond their gates: the verdict in words, figures with intervals, what it was made from.

Belongs here: text made from the figures and facts of steps 4.1 to 4.4. Does not belong here: measuring, plots
(model_plots.py), or the model card (model_card.py). AUC-PR is average precision throughout, and every table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leadscore_v6.reports.markdown import table
from leadscore_v6.reports.model_card import card

Facts = Mapping[str, Any]
Triple = Sequence[float | None]
AUC_PR = "AUC-PR (average precision)"
PLANS_AUC_PR = 0.15


# --- what comes first -----------------------------------------------------------------------------------------------


def _training_headlines(figures: Facts, facts: Facts) -> list[str]:
    mean, holdout = figures["cv_average_precision"], facts["holdout"]
    lines = _random_folds(figures)
    lines.append(
        f"The average CV {AUC_PR} is **{mean:.3f}**; the plan asks for more than {PLANS_AUC_PR}. A random order would "
        f"give {facts['cv_prevalence']:.3f}, the share of leads that convert. On the holdout, the newest "
        f"{holdout['leads']:,} leads, it is **{interval(facts['estimates']['auc_pr'])}**, "
        f"{interval(facts['estimates']['auc_pr_over_prevalence'], '.1f')} times a random order's "
        f"{holdout['prevalence']:.3f}."
    )
    lines.append(_against_baseline(facts))
    if mean <= PLANS_AUC_PR:
        lines.append(
            "**Nothing was promoted, and that is the product working.** These features, as known on the day of contact "
            "say too little about who converts. What helps are features that tell more, not another split or a lower "
            "threshold: on the plan owner's real data honest models reached 0.05 to 0.075 as well, and the higher "
            "figures that were once reported came from leaks."
        )
    return lines


def _random_folds(figures: Facts) -> list[str]:
    if not figures.get("random_folds"):
        return []
    text = (
        "**RANDOM FOLDS.** config/v6_model.yaml asks for stratified_kfold: leads of one advisor and of one week are on "
        "both sides, which inflates AUC-PR by 40 to 54 %. The CV figures below are not honest; the holdout's are (R16)."
    )
    return [f'<span style="color:red">{text}</span>']


def _against_baseline(facts: Facts) -> str:
    model, baseline = facts["names"]["model"], facts["names"]["baseline"]
    reached = f"on the holdout it reaches {facts['baseline_estimates']['auc_pr'][0]:.3f}"
    _, low, high = facts["logit_minus_model"]
    said = {
        "better": f"**The {baseline} is better**: {reached}, beyond the paired interval. Use the simpler model.",
        "equal": (
            f"**The {baseline} is as good**: {reached}, and the paired interval of the difference holds 0 "
            f"({_signed(low)} to {_signed(high)}). The simpler model may deserve the place."
        ),
        "worse": (
            f"{model} is better than the {baseline}: {reached}, less by {_number(high and -high)} to "
            f"{_number(low and -low)} (95 %, paired)."
        ),
    }
    otherwise = f"Whether the {baseline} is better is not judgeable, with so few conversions: {reached}."
    return said.get(facts["baseline_verdict"], otherwise)


def _calibration_headlines(figures: Facts, facts: Facts) -> list[str]:
    after, block, holdout = facts["after"], facts["calibration"], facts["holdout"]
    how_good = (
        f"On the holdout the calibrated scores expect **{interval(after['expected_observed'], '.2f')}** times the "
        f"conversions that came (1 is right), with a slope of **{interval(after['slope'], '.2f')}** (1 is right). ECE "
        f"is **{_number(figures['ece'], '.4f')}**; a right model of this size would show up to "
        f"{_number(figures['null_ece_p95'], '.4f')} by chance, and before calibration it was "
        f"{_number(facts['before']['ece'], '.4f')}."
    )
    on_what = (
        f"Calibrated on {block['leads']:,} leads of {block['from']} to {block['to']}, which trained nothing; judged on "
        f"{holdout['leads']:,} leads of {holdout['from']} to {holdout['to']}."
    )
    return [how_good, on_what]


def _backtest_headlines(figures: Facts, facts: Facts) -> list[str]:
    text = (
        f"Fitted anew in each of {len(facts['folds'])} periods, model and calibrator differ between periods by a "
        f"coefficient of {_number(figures['cv_coefficient'], '.2f')} in {AUC_PR}; chance alone would give about "
        f"{_number(figures['cv_noise'], '.2f')}. The gap from the earlier periods to the newest is "
        f"{_number(figures['train_test_gap'], '.1%')}."
    )
    return [*_random_folds(figures), text]


HEADLINES: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "model_training_report": _training_headlines,
    "calibration_report": _calibration_headlines,
    "backtesting_report": _backtest_headlines,
}


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
        "## Folds\n\n" + _folds(facts["folds"]),
        "## On the holdout\n\n" + comparison(facts["estimates"], facts),
        "## Three gaps between training and test\n\n" + _gaps(facts["gaps"]),
        "## Deciles of score on the holdout\n\n" + _deciles(facts["deciles"]),
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
            _number(row["ece"], ".4f"),
            interval(row["expected_observed"], ".2f"),
            interval(row["slope"], ".2f"),
            row["calibrator"],
        )
        for row in facts["segments"]
    ]
    before, after = facts["before"], facts["after"]
    both = [
        ("ECE", _number(before["ece"], ".4f"), _number(after["ece"], ".4f")),
        (
            "expected / observed",
            interval(before["expected_observed"], ".2f"),
            interval(after["expected_observed"], ".2f"),
        ),
        ("slope", interval(before["slope"], ".2f"), interval(after["slope"], ".2f")),
        ("Brier skill", interval(before["brier_skill"]), interval(after["brier_skill"])),
    ]
    bins = [
        (number, late[0], f"{early[1]:.4f}", f"{early[2]:.4f}", f"{late[1]:.4f}", f"{late[2]:.4f}")
        for number, (early, late) in enumerate(zip(before["bins"], after["bins"], strict=True), start=1)
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
        (row["period"], _number(row["ece"], ".4f"), interval(row["expected_observed"], ".2f")) for row in facts["folds"]
    ]
    return [
        "## Periods\n\n" + _folds(facts["folds"]),
        "## Calibration in each period\n\n" + table(["period", "ECE", "expected / observed"], rows),
    ]


def _validation(figures: Facts, facts: Facts) -> list[str]:
    calibrated = facts["calibrated"]
    estimates = calibrated["estimates"]
    names = list(facts["business"][0])
    business = [[_cell(row[name]) for name in names] for row in facts["business"]]
    last = calibrated["deciles"][-2:]
    skipped = 1 - calibrated["deciles"][-3]["gain"]
    dials = (
        f"With a weekly capacity of {facts['capacity_share']:.0%} of the leads, and **assuming one dial per lead** (no "
        f"dials are recorded, R50), the model's choice brings {interval(estimates['mqls_per_100_dials'], '.2f')} "
        f"conversions per 100 dials; a random choice brings {calibrated['random_mqls_per_100_dials']:.2f}. Skipping "
        f"the lowest 20 % of leads ({sum(row['leads'] for row in last):,} on the holdout) would lose {skipped:.1%} of "
        "the conversions."
    )
    return [
        "## The shipped model on the holdout\n\n" + comparison(estimates, calibrated),
        "## Deciles of score on the holdout\n\n" + _deciles(calibrated["deciles"]),
        f"## What it means for the people who dial\n\n{dials}",
        "## By period (business_impact_metrics)\n\n" + table([name.replace("_", " ") for name in names], business),
    ]


def _overfitting(figures: Facts, facts: Facts) -> list[str]:
    trends = [
        (name.replace("_", " "), *map(_signed, found), "yes" if found[1] is not None and found[1] > 0 else "no")
        for name, found in facts["gap_trends"].items()
    ]
    periods = [
        (row["period"], f"{gaps['in_sample']:.1%}", f"{gaps['oof_to_holdout']:.1%}", f"{gaps['points']:+.2f}")
        for row, gaps in zip(facts["folds"], facts["gaps_by_fold"], strict=True)
    ]
    stable = facts["stability"]
    ranks = table(["feature", *(row["period"] for row in facts["folds"])], facts["importance_by_fold"])
    stability = (
        f"Mean |SHAP| between pairs of periods: Spearman {stable['spearman']:.2f} (worst "
        f"{stable['worst_spearman']:.2f}), Jaccard of the ten first {stable['jaccard_at_10']:.2f} (worst "
        f"{stable['worst_jaccard_at_10']:.2f}). Ranks of the newest period's first features:"
    )
    return [
        "## Three gaps between training and test\n\n" + _gaps(facts["gaps"]),
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


# --- pieces ---------------------------------------------------------------------------------------------------------


def interval(found: Triple, form: str = ".3f") -> str:
    """`0.281 (0.244 to 0.322, 95 %)`; without the interval where it is not judgeable."""
    value, low, high = found
    text = _number(value, form)
    return text if low is None or high is None else f"{text} ({low:{form}} to {high:{form}}, 95 %)"


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


def _folds(folds: Sequence[Facts]) -> str:
    rows = [
        (
            number,
            row["period"],
            row["training_leads"],
            row["leads"],
            row["positives"],
            f"{row['prevalence']:.2%}",
            interval(row["auc_pr"]),
            row["purged"],
            row["advisors_left_out"],
        )
        for number, row in enumerate(folds, start=1)
    ]
    header = ["fold", "judged on", "trained on", "leads", "positive", "share", AUC_PR, "purged", "advisor left out"]
    return table(header, rows)


def _gaps(gaps: Facts) -> str:
    rows = [
        ("in sample", f"{gaps['in_sample']:.1%}", "AUC-PR on the training leads, to the holdout; never judged", ""),
        (
            "folds to holdout",
            f"{gaps['oof_to_holdout']:.1%}",
            "mean of the folds, to the holdout; 0 if better",
            "judged",
        ),
        ("points", f"{gaps['points']:+.2f}", "the same in hundredths of AUC-PR", ""),
    ]
    return table(["gap", "value", "what it compares", ""], rows)


def _deciles(rows: Sequence[Facts]) -> str:
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


def _number(value: float | None, form: str = ".3f") -> str:
    return "not judgeable" if value is None else f"{value:{form}}"


def _signed(value: float | None) -> str:
    return "not judgeable" if value is None else f"{value:+.3f}"


def _cell(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value
