"""Worlds of known truth, and how often the gates of steps 4.1 and 4.3 get it wrong.

Belongs here: worlds at the level of scores, judged by the product's own figures; the page and the proof both read it.
Does not belong here: fitting boosters (`operating_fitted.py`, and the seeds of the demo world, end to end).

A lead's score is normal, d higher for a positive: AUC = Φ(d/√2), and the true log-odds are linear in the score, so that
Platt scaling is right and whatever is wrong was put there. Sizes are the plan's: 42,000 leads, 3.4 % positive. What a
gate asks is read from config/gates.yaml: another threshold there is another page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import logit
from scipy.stats import norm

from leadscore_v6.gates.judge import Figures
from leadscore_v6.gates.judge import judge as judge_gate
from leadscore_v6.gates.registry import Gate, load_gates
from leadscore_v6.modeling.calibration import fit_segments
from leadscore_v6.modeling.evaluation import ScoredLeads, compare, cross_validation, evaluate, gaps
from leadscore_v6.modeling.reliability import Judged, judge, null_ece
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
@dataclass(frozen=True)
class Asked:
    """What a column of the page is about: a gate of config/gates.yaml, whole or one of its two halves."""

    gate: str
    says: str
    half: str = "whole"

    @property
    def judged(self) -> Gate:
        """The gate that is that half, or the gate itself."""
        gate = load_gates()[self.gate]
        if self.half == "whole":
            return gate
        condition = gate.literal if self.half == "literal" else gate.companion
        assert condition is not None, f"{self.gate} has a companion"
        return replace(gate, literal=condition, companion=None, combine="literal_and_companion")

    def __str__(self) -> str:
        """As it stands below a table, with the threshold of the file."""
        gate = self.judged
        return f"{gate.step} {self.says}: `{gate.literal.figure}` {gate.threshold}"

    def passes(self, figures: Figures) -> bool:
        """Whether a model of these figures gets through. What is not judgeable stops, as in the product."""
        return not judge_gate(self.judged, figures).blocks


def passing(asked: Mapping[str, Asked], figures: Figures) -> dict[str, bool]:
    """Of each column whose figures are there, whether the model passes."""
    return {name: one.passes(figures) for name, one in asked.items() if one.judged.literal.figure in figures}


GATES: Final = {
    "auc_pr": Asked("model_cv_auc_pr", "mean AUC-PR of the folds, the plan's literal", "literal"),
    "above_prevalence": Asked("model_cv_auc_pr", "lower bound of holdout AUC-PR over prevalence (R18)", "companion"),
    "gap": Asked("model_train_test_gap", "gap from mean fold to holdout, the plan's literal"),
    "cv": Asked("model_cv_coefficient", "CV coefficient, the plan's literal"),
    "logit": Asked("model_not_worse_than_baseline", "logit not better beyond the paired interval (R18)"),
    "ece": Asked("calibration_ece", "ECE overall, the plan's literal", "literal"),
    "segment_ece": Asked("calibration_ece_segments", "ECE in the worst segment, the plan's literal", "literal"),
    "judged_segment_ece": Asked(
        "calibration_ece_segments", "the same of segments with conversions enough, which is what stops", "companion"
    ),
    "expected_observed": Asked("calibration_expected_observed", "interval of expected over observed (R20)"),
    "slope": Asked("calibration_slope", "interval of the slope (R20)"),
    "brier_skill": Asked("calibration_brier_skill", "lower bound of the Brier skill (R20)"),
    "null_ece": Asked("calibration_ece", "ECE less the 95th percentile of its null (R20)", "companion"),
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
    found = evaluate(holdout, OF.evaluation, seed)
    paired = compare(ScoredLeads(holdout.rows, holdout.label, other, holdout.advisors, holdout.contact),
                     holdout.score, OF.evaluation, seed)  # fmt: skip
    figures = {
        "cv_average_precision": crossed.mean,
        "ap_over_prevalence_low": found.ap_over_prevalence.low,
        "train_test_gap": gaps(0.5, crossed.mean, found.average_precision.value).oof_to_holdout,
        "cv_coefficient": crossed.coefficient,
        "logit_minus_model_low": paired.difference.low,
    }
    return passing(GATES, figures)


def _calibration(scenario: Scenario, rng: np.random.Generator, seed: int) -> dict[str, bool]:
    label, score, segment, _ = _block(rng, CALIBRATE, scenario.calibrate, scenario.rates[0])
    later, later_score, later_segment, advisors = _block(rng, HOLDOUT, scenario.holdout, scenario.rates[1])
    fitted = fit_segments(score, label, segment, "size", OF.calibration)
    null = null_ece((score, segment), (later_score, later_segment), fitted, (OF.calibration, OF.evaluation), seed)
    leads = Judged(fitted.log_odds(later_score, later_segment), later, advisors)
    found = judge(leads, OF.evaluation, seed, null)
    assert found.null_ece_p95 is not None, "8,400 leads have positives enough"
    # Of a segment only the ECE is read, and whether it has positives enough for an interval.
    few = replace(OF.evaluation, bootstrap_draws=2)
    parts = [judge(leads.of(later_segment == name), few, seed) for name in SEGMENTS]
    figures = {
        "ece": found.ece,
        "worst_segment_ece": max(one.ece for one in parts),
        "worst_judged_segment_ece": max((one.ece for one in parts if one.slope.low is not None), default=None),
        "expected_observed_low": found.expected_observed.low,
        "expected_observed_high": found.expected_observed.high,
        "slope_low": found.slope.low,
        "slope_high": found.slope.high,
        "brier_skill_low": found.brier_skill.low,
        "ece_beyond_null": found.ece - found.null_ece_p95,
    }
    return passing(GATES, figures)
