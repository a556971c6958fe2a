"""The primary figure of a look: MQLs per 100 dials by assigned arm, lift, and what adoption makes of it (plan 5.3).

Belongs here: the comparison of the arms at one look, by intention to treat. Does not belong here: whether the look is
due (`looks.py`), guardrails, the decision (`readout.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.estimate import Estimate
from leadscore_v6.experiments.effect import Comparison, RatioSums, complier_effect
from leadscore_v6.experiments.guardrails import is_mql
from leadscore_v6.experiments.looks import DueLook, Look
from leadscore_v6.experiments.sequential import Boundaries, adjusted_p, drift_interval
from leadscore_v6.experiments.settings import CONTROL, TREATMENT, Arm, ExperimentSettings

Interval = Literal["repeated", "stage-wise", "none"]
_WIDTH: Final = 1.959964  # standard errors of a plain 95 % interval


@dataclass(frozen=True)
class ArmFigures:
    """One arm, its advisors with a matured dial. `dialled` leads have one, `mqls` converted in the follow-up.

    before_dial         leads that converted before their first dial, which is not the dial's merit
    mqls_per_100_dials  with its plain cluster-robust interval
    """

    arm: Arm
    advisors: int
    dialled: int
    dials: int
    mqls: int
    before_dial: int
    mqls_per_100_dials: Estimate


@dataclass(frozen=True)
class Primary:
    """The arms compared. `z` is None without any MQL; then nothing below is judgeable.

    p          two-sided, stage-wise adjusted for the looks; None until a boundary is crossed or the final look is here,
               and where an arm has too few MQLs
    deciding_z the z that p is of: this look's, or that of the first look that crossed; None where p is
    p_nominal  as if this were the only look; to be read beside `critical`, never alone
    lift       relative, treatment over control, minus 1. Its interval is stage-wise (exact) at the look that gives the
               p-value, and repeated (right at every look, wider) before and after it: `interval` says which
    difference MQLs per 100 dials, treatment minus control; at the look's critical value, as `cace`
    cace       the difference among dials that followed the model's order: ITT / adoption; `cace_lift` relative
    """

    treatment: ArmFigures
    control: ArmFigures
    z: float | None
    p_nominal: float | None
    critical: float
    p: float | None
    deciding_z: float | None
    lift: Estimate
    interval: Interval
    difference: Estimate
    adoption: float
    cace: Estimate
    cace_lift: float

    NAMES: ClassVar = (
        "p_value", "lift", "lift_low", "lift_high", "z", "critical_value", "p_nominal", "adoption", "cace",
        *(f"{name}_{arm}" for arm in (TREATMENT, CONTROL) for name in ("mqls_per_100_dials", "mqls", "dials")),
    )  # fmt: skip

    def figures(self) -> dict[str, float | int | None]:
        """By NAMES; None: not judgeable."""
        values: list[float | None] = [
            self.p, self.lift.value if self.interval != "none" else None, self.lift.low, self.lift.high,
            self.z, self.critical, self.p_nominal, self.adoption, self.cace.value,
        ]  # fmt: skip
        for arm in (self.treatment, self.control):
            values += [arm.mqls_per_100_dials.value, arm.mqls, arm.dials]
        finite = (value if value is not None and math.isfinite(value) else None for value in values)
        return dict(zip(self.NAMES, finite, strict=True))


def compare(
    leads: pd.DataFrame, due: DueLook, boundaries: Boundaries, taken: tuple[Look, ...], settings: ExperimentSettings
) -> Primary:
    """The arms at a look. `leads` are the matured ones of a cohort; `boundaries` end at this look; `taken` came before.

    Once a look has crossed its boundary the test has ended by its own rule, and the p-value stays that look's: what
    matures afterwards tightens the lift, under an interval that is right at any look.
    """
    from scipy.special import ndtr

    rules, critical = settings.readout, boundaries.critical[-1]
    arms = Comparison(sums(leads, TREATMENT, settings), sums(leads, CONTROL, settings))
    treatment, control = (_arm(leads, arm, settings) for arm in (TREATMENT, CONTROL))
    z = float(arms.z) if math.isfinite(arms.z) else None
    sure = z is not None and min(treatment.mqls, control.mqls) >= rules.min_conversions
    crossed = next((place for place, look in enumerate(taken) if look.crossed), None)
    ends = sure and (due.is_final or (z is not None and abs(z) >= critical))
    interval: Interval = "none" if not sure else "stage-wise" if ends and crossed is None else "repeated"
    decides = ends or crossed is not None
    deciding_z = (z if crossed is None else taken[crossed].z) if decides else None
    reach = critical if sure else math.nan  # standard errors
    adoption, cace, error = complier_effect(arms, *_adopted(leads, settings))
    return Primary(
        treatment=treatment,
        control=control,
        z=z,
        p_nominal=None if z is None else float(2 * ndtr(-abs(z))),
        critical=critical,
        p=None if deciding_z is None else _p(deciding_z, boundaries, crossed),
        deciding_z=deciding_z,
        lift=_lift(arms, boundaries, interval, settings.design.alpha),
        interval=interval,
        difference=_around(100 * float(arms.difference), 100 * reach * float(arms.difference_error)),
        adoption=adoption,
        cace=_around(100 * cace, 100 * reach * error),
        cace_lift=math.expm1(float(arms.log_ratio)) / adoption if adoption else math.nan,
    )


def sums(leads: pd.DataFrame, arm: Arm, settings: ExperimentSettings) -> RatioSums:
    """MQLs per dial of one arm."""
    rows = leads[leads["arm"] == arm]
    mqls = is_mql(rows, settings.design.follow_up_days).to_numpy(dtype="float64")
    return RatioSums.of(mqls, rows["dials"].to_numpy(dtype="float64"), rows["crd"].to_numpy())


def _arm(leads: pd.DataFrame, arm: Arm, settings: ExperimentSettings) -> ArmFigures:
    rows, found = leads[leads["arm"] == arm], sums(leads, arm, settings)
    rate = float(found.ratio)
    estimate = Estimate(100 * rate)
    if found.counted >= settings.readout.min_conversions:
        reach = math.exp(_WIDTH * math.sqrt(float(found.variance)) / rate)
        estimate = Estimate(100 * rate, 100 * rate / reach, 100 * rate * reach)
    return ArmFigures(
        arm=arm,
        advisors=int(found.advisors),
        dialled=len(rows),
        dials=int(found.per),
        mqls=int(found.counted),
        before_dial=int((rows["converted_on"] < rows["dialled_on"]).sum()),
        mqls_per_100_dials=estimate,
    )


def _p(deciding_z: float, boundaries: Boundaries, crossed: int | None) -> float:
    """Of the look that ended the test: the first one that crossed (its place), else the last one."""
    looks = len(boundaries.information) if crossed is None else crossed + 1
    return adjusted_p(boundaries.information[:looks], boundaries.critical[: looks - 1], deciding_z)


def _lift(arms: Comparison, boundaries: Boundaries, interval: Interval, alpha: float) -> Estimate:
    effect, error = float(arms.log_ratio), float(arms.log_ratio_error)
    if interval == "none":
        return Estimate(math.expm1(effect))
    low, high = effect - boundaries.critical[-1] * error, effect + boundaries.critical[-1] * error
    if interval == "stage-wise":
        unit = math.sqrt(boundaries.information[-1]) * error  # of drift, in the log ratio
        drifts = drift_interval(boundaries.information, boundaries.critical[:-1], effect / error, alpha)
        low, high = (unit * drift for drift in drifts)
    return Estimate(math.expm1(effect), math.expm1(low), math.expm1(high))


def _around(value: float, reach: float) -> Estimate:
    return Estimate(value) if math.isnan(reach) else Estimate(value, value - reach, value + reach)


def _adopted(leads: pd.DataFrame, settings: ExperimentSettings) -> tuple[NDArray[Any], ...]:
    """What `complier_effect` takes of the treatment arm."""
    rows = leads[leads["arm"] == TREATMENT]
    mqls = is_mql(rows, settings.design.follow_up_days)
    found = (column.to_numpy(dtype="float64") for column in (mqls, rows["dials"], rows["adopted"]))
    return (*found, rows["crd"].to_numpy())
