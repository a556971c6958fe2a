"""Small worlds whose boosters are fitted, and how often the gates of 4.2 and 4.4 that need them get it wrong.

Belongs here: worlds of leads and features, each a way in which a model is right or wrong over time, judged by the
product's own canaries and backtest. Does not belong here: what scores alone can tell (`operating.py`).

A world has 6,000 leads over two years, 18 % positive so that each of five test blocks has the hundred positives that an
interval asks for, and 24 features, twelve of which matter: in six pairs, each by a threshold on both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from leadscore_v6.modeling.backtest import backtest
from leadscore_v6.modeling.canaries import sing
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.modeling.data import TrainingData, training_data
from leadscore_v6.modeling.splits import final_split
from tests.modeling import worlds
from tests.modeling.operating import Asked, passing

Floats = NDArray[np.float64]
LEADS: Final = 6_000
DAYS, MONTHS = 650, 21
PAIRS: Final = 6
WEIGHTS: Final = np.array([2.6, 2.3, 2.0, 1.8, 1.6, 1.4])  # log-odds of a pair whose features are both high
RATE: Final = 0.18
FEATURES: Final = tuple(f"x{number:02d}" for number in range(24))
OF = worlds.settings(
    booster={"max_rounds": 40, "learning_rate": 0.2, "early_stopping_rounds": 8, "max_depth": 3},
    evaluation={"bootstrap_draws": 200, "min_positives_interval": 100, "shap_rows": 300},
)
GATES: Final = {
    "leaks": Asked(
        "model_leak_canaries",
        f"features of a univariate AUC above {OF.canaries.max_univariate_auc:g}, audit columns in other numbers",
    ),
    "gap": Asked("backtest_train_test_gap", "gap from the earlier folds to the last, the plan's literal"),
    "cv": Asked("backtest_cv_coefficient", "CV coefficient, the plan's literal"),
    "importance": Asked("backtest_importance_stable", "mean |SHAP| agrees between folds (R40)"),
    "growth": Asked("backtest_no_overfitting", "gaps that grow beyond their interval, and a better logit (R40)"),
}


@dataclass(frozen=True)
class FittedScenario:
    """`strengths` (time in 0 to 1) gives (n, 6) factors of the pairs' weights; `leak` a column made from the label.

    `wrong` names the gates that must stop it; if there are none, every gate must let it pass. A leak is looked for
    before anything is fitted, so those worlds have no other verdict.
    """

    name: str
    strengths: Callable[[Floats], Floats]
    wrong: frozenset[str] = frozenset()
    leak: Callable[[np.random.Generator, Floats], Floats] | None = None


def _steady(time: Floats) -> Floats:
    return np.ones((len(time), PAIRS))


def _nothing(time: Floats) -> Floats:
    return np.zeros((len(time), PAIRS))


def _fading(time: Floats) -> Floats:
    return np.repeat(np.clip(1.25 - 1.25 * time, 0, 1)[:, None], PAIRS, axis=1)


def _ends(time: Floats) -> Floats:
    return np.repeat((time < 0.88)[:, None].astype(float), PAIRS, axis=1)


def _turning(time: Floats) -> Floats:
    """One pair after the other is all that matters, each for a sixth of the time."""
    return 1.5 * (np.arange(PAIRS) == np.minimum((time * PAIRS).astype(int), PAIRS - 1)[:, None])


def _replaced(time: Floats) -> Floats:
    """Three pairs matter in the first half, the other three in the second."""
    return ((np.arange(PAIRS) < PAIRS // 2) == (time < 0.5)[:, None]).astype(float)


# Functions with a name, since worlds are made in other processes.
def _blurred(weight: float, rng: np.random.Generator, label: NDArray[np.int8]) -> Floats:
    return weight * label + rng.normal(size=len(label))


def _known_of(share: float, rng: np.random.Generator, label: NDArray[np.int8]) -> Floats:
    return np.where((label == 1) & (rng.random(len(label)) < share), rng.normal(size=len(label)), np.nan)


FITTED: Final = (
    FittedScenario("steady", _steady),
    FittedScenario("labels that mean nothing", _nothing, frozenset({"importance"})),
    FittedScenario("what matters changes every four months", _turning, frozenset({"importance"})),
    FittedScenario("what matters is replaced half-way", _replaced, frozenset({"importance"})),
    FittedScenario("the signal fades to nothing in two years", _fading, frozenset({"gap", "cv", "growth"})),
    FittedScenario("the signal ends with the last fold", _ends, frozenset({"gap", "cv", "growth"})),
)
LEAKS: Final = (
    FittedScenario("honest", _steady),
    FittedScenario(
        "the label and noise, AUC .86", _steady, frozenset({"leaks"}), partial(_blurred, 1.5)
    ),
    FittedScenario(
        "the label and more noise, AUC .76", _steady, frozenset({"leaks"}), partial(_blurred, 1.0)
    ),
    FittedScenario(
        "known of 75 % of positives, of no other",
        _steady,
        frozenset({"leaks"}),
        partial(_known_of, 0.75),
    ),
    FittedScenario(
        "known of 50 % of positives, of no other",
        _steady,
        frozenset({"leaks"}),
        partial(_known_of, 0.5),
    ),
)


def fitted_verdicts(scenario: FittedScenario, seed: int) -> dict[str, bool]:
    """True where a gate lets the model of one world pass."""
    data = world(scenario, seed)
    # By name: in another process a scenario is a copy, whose functions are not the same.
    if scenario.name in {one.name for one in LEAKS}:
        report = sing(data, final_split(data, OF.split).train, OF.canaries, seed)
        return passing(GATES, {"leaks": len(report.leaks), "canaries_missed": report.missed})
    return passing(GATES, backtest(data, OF, progress=lambda _: None).figures())


def fitted_passed(scenario: FittedScenario, seeds: range) -> dict[str, int]:
    """In how many worlds each gate lets the model pass."""
    found = [fitted_verdicts(scenario, seed) for seed in seeds]
    return {gate: sum(one[gate] for one in found) for gate in found[0]}


def world(scenario: FittedScenario, seed: int) -> TrainingData:
    """One world's training set; a leak takes the place of the last feature, which is noise otherwise."""
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(0, DAYS, LEADS))
    values = rng.normal(size=(LEADS, len(FEATURES)))
    both = (values[:, : 2 * PAIRS : 2] > 0) & (values[:, 1 : 2 * PAIRS : 2] > 0.2)
    pull = (both * WEIGHTS * scenario.strengths(day / DAYS)).sum(axis=1)
    label = (rng.random(LEADS) < _at_the_rate(pull)).astype(np.int64)
    if scenario.leak:
        values[:, -1] = scenario.leak(rng, label.astype(float))
    frame = pd.DataFrame(values, columns=list(FEATURES)).assign(
        Id=[f"L{number:06d}" for number in rng.permutation(LEADS)],
        FA_CRD__c=(rng.integers(0, int(0.95 * LEADS), LEADS) + 1000).astype(str),
        target_label=label,
        contact_date=np.datetime64("2024-01-08") + day,
    )
    return training_data(frame, [FeatureColumn(name, "FLOAT64") for name in FEATURES], ())


def _at_the_rate(pull: Floats) -> Floats:
    """(n,) probabilities of these log-odds and a level that makes each month 18 % positive."""
    return np.concatenate(
        [expit(part + brentq(lambda level, at=part: expit(at + level).mean() - RATE, -20, 20))
         for part in np.array_split(pull, MONTHS)]
    )  # fmt: skip
