"""Do probabilities mean what they say: ECE and the companions that make it mean something (R20).

Belongs here: judging probabilities on leads that neither model nor calibrator saw. Does not belong here: fitting a
calibrator (`calibration.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from leadscore_v6.modeling.evaluation import Estimate


@dataclass(frozen=True)
class Bin:
    """One of the equal-mass bins of ECE: leads, mean probability, observed rate."""

    leads: int
    expected: float
    observed: float


@dataclass(frozen=True)
class Reliability:
    """Calibration of k leads.

    ece               mean |observed − expected| over equal-mass bins, weighted by leads
    null_ece_p95      95th percentile of ECE if the probabilities were true, calibrator refitted in each draw; None per
                      segment and where not judgeable
    expected_observed sum of probabilities over positives (1 is right); slope and intercept of the logistic regression
                      of the label on the log-odds (1 and 0 are right); brier_skill = 1 − Brier / Brier of the base rate
    """

    leads: int
    positives: int
    ece: float
    null_ece_p95: float | None
    expected_observed: Estimate
    slope: Estimate
    intercept: Estimate
    brier_skill: Estimate
    bins: tuple[Bin, ...]
