"""Plan step 5.2: how many dials the test needs, and whether they can be had (R26, R27, R42).

Belongs here: sample size, power, duration, the calendar of the looks, and what the plan's gate does at a true lift.
Does not belong here: boundaries (`sequential.py`), the judging of the gates, the report.

Power is on **dials**, not leads: of a week's leads only the capacity's share is ever dialled. Rates are MQLs per dial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.sequential import Boundaries, lan_demets
from leadscore_v6.experiments.settings import DesignSettings, ExperimentSettings

WEEK = 7
_ADVISED_WEEKS = (4, 8)  # the plan's "4-week test" and its longest


@dataclass(frozen=True)
class CurvePoint:
    """Power after `weeks` of enrolment: at the target lift, and at what partial adoption leaves of it."""

    weeks: int
    dials: int
    power: float
    power_at_adoption: float


@dataclass(frozen=True)
class PlannedLook:
    """A look: the share of the planned dials that it needs, their number, and the day on which they have matured."""

    number: int
    information: float
    dials: int
    due_on: date


@dataclass(frozen=True)
class PowerAnalysis:
    """Outcome of step 5.2. Dials are first dials; `dials` is the plan for both arms, looks included.

    per_arm_fixed      of one arm (1:1) for a test with one look, statsmodels' arcsine effect size
    per_arm_pooled_z   the same by the textbook's pooled z
    inflation          what the looks ask for on top
    minimum_lift       smallest relative lift found with the wanted power, at `max_enrolment_weeks`
    at_adoption        the lift, the dials and the power at `max_enrolment_weeks` if only `adoption_assumed` is followed
    leads_a_week_needed  flow at which the plan's dials come in within `max_enrolment_weeks`
    """

    baseline_rate: float
    target_rate: float
    leads_per_week: float
    dials_per_week: float
    boundaries: Boundaries
    per_arm_fixed: float
    per_arm_pooled_z: float
    inflation: float
    dials: int
    enrolment_weeks: int
    max_enrolment_weeks: int
    leads_a_week_needed: int
    minimum_lift: float | None
    lift_at_adoption: float
    dials_at_adoption: int
    curve: tuple[CurvePoint, ...]
    calendar: tuple[PlannedLook, ...]

    @property
    def dials_available(self) -> int:
        """First dials that come in within the longest enrolment."""
        return math.floor(self.dials_per_week * self.max_enrolment_weeks)

    def at(self, weeks: int) -> CurvePoint:
        """The curve at so many weeks of enrolment."""
        return self.curve[weeks - 1]

    def figures(self) -> dict[str, float | int | None]:
        """What the gates of 5.2 read.

        power (after the longest enrolment), enrolment_weeks, dials_available_over_required; beside them power_4_weeks,
        power_8_weeks, power_at_adoption (shown, never judged: R42), dials_required, dials_per_week, minimum_lift.
        """
        longest = self.at(self.max_enrolment_weeks)
        return {
            "power": longest.power,
            "enrolment_weeks": self.enrolment_weeks,
            "dials_available_over_required": self.dials_available / self.dials,
            **{f"power_{weeks}_weeks": self.at(weeks).power for weeks in _ADVISED_WEEKS},
            "power_at_adoption": longest.power_at_adoption,
            "dials_required": self.dials,
            "dials_required_at_adoption": self.dials_at_adoption,
            "dials_per_week": self.dials_per_week,
            "leads_a_week_needed": self.leads_a_week_needed,
            "minimum_lift": self.minimum_lift,
        }


def weekly_flow(entered: NDArray[np.datetime64], before: date, weeks: int) -> float:
    """Leads a week: mean over the `weeks` whole weeks that end before the day `before`.

    Raises InputError if no lead is known from before that window: a flow of fewer weeks would pass for one of all.
    """
    days = entered.astype("datetime64[D]")
    start = np.datetime64(before - timedelta(days=WEEK * weeks))
    if not (days < start).any():
        raise InputError(
            f"the weekly flow of leads is the mean over {weeks} weeks, from {start} on; no lead is known from before",
            column="Stage_Entered_Contacting__c",
            remedy="hand in an extract that reaches further back, or a shorter flow_window_weeks (v6_experiment.yaml)",
        )
    return float(((days >= start) & (days < np.datetime64(before))).sum()) / weeks


def power_analysis(
    baseline_rate: float, leads_per_week: float, settings: ExperimentSettings, starts_on: date
) -> PowerAnalysis:
    """Step 5.2 from today's MQLs per dial, the flow of leads and the first day of enrolment.

    Raises UsageError if rate or flow cannot be, or the target lift asks for a rate of 1 or more.
    """
    design, share = settings.design, settings.assignment.treatment_share
    target = baseline_rate * (1 + design.target_lift)
    if not (baseline_rate > 0 and target < 1 and leads_per_week > 0):
        raise UsageError(
            f"a test of + {design.target_lift:.0%} on {baseline_rate:.4f} MQLs per dial at {leads_per_week:.0f} leads "
            "a week cannot be designed: the rates must lie between 0 and 1, and leads must come in."
        )
    boundaries = lan_demets(design.looks, design.alpha)
    per_week = leads_per_week * design.capacity_share
    factor = inflation(boundaries, design)
    dials = _dials(baseline_rate, design.target_lift, factor, share, design)
    adopted = design.target_lift * design.adoption_assumed
    enrolment = math.ceil(dials / per_week)
    test = _Test(baseline_rate, share, boundaries)
    weeks = max(enrolment, design.max_enrolment_weeks, *_ADVISED_WEEKS) + 4
    return PowerAnalysis(
        baseline_rate=baseline_rate,
        target_rate=target,
        leads_per_week=leads_per_week,
        dials_per_week=per_week,
        boundaries=boundaries,
        per_arm_fixed=required_per_arm(baseline_rate, design.target_lift, design),
        per_arm_pooled_z=pooled_z_per_arm(baseline_rate, design.target_lift, design),
        inflation=factor,
        dials=dials,
        enrolment_weeks=enrolment,
        max_enrolment_weeks=design.max_enrolment_weeks,
        leads_a_week_needed=math.ceil(dials / design.max_enrolment_weeks / design.capacity_share),
        minimum_lift=test.minimum_lift(per_week * design.max_enrolment_weeks, design.power),
        lift_at_adoption=adopted,
        dials_at_adoption=_dials(baseline_rate, adopted, factor, share, design),
        curve=tuple(
            CurvePoint(
                weeks=week,
                dials=math.floor(per_week * week),
                power=test.power(per_week * week, design.target_lift),
                power_at_adoption=test.power(per_week * week, adopted),
            )
            for week in range(1, weeks + 1)
        ),
        calendar=calendar(dials, per_week, design, starts_on),
    )


def required_per_arm(rate: float, lift: float, design: DesignSettings) -> float:
    """Dials of each of two equal arms, one look: statsmodels' normal test on the arcsine effect size."""
    from statsmodels.stats.power import NormalIndPower

    return float(
        NormalIndPower().solve_power(effect_size(rate, lift), alpha=design.alpha, power=design.power, nobs1=None)
    )


def pooled_z_per_arm(rate: float, lift: float, design: DesignSettings) -> float:
    """The same by the pooled z of two proportions (Fleiss 1981, without continuity correction)."""
    from scipy.special import ndtri

    other = rate * (1 + lift)
    mean = (rate + other) / 2
    null = -ndtri(design.alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    alternative = ndtri(design.power) * math.sqrt(rate * (1 - rate) + other * (1 - other))
    return float(((null + alternative) / (other - rate)) ** 2)


def effect_size(rate: float, lift: float) -> float:
    """Cohen's h of `rate` against `rate` times 1 + `lift`; a rate of 1 or more counts as 1."""
    from statsmodels.stats.proportion import proportion_effectsize

    return float(proportion_effectsize(min(1.0, rate * (1 + lift)), rate))


def inflation(boundaries: Boundaries, design: DesignSettings) -> float:
    """How many times the dials of one look the design with all its looks needs for the same power."""
    from scipy.optimize import brentq

    def drift(of: Boundaries) -> float:
        return float(brentq(lambda d: of.power(d) - design.power, 0.0, 10.0, xtol=1e-9))

    return (drift(boundaries) / drift(lan_demets([1.0], design.alpha))) ** 2


def chance_of_go(true_lift: float, rate: float, per_arm: float, settings: ExperimentSettings) -> float:
    """Chance that the plan's gate (p < alpha and lift > `min_lift`) passes at the final look of two equal arms (R27).

    By the normal approximation of the log ratio. At a true lift of exactly `min_lift` it is about a half, at any size.
    """
    from scipy.special import ndtr

    other = rate * (1 + true_lift)
    error = math.sqrt(((1 - rate) / rate + (1 - other) / other) / per_arm)
    critical = lan_demets(settings.design.looks, settings.design.alpha).critical[-1]
    bar = max(math.log1p(settings.readout.min_lift), critical * error)
    return float(ndtr((math.log1p(true_lift) - bar) / error))


def calendar(dials: int, per_week: float, design: DesignSettings, starts_on: date) -> tuple[PlannedLook, ...]:
    """When each look is due at the planned flow: weekly queues, dialled within `queue_days`, then matured."""
    found = []
    for number, share in enumerate(design.looks, start=1):
        needed = math.ceil(share * dials)
        days = WEEK * (math.ceil(needed / per_week) - 1) + design.queue_days + design.follow_up_days
        found.append(PlannedLook(number, share, needed, starts_on + timedelta(days=days)))
    return tuple(found)


def _dials(rate: float, lift: float, factor: float, share: float, design: DesignSettings) -> int:
    """Both arms: an unequal split of N carries the information of 4·share·(1 − share)·N split in halves."""
    return 2 * math.ceil(required_per_arm(rate, lift, design) * factor / (4 * share * (1 - share)))


@dataclass(frozen=True)
class _Test:
    """What is the same at every size: the rate without the model, treatment's share of the dials, the boundaries."""

    rate: float
    share: float
    boundaries: Boundaries

    def power(self, dials: float, lift: float) -> float:
        return self.boundaries.power(effect_size(self.rate, lift) * math.sqrt(dials * self.share * (1 - self.share)))

    def minimum_lift(self, dials: float, power: float) -> float | None:
        """None: not even a rate of 1 would be found."""
        from scipy.optimize import brentq

        most = 1 / self.rate - 1
        if self.power(dials, most) < power:
            return None
        return float(brentq(lambda lift: self.power(dials, lift) - power, 0.0, most, xtol=1e-6))


def weeks_of(curve: Sequence[CurvePoint], power: float) -> int | None:
    """First week of a power curve that reaches `power`; None if none of it does."""
    return next((point.weeks for point in curve if point.power >= power), None)
