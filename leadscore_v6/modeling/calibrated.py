"""Plan step 4.3: the calibrator, and whether the probabilities hold on the holdout.

Belongs here: the order of things in step 4.3. Does not belong here: Platt (`calibration.py`), ECE (`reliability.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.modeling.booster import FittedModel, margins
from leadscore_v6.modeling.calibration import Calibrator, fit_calibrator, refuse_in_sample
from leadscore_v6.modeling.columns import numbers
from leadscore_v6.modeling.data import UNKNOWN, TrainingData
from leadscore_v6.modeling.evaluation import Evaluation, ScoredLeads, evaluate
from leadscore_v6.modeling.importance import Importance, evenly, mean_abs_shap
from leadscore_v6.modeling.parallel import side_by_side
from leadscore_v6.modeling.reliability import Judged, Reliability, judge, null_ece
from leadscore_v6.modeling.settings import ModelSettings
from leadscore_v6.modeling.splits import FinalSplit, Rows


@dataclass(frozen=True)
class Calibration:
    """Outcome of step 4.3. `holdout.score` are probabilities, `segments` their segments (R19).

    `before` judges the raw sigmoid of the margin, `after` the calibrated probabilities, both on the holdout;
    `importance_*` are mean |SHAP| in log-odds before and after (a global slope scales, segments reweigh).
    `reference` are the sorted probabilities of the calibration block: a score's rank is its percentile among them.
    """

    calibrator: Calibrator
    before: Reliability
    after: Reliability
    by_segment: dict[str, Reliability]
    holdout: ScoredLeads
    segments: NDArray[np.object_]
    evaluation: Evaluation
    importance_before: tuple[Importance, ...]
    importance_after: tuple[Importance, ...]
    reference: NDArray[np.float64]

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 4.3 read; None is not judgeable.

        ece, worst_segment_ece (the plan's two); worst_judged_segment_ece (of segments with enough positives for an
        interval: below, ECE is noise) and segments_judged, their number; null_ece_p95, ece_beyond_null (ece −
        null_ece_p95), expected_observed and slope, each with _low and _high, brier_skill_low, segments_on_global.
        """
        after = self.after
        judged = [one.ece for one in self.by_segment.values() if one.slope.low is not None]
        worst = max(one.ece for one in self.by_segment.values())
        return {
            "ece": after.ece,
            "worst_segment_ece": worst,
            "worst_judged_segment_ece": max(judged, default=None),
            "segments_judged": len(judged),
            "null_ece_p95": after.null_ece_p95,
            "ece_beyond_null": None if after.null_ece_p95 is None else after.ece - after.null_ece_p95,
            "expected_observed": after.expected_observed.value,
            "expected_observed_low": after.expected_observed.low,
            "expected_observed_high": after.expected_observed.high,
            "slope": after.slope.value,
            "slope_low": after.slope.low,
            "slope_high": after.slope.high,
            "brier_skill_low": after.brier_skill.low,
            "segments_on_global": sum(fit.is_global for fit in self.calibrator.segments.values()),
        }


def calibrate(
    data: TrainingData, split: FinalSplit, model: FittedModel, settings: ModelSettings, *, workers: int = 1
) -> Calibration:
    """Step 4.3: fit on the calibration block, judge on the holdout. `workers` changes the time, never a byte.

    Raises InputError if the model was trained on any lead or advisor of either, or after them.
    """
    refuse_in_sample(data, split.holdout, np.concatenate([model.trained_on, split.calibrate]))
    early, late = split.calibrate, split.holdout
    encoded = model.spec.encode(data.features.iloc[late]).matrix
    margin, later = model.margin(data.features.iloc[early]), margins(model.loaded, encoded)
    calibrator = fit_calibrator(data, early, margin, model.trained_on, settings.calibration)
    segments, seed, judged = data.segments[late], settings.seed, settings.evaluation
    leads = Judged(calibrator.log_odds(later, segments), data.label[late], data.advisors[late])
    holdout = ScoredLeads.of(data, late, calibrator.probability(later, segments))
    at = evenly(np.arange(len(late)), judged.shap_rows)
    blocks = (margin, data.segments[early]), (later, segments)
    null = null_ece(*blocks, calibrator, (settings.calibration, judged), seed, workers)
    tasks: list[Callable[[], Any]] = [
        partial(model.contributions, encoded[at]),
        partial(evaluate, holdout, judged, seed),
        partial(judge, Judged(later, leads.label, leads.advisors), judged, seed),
        partial(judge, leads, judged, seed, null),
    ]
    known = sorted(set(segments.tolist()))
    tasks += [partial(judge, leads.of(segments == segment), judged, seed) for segment in known]
    shap, evaluation, before, after, *by_segment = side_by_side(tasks, workers)
    return Calibration(
        calibrator=calibrator,
        before=before,
        after=after,
        by_segment=dict(zip(known, by_segment, strict=True)),
        holdout=holdout,
        segments=segments,
        evaluation=evaluation,
        importance_before=mean_abs_shap(model.spec.names, shap),
        importance_after=mean_abs_shap(model.spec.names, shap * calibrator.lines(segments[at])[0][:, None]),
        reference=np.sort(calibrator.probability(margin, data.segments[early])),
    )


def subgroups(
    calibration: Calibration, data: TrainingData, column: str, settings: ModelSettings
) -> dict[str, tuple[Evaluation, Reliability]]:
    """The holdout by the values of a feature column (numbers: quartiles of the known): the model card's table.

    Groups without both classes are left out: nothing can be said of them.
    """
    holdout, found = calibration.holdout, {}
    groups = _groups(data, column, holdout.rows)
    log_odds = np.log(holdout.score / (1 - holdout.score))
    judged = Judged(log_odds, holdout.label, holdout.advisors)
    for name in sorted(set(groups.tolist())):
        inside = groups == name
        if 0 < holdout.label[inside].sum() < inside.sum():
            part = ScoredLeads.of(data, holdout.rows[inside], holdout.score[inside])
            found[name] = (
                evaluate(part, settings.evaluation, settings.seed),
                judge(judged.of(inside), settings.evaluation, settings.seed),
            )
    return found


def _groups(data: TrainingData, column: str, rows: Rows) -> NDArray[np.object_]:
    values = data.features[column].iloc[rows]
    is_text = next(of for of in data.columns if of.name == column).type == "STRING"
    if not is_text:
        known, few = numbers(values, column), values.nunique() <= 4
        values = pd.Series(known).map("{:g}".format) if few else pd.qcut(known, 4, duplicates="drop").astype(str)
    named = pd.Series(values).astype(object)
    groups: NDArray[np.object_] = named.where(named.notna() & (named != "nan"), UNKNOWN).astype(str).to_numpy(object)
    return groups
