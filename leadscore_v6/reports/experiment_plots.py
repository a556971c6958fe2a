"""Plots of the experiment's reports: power by week, how it goes, the look against its boundaries, the lift.

Belongs here: drawing facts that a step has measured. Does not belong here: measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.reports.figure import BARS, JUDGED, OTHER, QUIET, png, sheet

Facts = Mapping[str, Any]


def power_curve(facts: Facts, *, synthetic: bool) -> bytes:
    """Power by weeks of enrolment at the target lift, and at what partial adoption leaves of it."""
    design = facts["plan"]["settings"]["design"]
    figure = sheet("Power by weeks of enrolment", synthetic=synthetic)
    axes = figure.add_subplot()
    weeks = [point["weeks"] for point in facts["curve"]]
    target = f"a lift of {design['target_lift']:.0%}"
    axes.plot(weeks, [point["power"] for point in facts["curve"]], color=JUDGED, marker="o", label=target)
    at_adoption = f"if {design['adoption_assumed']:.0%} of dials follow the order (shown only)"
    axes.plot(weeks, [point["power_at_adoption"] for point in facts["curve"]], color=OTHER, linestyle=":",
              label=at_adoption)  # fmt: skip
    axes.axhline(design["power"], color=QUIET, linestyle="--", label=f"power {design['power']}")
    axes.axvline(design["max_enrolment_weeks"], color=QUIET, linestyle="-.", label="longest enrolment")
    axes.set(xlabel="weeks of enrolment", ylabel="power", ylim=(0, 1.02))
    axes.legend(loc="lower right")
    return png(figure)


def progress(facts: Facts, *, synthetic: bool) -> bytes:
    """Leads assigned, dialled and matured by day, against the planned dials."""
    figure = sheet("The running test, both arms together", synthetic=synthetic)
    axes = figure.add_subplot()
    days, curves = _days(facts), facts["curves"]
    for name, says, colour in (
        ("enrolled_leads", "assigned", BARS),
        ("dialled_leads", "dialled", OTHER),
        ("matured_dialled_leads", "dial matured", JUDGED),
    ):
        axes.plot(days, curves[name], color=colour, label=says)
    axes.axhline(facts["planned_dials"], color=QUIET, linestyle="--", label="planned dials")
    axes.set_ylabel("leads")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    figure.autofmt_xdate()
    return png(figure)


def pooled_rate(facts: Facts, *, synthetic: bool) -> bytes:
    """MQLs per 100 dials of both arms together, and adoption."""
    figure = sheet("MQLs per 100 matured dials, both arms together", synthetic=synthetic)
    axes = figure.add_subplot()
    days, curves = _days(facts), facts["curves"]
    axes.plot(days, _gaps(curves["mqls_per_100_dials"]), color=JUDGED)
    axes.set_ylabel("MQLs per 100 dials", color=JUDGED)
    axes.set_ylim(bottom=0)
    adopted = axes.twinx()
    adopted.plot(days, _gaps(curves["adoption"]), color=OTHER, linestyle=":")
    adopted.set_ylabel("adoption in treatment", color=OTHER)
    adopted.set_ylim(0, 1.02)
    figure.autofmt_xdate()
    return png(figure)


def boundaries(facts: Facts, *, synthetic: bool) -> bytes:
    """Z at this look against the boundaries of the looks so far."""
    figure = sheet("The test statistic against its boundaries", synthetic=synthetic)
    axes = figure.add_subplot()
    limits = facts["boundaries"]
    information = [100 * at for at in limits["information"]]
    for sign in (1, -1):
        edges = [sign * edge for edge in limits["critical"]]
        axes.plot(information, edges, color=QUIET, marker="_", markersize=18, linestyle="--")
    if facts["look"] and facts["look"]["z"] is not None:
        axes.plot([information[-1]], [facts["look"]["z"]], color=JUDGED, marker="o", label="z of this look")
        axes.legend()
    axes.axhline(0, color=QUIET, linewidth=0.5)
    axes.set(xlabel="matured dials, % of the plan", ylabel="z", xlim=(0, max(105.0, *information) * 1.02))
    return png(figure)


def arms(facts: Facts, *, synthetic: bool) -> bytes:
    """MQLs per 100 dials of each arm with its interval; none where the arms were not read."""
    figure = sheet("MQLs per 100 dials by assigned arm", synthetic=synthetic)
    axes = figure.add_subplot()
    for place, (name, arm) in enumerate(facts["arms"].items()):
        found = arm["mqls_per_100_dials"]
        reach = [[0.0], [0.0]]
        if found["low"] is not None:
            reach = [[found["value"] - found["low"]], [found["high"] - found["value"]]]
        axes.bar([name], [found["value"]], color=BARS)
        axes.errorbar([place], [found["value"]], yerr=reach, color=JUDGED, capsize=6, marker="o")
    axes.set_ylabel("MQLs per 100 dials (95 % interval)")
    axes.set_ylim(bottom=0)
    return png(figure)


def chance_of_go(facts: Facts, *, synthetic: bool) -> bytes:
    """What the plan's gate does at a true lift, and where the observed one lies."""
    figure = sheet("Chance that the plan's gate passes, by true lift", synthetic=synthetic)
    axes = figure.add_subplot()
    pairs = sorted(facts["chance_of_go"])
    axes.plot([100 * lift for lift, _ in pairs], [chance for _, chance in pairs], color=OTHER, marker="o")
    lift = facts.get("lift")
    if lift:
        axes.axvline(100 * lift["value"], color=JUDGED, label="observed lift")
        if lift["low"] is not None:
            axes.axvspan(100 * lift["low"], 100 * lift["high"], color=JUDGED, alpha=0.12, label="its interval")
        axes.legend()
    axes.set(xlabel="true lift, %", ylabel="chance of go", ylim=(0, 1.02))
    return png(figure)


def _days(facts: Facts) -> Any:
    import numpy as np

    return np.array(facts["days"], dtype="datetime64[D]")


def _gaps(values: list[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


Draw = Callable[..., bytes]
_LOOK: dict[str, Draw] = {"boundaries": boundaries, "arms": arms, "chance_of_go": chance_of_go}
PLOTS: dict[str, dict[str, Draw]] = {
    "ab_test_power_analysis": {"power_curve": power_curve, "chance_of_go": chance_of_go},
    "ab_test_daily_metrics": {"progress": progress, "pooled_rate": pooled_rate},
    "ab_test_interim_analysis_unit10": _LOOK,
    "ab_test_final_analysis": _LOOK,
}
