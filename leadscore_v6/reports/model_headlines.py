"""What the model's reports say first: the verdict in words, for a person who reads no table.

Belongs here: sentences made from the figures and facts of steps 4.1 to 4.4. Does not belong here: tables (model.py).
"""

from __future__ import annotations

from collections.abc import Callable

from leadscore_v6.reports.model_pieces import AUC_PR, Facts, interval, number, signed

PLANS_AUC_PR = 0.15


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
            f"({signed(low)} to {signed(high)}). The simpler model may deserve the place."
        ),
        "worse": (
            f"{model} is better than the {baseline}: {reached}, less by {number(high and -high)} to "
            f"{number(low and -low)} (95 %, paired)."
        ),
    }
    otherwise = f"Whether the {baseline} is better is not judgeable, with so few conversions: {reached}."
    return said.get(facts["baseline_verdict"], otherwise)


def _calibration_headlines(figures: Facts, facts: Facts) -> list[str]:
    after, block, holdout = facts["after"], facts["calibration"], facts["holdout"]
    how_good = (
        f"On the holdout the calibrated scores expect **{interval(after['expected_observed'], '.2f')}** times the "
        f"conversions that came (1 is right), with a slope of **{interval(after['slope'], '.2f')}** (1 is right). ECE "
        f"is **{number(figures['ece'], '.4f')}**; a right model of this size would show up to "
        f"{number(figures['null_ece_p95'], '.4f')} by chance, and before calibration it was "
        f"{number(facts['before']['ece'], '.4f')}."
    )
    on_what = (
        f"Calibrated on {block['leads']:,} leads of {block['from']} to {block['to']}, which trained nothing; judged on "
        f"{holdout['leads']:,} leads of {holdout['from']} to {holdout['to']}."
    )
    return [how_good, on_what]


def _backtest_headlines(figures: Facts, facts: Facts) -> list[str]:
    text = (
        f"Fitted anew in each of {len(facts['folds'])} periods, model and calibrator differ between periods by a "
        f"coefficient of {number(figures['cv_coefficient'], '.2f')} in {AUC_PR}; chance alone would give about "
        f"{number(figures['cv_noise'], '.2f')}. The gap from the earlier periods to the newest is "
        f"{number(figures['train_test_gap'], '.1%')}."
    )
    return [*_random_folds(figures), text]


HEADLINES: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "model_training_report": _training_headlines,
    "calibration_report": _calibration_headlines,
    "backtesting_report": _backtest_headlines,
}
