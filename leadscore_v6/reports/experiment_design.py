"""What the reports of step 5.2 say beyond their gates: the design of the test, and how adoption is to be tracked.

Belongs here: text made from the figures and facts of the power analysis. Does not belong here: statistics
(experiments/), plots (experiment_plots.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore_v6.reports.experiment_words import percent
from leadscore_v6.reports.markdown import bullets, table

Facts = Mapping[str, Any]


def design_headlines(figures: Facts, facts: Facts) -> list[str]:
    """How many dials, how long, at which power, and from which rate and flow."""
    design, base = facts["plan"]["settings"]["design"], facts["baseline"]
    enough = figures["enrolment_weeks"] <= design["max_enrolment_weeks"]
    lines = [
        (
            f"To find a lift of {percent(design['target_lift'])} in MQLs per 100 dials with a power of "
            f"{design['power']} "
            f"the test needs **{facts['dials_required']:,} first dials**, half of them in each arm. At "
            f"{facts['dials_per_week']:,.0f} dials a week enrolment takes **{facts['enrolment_weeks']} weeks**, and "
            f"{design['follow_up_days']} days of follow-up come after it. Within {design['max_enrolment_weeks']} "
            "weeks the "
            f"power is **{figures['power']:.2f}**, and the smallest lift that would be found is "
            f"{percent(facts['minimum_lift'])}."
        ),
        (
            f"Today's rate is {base['rate']:.2%}: {base['mqls']:,} MQLs of {base['leads']:,} leads of the promoted "
            "training "
            "set, **assuming one dial per lead**, because the past logs no dials (R50)."
        ),
        (
            f"{base['flow']['leads_per_week']:,.0f} leads a week came in over the last {design['flow_window_weeks']} "
            "weeks. "
            f"{percent(base['capacity_share'])} of them can be dialled, by {_capacity(facts)}."
        ),
    ]
    if not enough:
        lines.append(
            f"**Enrolment would take longer than {design['max_enrolment_weeks']} weeks. "
            f"{facts['leads_a_week_needed']:,} "
            "leads a week, or as much more capacity, would do.**"
        )
    return lines


def _capacity(facts: Facts) -> str:
    if facts["capacity_from"] == "associates":
        return "what Associates.csv says of those who are active"
    return "config/v6_experiment.yaml (the CRM does not say who dials how much)"


def design_sections(figures: Facts, facts: Facts) -> list[str]:
    """Sample size, power curve, looks, what the plan's gate does, what is frozen."""
    plan = facts["plan"]
    sizes = [
        ("of one arm, one look, pooled z of two proportions", f"{facts['per_arm_pooled_z']:,.0f}"),
        ("of one arm, one look, arcsine effect size (statsmodels)", f"{facts['per_arm_arcsine']:,.0f}"),
        ("times, for the planned looks", f"{facts['looks_inflation']:.4f}"),
        ("times, for leads that share an advisor", f"{facts['design_effect']:.4f}"),
        ("**of both arms, planned**", f"**{facts['dials_required']:,}**"),
        (f"available in {plan['settings']['design']['max_enrolment_weeks']} weeks", f"{facts['dials_available']:,}"),
    ]
    curve = [
        (point["weeks"], point["dials"], f"{point['power']:.3f}", f"{point['power_at_adoption']:.3f}")
        for point in facts["curve"]
    ]
    return [
        "## Sample size\n\n" + table(["first dials", ""], sizes),
        "## Power by weeks of enrolment\n\n"
        + table(["weeks", "dials", "power", f"power if {_adoption(plan):.0%} follow the order"], curve)
        + f"\n\nThe last column is shown and gates nothing (R42): if only {_adoption(plan):.0%} of treatment's dials "
        "follow "
        "the "
        f"model's order, the lift looks like {percent(facts['lift_at_adoption'])}, and to find that would need "
        f"{facts['dials_at_adoption']:,} dials.",
        "## Looks\n\n"
        + table(
            ["look", "of the planned dials", "matured dials", "due on", "boundary (z)", "alpha spent"],
            _planned_looks(facts),
        )
        + "\n\nArms are compared at these looks only (O'Brien-Fleming-type spending, R26). The days are the plan's; a "
        "look is due when so many dials have matured. A daily peek at |z| > 1.96 for eight weeks would find a "
        "difference that is not there one time in three.",
        "## What the plan's gate does\n\n"
        + table(
            ["true lift", "chance of go"],
            [(percent(lift), f"{chance:.2f}") for lift, chance in facts["chance_of_go"]],
        )
        + "\n\nGo needs p < 0.05 and an *observed* lift above 50 %. At a true lift of exactly 50 % that happens about "
        "half the time, however large the test is (R27).",
        "## What is frozen\n\n"
        + table(
            ["", ""],
            [
                ("first day of enrolment", plan["started_on"]),
                ("model", f"`{plan['model_version']}`, manifest `{plan['model_digest']}`"),
                ("salt, segment, ratio, block size", f"`{plan['fingerprint']}`"),
            ],
        )
        + "\n\nA running test keeps these; a configuration that says otherwise is refused, and a newer model waits "
        "(R58).",
    ]


def _planned_looks(facts: Facts) -> list[tuple[object, ...]]:
    limits = facts["boundaries"]
    return [
        (
            look["number"],
            f"{look['information']:.0%}",
            look["dials"],
            look["due_on"],
            f"± {critical:.3f}",
            f"{spent:.4f}",
        )
        for look, critical, spent in zip(facts["calendar"], limits["critical"], limits["spent"], strict=True)
    ]


def _adoption(plan: Facts) -> float:
    share: float = plan["settings"]["design"]["adoption_assumed"]
    return share


def adoption_tracking(figures: Facts, facts: Facts) -> list[str]:
    """The plan's adoption tracking: what is instrumented, the metrics, the duties."""
    columns = [
        ("`Id`, `FA_CRD__c`", "which lead was dialled, and its advisor"),
        ("`associate`", "who dialled; must be in `Associates.csv` where there is one"),
        ("`dialled_at`", "when the dial was made, with its zone; without one it is UTC"),
        ("`queue`", ("`model`: the next lead of the published treatment order; `own`: another lead of that arm; "
         "`usual`: control, or no experiment")),
    ]  # fmt: skip
    metrics = [
        (
            "adoption",
            "treatment's first dials with queue = model, of all its first dials",
            "`ab_test_daily_metrics_v6`",
        ),
        ("dials per lead", "treatment over control, with its one-sided bound", "`ab_test_daily_metrics_v6`"),
        ("days to first dial", "treatment over control, with its one-sided bound", "`ab_test_daily_metrics_v6`"),
        ("CACE", "the intention-to-treat difference over adoption", "interim and final analysis"),
    ]
    return [
        (
            "Adoption is whether associates dial in the order that the model's queue gives. The primary figure "
            "counts every "
            "dial by the arm that its lead was **assigned** to, whoever followed what; adoption says how much of the "
            "treatment was given, and is never used to pick dials."
        ),
        "## Instrumentation\n\nEvery dial is one row of `Dials.csv`, beside `Lead.csv` (on BigQuery the CRM's table "
        "`Dials`); it becomes `crm_dials`, and its gates are in `crm_dials_validation_report.md`.\n\n"
        + table(["column", "what it must hold"], columns),
        "## Metrics\n\n" + table(["metric", "definition", "where"], metrics),
        "## Duties\n\n"
        + bullets(
            [
                (
                    "`Dials.csv` holds every dial since the test began, up to the day of the extract: one that has "
                    "forgotten dials stops the test, and so does one without the newest (R26, R28)."
                ),
                (
                    "The dialler writes `queue` itself, from the row that was opened: an associate does not choose the "
                    "word."
                ),
                (
                    "Half of each associate's weekly capacity belongs to each arm; a shared queue would turn a true "
                    "+21 % "
                    "into +48 % (R28)."
                ),
                "The published queue has no score in it: the order is the treatment.",
                "Leads beyond the capacity are not dialled in later weeks while the test runs.",
                (
                    "A dial of a lead that was never assigned, logged as `model` or `own`, stops the reading of the "
                    "test: "
                    "it means that another queue was used."
                ),
            ]
        ),
    ]
