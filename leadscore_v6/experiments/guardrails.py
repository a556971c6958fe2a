"""What the treatment must not make worse (plan 5.3 "no safety issues", R40): dials, time to first touch, conversion.

Belongs here: each guardrail's ratio of the arms with its one-sided bound. Does not belong here: the primary KPI, and
what follows from a guardrail that does not hold (`readout.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import pandas as pd

from leadscore_v6.experiments.effect import Comparison, RatioSums
from leadscore_v6.experiments.settings import CONTROL, TREATMENT, Arm, ExperimentSettings, ReadoutSettings

State = Literal["holds", "open", "harm", "not judgeable"]
_SAYS: Final = {
    "dials_per_lead": "dials per enrolled lead",
    "days_to_first_dial": "days from assignment to the first dial",
    "conversion": "MQLs per enrolled lead",
}


@dataclass(frozen=True)
class Guardrail:
    """One guardrail: treatment's figure over control's.

    ratio   None where it is not judgeable: no advisors, or nothing counted in an arm
    bound   the worst ratio that the data leave open, one-sided at `guardrail_level`
    state   `holds`: the bound is within the margin; `harm`: even the best ratio left open is beyond it; `open`: neither
    """

    name: str
    says: str
    treatment: float
    control: float
    ratio: float | None
    bound: float | None
    limit: float
    state: State


def process_guardrails(leads: pd.DataFrame, as_of: date, settings: ExperimentSettings) -> tuple[Guardrail, ...]:
    """Dials and time to first touch, of leads whose queue is over: no outcome is in them, so that any day may see them.

    `leads` are a `Cohort`'s.
    """
    settled = _enrolled_before(leads, as_of, settings.design.queue_days)
    dialled = settled[settled["dialled_on"].notna()]
    days = (dialled["dialled_on"] - dialled["enrolled_on"]).dt.days
    return (
        _more_is_better("dials_per_lead", _compare(settled, settled["dials"]), settings.readout),
        _less_is_better("days_to_first_dial", _compare(dialled, days), settings.readout),
    )


def outcome_guardrail(leads: pd.DataFrame, as_of: date, settings: ExperimentSettings) -> Guardrail:
    """MQLs per enrolled lead, of leads whose follow-up is over: for planned looks only, it compares outcomes by arm."""
    design = settings.design
    over = _enrolled_before(leads, as_of, design.queue_days + design.matures_after_days)
    return _more_is_better("conversion", _compare(over, is_mql(over, design.follow_up_days)), settings.readout)


def is_mql(leads: pd.DataFrame, follow_up_days: int) -> pd.Series:
    """Whether a lead counts in the KPI: its call was scheduled on the day of its first dial or within the follow-up."""
    after = leads["converted_on"] - leads["dialled_on"]
    return (after >= pd.Timedelta(0)) & (after <= pd.Timedelta(days=follow_up_days))


def _enrolled_before(leads: pd.DataFrame, as_of: date, days: int) -> pd.DataFrame:
    return leads[leads["enrolled_on"] + pd.Timedelta(days=days) <= pd.Timestamp(as_of)]


def _compare(leads: pd.DataFrame, counted: pd.Series) -> Comparison:
    def sums(arm: Arm) -> RatioSums:
        rows = leads["arm"] == arm
        y = counted[rows].to_numpy(dtype="float64")
        return RatioSums.of(y, y * 0 + 1, leads.loc[rows, "crd"].to_numpy())

    return Comparison(sums(TREATMENT), sums(CONTROL))


def _more_is_better(name: str, arms: Comparison, settings: ReadoutSettings) -> Guardrail:
    return _judged(name, arms, settings, better=1)


def _less_is_better(name: str, arms: Comparison, settings: ReadoutSettings) -> Guardrail:
    return _judged(name, arms, settings, better=-1)


def _judged(name: str, arms: Comparison, settings: ReadoutSettings, better: Literal[1, -1]) -> Guardrail:
    """`better` is the sign of a good difference."""
    from scipy.special import ndtri

    limit = 1 - better * settings.guardrail_margin
    figures = float(arms.treatment.ratio), float(arms.control.ratio)
    log_ratio, error = float(arms.log_ratio), float(arms.log_ratio_error)
    if not (math.isfinite(log_ratio) and math.isfinite(error)):
        return Guardrail(name, _SAYS[name], *figures, None, None, limit, "not judgeable")
    reach = float(ndtri(settings.guardrail_level)) * error
    worst, best = (math.exp(log_ratio - sign * better * reach) for sign in (1, -1))
    state: State = "open"
    if better * (worst - limit) >= 0:
        state = "holds"
    elif better * (best - limit) < 0:
        state = "harm"
    return Guardrail(name, _SAYS[name], *figures, math.exp(log_ratio), worst, limit, state)
