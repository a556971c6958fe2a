"""Worlds of known truth, and how often the gates of steps 4.1 and 4.3 get it wrong.

Belongs here: worlds at the level of scores, judged by the product's own figures; the page and the proof both read it.
Does not belong here: fitting boosters (`operating_fitted.py`, and the seeds of the demo world, end to end).

A lead's score is normal, d higher for a positive: AUC = Φ(d/√2), and the true log-odds are linear in the score, so that
Platt scaling is right and whatever is wrong was put there. Sizes are the plan's: 42,000 leads, 3.4 % positive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from leadscore_v6.modeling.calibration import fit_segments
from leadscore_v6.modeling.evaluation import ScoredLeads, compare, cross_validation, gaps
from leadscore_v6.modeling.reliability import (
    Judged,
    Reliability,
    equal_mass_bins,
    expected_calibration_error,
    judge,
    null_ece,
)
from tests.modeling import worlds

PREVALENCE: Final = 0.034
FOLD, CALIBRATE, HOLDOUT = 3_300, 6_300, 8_400
SEGMENTS: Final = ("1", "2_5", "6_20", "21_plus")
SHARES: Final = (0.08, 0.17, 0.3, 0.45)
LEVELS: Final = (0.25, 0.1, 0.0, -0.1)  # of the segments' log-odds
OF = worlds.settings(
    calibration={"min_positives_segment": 20},
    evaluation={"bootstrap_draws": 200, "null_draws": 100, "min_positives_interval": 100},
)


@dataclass(frozen=True)
class Scenario:
    """A kind of model: AUC in each of five folds, in the calibration block, and on the holdout.

    `wrong` names the gates that must stop it; if there are none, every gate must let it pass. `rates` are the
    prevalences of calibration block and holdout over the plan's; `logit` the AUC of the baseline.
    """

    name: str
    folds: tuple[float, ...]
    calibrate: float
    holdout: float
    wrong: frozenset[str] = frozenset()
    rates: tuple[float, float] = (1.0, 1.0)
    logit: float = 0.60


def steady(name: str, auc: float, *wrong: str, **changes: object) -> Scenario:
    """The same AUC everywhere."""
    return Scenario(name, (auc,) * 5, auc, auc, frozenset(wrong), **changes)  # type: ignore[arg-type]


DISCRIMINATION: Final = (
    steady("good, AUC .84", 0.84),
    steady("just good, AUC .81 (AUC-PR .18)", 0.81),
    steady("weak, AUC .755 (AUC-PR .12)", 0.755, "auc_pr"),
    steady("no better than chance", 0.5, "auc_pr", "above_prevalence", "logit"),
    Scenario("falls off on the holdout, .85 to .78", (0.85,) * 5, 0.85, 0.78, frozenset({"gap"})),
    Scenario("unsteady over folds, .72 to .90", (0.90, 0.74, 0.88, 0.72, 0.86), 0.82, 0.84, frozenset({"cv"})),
    steady("equal to the logit, AUC .83", 0.83, logit=0.83),
    steady("behind the logit, .81 against .86", 0.81, "logit", logit=0.86),
)
CALIBRATION: Final = (
    steady("right", 0.84),
    steady(
        "odds doubled: the base rate halved after calibration", 0.84, "expected_observed", "null_ece", rates=(1.0, 0.5)
    ),
    Scenario(
        "overconfident: calibrated where it was better (in sample)", (), 0.93, 0.76, frozenset({"slope", "null_ece"})
    ),
    steady("noise", 0.5, "brier_skill"),
)
GATES: Final = {
    "auc_pr": "4.1 mean CV AUC-PR > .15 (literal)",
    "above_prevalence": "4.1 lower bound of holdout AUC-PR above prevalence (R18)",
    "gap": "4.1 train-test gap < 15 % (literal, mean fold to holdout)",
    "cv": "4.1 CV coefficient < 20 % (literal)",
    "logit": "4.1 logit not better beyond the paired interval (R18)",
    "ece": "4.3 ECE <= .05 overall (literal)",
    "segment_ece": "4.3 ECE <= .05 in every segment (literal)",
    "expected_observed": "4.3 interval of expected/observed meets [.9, 1.1] (R20)",
    "slope": "4.3 interval of the slope meets [.8, 1.25] (R20)",
    "brier_skill": "4.3 lower bound of Brier skill > 0 (R20)",
    "null_ece": "4.3 ECE at most the 95th percentile of its null (R20)",
}


def verdicts(scenario: Scenario, seed: int) -> dict[str, bool]:
    """True where a gate lets the model of one world pass: the gates of 4.1 if it has folds and a logit, else of 4.3."""
    rng = np.random.default_rng(seed)
    return _calibration(scenario, rng, seed) if scenario in CALIBRATION else _discrimination(scenario, rng, seed)


def passed(scenario: Scenario, seeds: range) -> dict[str, int]:
    """In how many worlds each gate lets the model pass."""
    found = [verdicts(scenario, seed) for seed in seeds]
    return {gate: sum(one[gate] for one in found) for gate in found[0]}


def _block(rng: np.random.Generator, leads: int, auc: float, rate: float = 1.0) -> tuple[np.ndarray, ...]:
    """(n,) labels, scores, segments, advisors (one in ten has a second lead)."""
    segment = rng.choice(len(SEGMENTS), leads, p=SHARES)
    level = logit(PREVALENCE * rate) + np.array(LEVELS)[segment]
    label = (rng.random(leads) < 1 / (1 + np.exp(-level))).astype(np.int8)
    score = rng.normal(size=leads) + np.sqrt(2) * norm.ppf(auc) * label
    return label, score, np.array(SEGMENTS, dtype=object)[segment], rng.integers(0, int(leads * 0.95), leads)


def _scored(rng: np.random.Generator, leads: int, auc: float) -> ScoredLeads:
    label, score, _, advisors = _block(rng, leads, auc)
    days = np.datetime64("2025-01-06") + np.sort(rng.integers(0, 120, leads))
    return ScoredLeads(np.arange(leads), label, score, advisors, days)


def _discrimination(scenario: Scenario, rng: np.random.Generator, seed: int) -> dict[str, bool]:
    folds = [_scored(rng, FOLD, auc) for auc in scenario.folds]
    holdout = _scored(rng, HOLDOUT, scenario.holdout)
    other = rng.normal(size=HOLDOUT) + np.sqrt(2) * norm.ppf(scenario.logit) * holdout.label
    # The gates read the folds' mean and coefficient; their intervals are for the reader.
    crossed = cross_validation(folds, replace(OF.evaluation, bootstrap_draws=2), seed)
    found = cross_validation([holdout], OF.evaluation, seed).average_precision[0]
    paired = compare(ScoredLeads(holdout.rows, holdout.label, other, holdout.advisors, holdout.contact),
                     holdout.score, OF.evaluation, seed)  # fmt: skip
    assert found.low is not None, "8,400 leads have positives enough"
    return {
        "auc_pr": crossed.mean > 0.15,
        "above_prevalence": found.low > float(holdout.label.mean()),
        "gap": gaps(0.5, crossed.mean, found.value).oof_to_holdout < 0.15,
        "cv": crossed.coefficient < 0.20,
        "logit": paired.verdict != "better",
    }


def _calibration(scenario: Scenario, rng: np.random.Generator, seed: int) -> dict[str, bool]:
    label, score, segment, _ = _block(rng, CALIBRATE, scenario.calibrate, scenario.rates[0])
    later, later_score, later_segment, advisors = _block(rng, HOLDOUT, scenario.holdout, scenario.rates[1])
    fitted = fit_segments(score, label, segment, "size", OF.calibration)
    null = null_ece((score, segment), (later_score, later_segment), fitted, (OF.calibration, OF.evaluation), seed)
    leads = Judged(fitted.log_odds(later_score, later_segment), later, advisors)
    found = judge(leads, OF.evaluation, seed, null)
    parts = [leads.of(later_segment == name) for name in SEGMENTS]
    worst = max(expected_calibration_error(equal_mass_bins(expit(one.log_odds), one.label, 10)) for one in parts)
    return {"ece": found.ece <= 0.05, "segment_ece": worst <= 0.05, **dict(_companions(found))}


def _companions(found: Reliability) -> Iterator[tuple[str, bool]]:
    """R20, from the ruling's text."""
    for name, (low, high) in {"expected_observed": (0.9, 1.1), "slope": (0.8, 1.25)}.items():
        estimate = getattr(found, name)
        yield name, estimate.low <= high and estimate.high >= low
    assert found.brier_skill.low is not None
    yield "brier_skill", found.brier_skill.low > 0
    assert found.null_ece_p95 is not None
    yield "null_ece", found.ece <= found.null_ece_p95
