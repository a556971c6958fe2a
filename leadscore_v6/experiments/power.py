"""Plan step 5.2: how many dials the test needs, and whether they can be had (R26, R27, R42).

Belongs here: sample size, power, duration, the calendar of the looks, and what the plan's gate does at a true lift.
Does not belong here: boundaries (`sequential.py`), the judging of the gates, the report.

Power is on **dials**, not leads: of a week's leads only the capacity's share is ever dialled. Rates are MQLs per dial.
Two calculations of the sample size are made, and the larger one is planned: the arcsine one is a little too small for
rates of a few per cent. It is enlarged for the looks, and for leads that share an advisor; simulated, the power is what
was asked for (docs/operating-characteristics.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.sequential import Boundaries, lan_demets
from leadscore_v6.experiments.settings import DesignSettings, ExperimentSettings

WEEK = 7
_CURVE_WEEKS = 26  # half a year
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

    per_arm_arcsine    of one arm (1:1), one look, one lead an advisor: statsmodels' normal test on the effect size
    per_arm_pooled_z   the same by the textbook's pooled z of two proportions; the larger of the two is planned
    looks_inflation    what the looks ask for on top
    design_effect      what leads of one advisor ask for on top
    minimum_lift       smallest relative lift found with the wanted power, at `max_enrolment_weeks`
    at_adoption        the lift, the dials and the power at `max_enrolment_weeks` if only `adoption_assumed` is followed
    leads_a_week_needed  flow at which the plan's dials come in within `max_enrolment_weeks`
    """

    baseline_rate: float
    target_rate: float
    leads_per_week: float
    dials_per_week: float
    boundaries: Boundaries
    per_arm_arcsine: float
    per_arm_pooled_z: float
    looks_inflation: float
    design_effect: float
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
        power_8_weeks, power_at_adoption (shown, never judged: R42), dials_required, dials_per_week, design_effect,
        minimum_lift.
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
            "design_effect": self.design_effect,
            "leads_a_week_needed": self.leads_a_week_needed,
            "minimum_lift": self.minimum_lift,
        }


@dataclass(frozen=True)
class Flow:
    """Leads a week over a window, and how many other leads of its advisor a lead has in that window, on average."""

    leads_per_week: float
    other_leads_of_advisor: float = 0.0

    @classmethod
    def of(cls, entered: NDArray[np.datetime64], advisors: NDArray[Any], before: date, weeks: int) -> Flow:
        """From the days on which leads entered contacting and their advisors (n,): the `weeks` whole weeks that end
        before the day `before`.

        Raises InputError if no lead is known from before that window: a flow of fewer weeks would pass for one of all.
        """  # noqa: D205 - one sentence
        days = entered.astype("datetime64[D]")
        start = np.datetime64(before - timedelta(days=WEEK * weeks))
        if not (days < start).any():
            raise InputError(
                f"the weekly flow is the mean over {weeks} weeks, from {start} on; no lead is known from before that",
                column="Stage_Entered_Contacting__c",
                remedy="hand in an extract that reaches further back, or a shorter flow_window_weeks "
                "(v6_experiment.yaml)",
            )
        inside = (days >= start) & (days < np.datetime64(before))
        _, times = np.unique(advisors[inside], return_counts=True)
        others = float((times * (times - 1)).sum() / times.sum()) if len(times) else 0.0
        return cls(float(inside.sum()) / weeks, others)


def power_analysis(baseline_rate: float, flow: Flow, settings: ExperimentSettings, starts_on: date) -> PowerAnalysis:
    """Step 5.2 from today's MQLs per dial, the flow of leads and the first day of enrolment.

    Raises UsageError if rate or flow cannot be, or the target lift asks for a rate of 1 or more.
    """
    design = settings.design
    target = baseline_rate * (1 + design.target_lift)
    if not (baseline_rate > 0 and target < 1 and flow.leads_per_week > 0):
        raise UsageError(
            f"a test of + {design.target_lift:.0%} on {baseline_rate:.4f} MQLs per dial at {flow.leads_per_week:.0f} "
            "leads a week cannot be designed: the rates must lie between 0 and 1, and leads must come in."
        )
    test = _Test.of(baseline_rate, flow, settings)
    dials, per_week = test.dials(design.target_lift), flow.leads_per_week * design.capacity_share
    adopted = design.target_lift * design.adoption_assumed
    adopted_dials = test.dials(adopted)
    return PowerAnalysis(
        baseline_rate=baseline_rate,
        target_rate=target,
        leads_per_week=flow.leads_per_week,
        dials_per_week=per_week,
        boundaries=test.boundaries,
        per_arm_arcsine=arcsine_per_arm(baseline_rate, design.target_lift, design),
        per_arm_pooled_z=pooled_z_per_arm(baseline_rate, design.target_lift, design),
        looks_inflation=test.looks_inflation,
        design_effect=test.design_effect,
        dials=dials,
        enrolment_weeks=math.ceil(dials / per_week),
        max_enrolment_weeks=design.max_enrolment_weeks,
        leads_a_week_needed=math.ceil(dials / design.max_enrolment_weeks / design.capacity_share),
        minimum_lift=test.minimum_lift(per_week * design.max_enrolment_weeks),
        lift_at_adoption=adopted,
        dials_at_adoption=adopted_dials,
        curve=tuple(
            CurvePoint(
                weeks=week,
                dials=math.floor(per_week * week),
                power=test.power(per_week * week / dials),
                power_at_adoption=test.power(per_week * week / adopted_dials),
            )
            for week in range(1, max(_CURVE_WEEKS, design.max_enrolment_weeks) + 1)
        ),
        calendar=calendar(dials, per_week, design, starts_on),
    )


def arcsine_per_arm(rate: float, lift: float, design: DesignSettings) -> float:
    """Dials of each of two equal arms, one look: statsmodels' normal test on the arcsine effect size."""
    from statsmodels.stats.power import NormalIndPower
    from statsmodels.stats.proportion import proportion_effectsize

    effect = proportion_effectsize(rate * (1 + lift), rate)
    return float(NormalIndPower().solve_power(effect, alpha=design.alpha, power=design.power))


def pooled_z_per_arm(rate: float, lift: float, design: DesignSettings) -> float:
    """The same by the pooled z of two proportions (Fleiss 1981, without continuity correction)."""
    from scipy.special import ndtri

    other = rate * (1 + lift)
    mean = (rate + other) / 2
    null = -ndtri(design.alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    alternative = ndtri(design.power) * math.sqrt(rate * (1 - rate) + other * (1 - other))
    return float(((null + alternative) / (other - rate)) ** 2)


def drift_needed(boundaries: Boundaries, power: float) -> float:
    """The effect over its standard error at full information that is found with `power` at one of the looks."""
    from scipy.optimize import brentq

    return float(brentq(lambda drift: boundaries.power(drift) - power, 0.0, 10.0, xtol=1e-9))


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
        days = WEEK * (math.ceil(needed / per_week) - 1) + design.queue_days + design.matures_after_days
        found.append(PlannedLook(number, share, needed, starts_on + timedelta(days=days)))
    return tuple(found)


@dataclass(frozen=True)
class _Test:
    """What is the same at every size and lift; `drift` is the one that is found with the wanted power."""

    rate: float
    design: DesignSettings
    boundaries: Boundaries
    drift: float
    looks_inflation: float
    design_effect: float
    split: float  # dials that an unequal split needs for one of two equal arms

    @classmethod
    def of(cls, rate: float, flow: Flow, settings: ExperimentSettings) -> _Test:
        design, share = settings.design, settings.assignment.treatment_share
        boundaries = lan_demets(design.looks, design.alpha)
        drift = drift_needed(boundaries, design.power)
        return cls(
            rate=rate,
            design=design,
            boundaries=boundaries,
            drift=drift,
            looks_inflation=(drift / drift_needed(lan_demets([1.0], design.alpha), design.power)) ** 2,
            design_effect=1 + design.advisor_correlation * flow.other_leads_of_advisor * design.capacity_share,
            split=1 / (4 * share * (1 - share)),
        )

    def dials(self, lift: float) -> int:
        """Of both arms, for the wanted power at `lift`."""
        return 2 * math.ceil(self._per_arm(lift))

    def power(self, share: float) -> float:
        """At a lift for which `share` of the dials that it needs are in."""
        return self.boundaries.power(self.drift * math.sqrt(share))

    def minimum_lift(self, dials: float) -> float | None:
        """None: not even a rate next to 1 would be found."""
        from scipy.optimize import brentq

        least, most = 0.001, (1 / self.rate - 1) * 0.999
        if 2 * self._per_arm(most) > dials:
            return None
        return float(brentq(lambda lift: math.log(2 * self._per_arm(lift) / dials), least, most, xtol=1e-5))

    def _per_arm(self, lift: float) -> float:
        fixed = max(of(self.rate, lift, self.design) for of in (arcsine_per_arm, pooled_z_per_arm))
        return fixed * self.looks_inflation * self.design_effect * self.split
