"""What the experiment's reports say beyond their gates: the arms, how it goes, what came of it.

Belongs here: text made from the figures and facts of step 5.3. Does not belong here: the design (experiment_design.py),
statistics (experiments/), plots (experiment_plots.py). Rates are MQLs per 100 dials, lifts are relative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.estimate import p_shown
from leadscore_v6.reports.experiment_design import adoption_tracking, design_headlines, design_sections
from leadscore_v6.reports.experiment_words import interval, lift, number, percent
from leadscore_v6.reports.markdown import bullets, table

Facts = Mapping[str, Any]
_VERDICTS = {
    "go": "✅ GO",
    "no-go": "🛑 NO-GO",
    "continue": "⏳ CONTINUE",
    "not decision-ready": "🛑 NOT DECISION-READY",
}


# --- 5.3, week by week ----------------------------------------------------------------------------------------------


def _assignment_headlines(figures: Facts, facts: Facts) -> list[str]:
    return [
        (
            f"As of {facts['as_of']} **{figures.get('advisors', 0):,} advisors** are assigned, "
            f"{figures.get('advisors_treatment', 0):,} to treatment and {figures.get('advisors_control', 0):,} to "
            "control; "
            f"{facts['enrolled_now']:,} leads came in with this extract."
        )
    ]


def _assignments(figures: Facts, facts: Facts) -> list[str]:
    segments = [(row["segment"], row["arm"], row["advisors"], row["leads"]) for row in facts["segments"]]
    left_out = [(why, count) for why, count in facts["left_out"].items()]
    return [
        "## Arms within segments\n\n" + table(["segment", "arm", "advisors", "leads"], segments),
        "## Batches\n\n" + table(["assigned on", "leads"], facts["batches"]),
        "## Leads of the enrolment that were not assigned\n\n"
        + (table(["because they came", "leads"], left_out) if left_out else "None."),
        "## What the CRM says now of what it said before\n\n" + _held(figures),
    ]


def _held(figures: Facts) -> str:
    """The records of the batches before: what is gone, was changed, or came before the test could touch it."""
    leads, dials = figures["leads_assigned_before"], figures["dials_known_before"]
    rows = [
        ("assigned with an extract before", leads, ""),
        ("gone from this extract; not read", figures["leads_gone"], f"{figures['leads_gone_share']:.2%}"),
        ("another contact day or advisor; read in their arm", figures["leads_changed"],
         f"{figures['leads_changed_share']:.2%}"),
        ("dialled up to the day of assignment; not read", figures["leads_dialled_early"], ""),
        ("called up to the day of assignment; not read", figures["leads_called_early"], ""),
        ("not read for a dial or a call so early", figures["leads_early"], f"{figures['leads_early_share']:.2%}"),
    ]  # fmt: skip
    lost = f"{figures['dials_lost']:,} of {dials:,} dials that the extract before knew are not known any more"
    return table(["leads", "", "share"], rows) + f"\n\n{lost} ({figures['dials_lost_share']:.2%})."


def _queue_headlines(figures: Facts, facts: Facts) -> list[str]:
    leads = facts["leads"]
    waited = f" {facts['waited']:,} of them had waited since an earlier batch." if facts["waited"] else ""
    return [
        (
            f"The queue of **{facts['queue_date']}** has {leads['treatment']:,} leads of treatment, in the order of "
            "model "
            f"`{facts['model_version']}`, and {leads['control']:,} of control, in the order of their arrival. Half "
            "of the "
            f"capacity belongs to each arm (R28).{waited}"
        )
    ]


def _queue(figures: Facts, facts: Facts) -> list[str]:
    errors = [(kind, count) for kind, count in facts["errors"].items()]
    out = list(facts.get("left_out", {}).items())
    return [
        "## Assigned leads that nobody is to dial\n\n"
        + (table(["reason", "leads"], out) if out else "None.")
        + "\n\nThey stay in their arm and are read with it (R28).",
        "## Leads that could not be scored\n\n"
        + (table(["kind of error", "advisors"], errors) if errors else "None.")
        + "\n\nThey are at the end of treatment's order. `ab_test_queue_v6.csv` is what the associates get: no scores."
    ]


def _daily_headlines(figures: Facts, facts: Facts) -> list[str]:
    newest = facts["newest"]
    rate = newest["mqls_per_100_dials"]
    return [
        (
            f"As of {facts['as_of']}: **{newest['enrolled_leads']:,} leads** assigned, {newest['dialled_leads']:,} "
            "dialled, "
            f"{newest['matured_dialled_leads']:,} of {facts['planned_dials']:,} planned dials matured "
            f"({newest['information']:.0%}). {facts['next_look']}"
        ),
        (
            f"Both arms together: {number(rate)} MQLs per 100 dials, adoption {percent(newest['adoption'])}. "
            "**Which arm "
            "is ahead is not told before a planned look** (R26)."
        ),
    ]


def _daily(figures: Facts, facts: Facts) -> list[str]:
    newest = facts["newest"]
    rails = [
        (says, number(newest[f"{name}_ratio"]), number(newest[f"{name}_bound"]), newest[f"{name}_state"])
        for name, says in (("dials_per_lead", "dials per lead"), ("days_to_first_dial", "days to the first dial"))
    ]
    return ["## Guardrails\n\n" + table(["treatment over control", "ratio", "one-sided 95 % bound", "state"], rails)]


# --- 5.3, looks -----------------------------------------------------------------------------------------------------


def _look_headlines(figures: Facts, facts: Facts) -> list[str]:
    decision = facts["decision"]
    lines = [
        (
            f"**{_VERDICTS[decision['verdict']]}** · look {facts['look_number']} of {facts['looks']}, as of "
            f"{facts['as_of']}"
        )
    ]
    lines.append(bullets(decision["reasons"]))
    if facts.get("ended_by"):
        lines.append(
            "**Harm has ended this test at an earlier look.** What follows tells what has matured since; it is no "
            "reading of its own."
        )
    if facts["arms"]:
        arms = facts["arms"]
        lines.append(
            f"MQLs per 100 dials, by assigned arm: treatment **{interval(arms['treatment']['mqls_per_100_dials'])}**, "
            f"control **{interval(arms['control']['mqls_per_100_dials'])}**. The lift is "
            f"**{lift(facts['lift'])}** ({facts['interval']} interval); p, adjusted for the looks: "
            f"{p_shown(figures['p_value'])}."
        )
    return lines


def _look(figures: Facts, facts: Facts) -> list[str]:
    found = [_ratios(facts)]
    if not facts["arms"]:
        return found
    rows = [
        (
            name,
            arm["advisors"],
            arm["dialled"],
            arm["dials"],
            arm["mqls"],
            interval(arm["mqls_per_100_dials"]),
            arm["before_dial"],
        )
        for name, arm in facts["arms"].items()
    ]
    header = ["arm", "advisors", "leads dialled", "dials", "MQLs", "MQLs per 100 dials", "converted before the dial"]
    found.append("## By assigned arm\n\n" + table(header, rows))
    estimates = [
        (f"lift, intention to treat ({facts['interval']} interval)", lift(facts["lift"])),
        ("difference, MQLs per 100 dials", interval(facts["difference"])),
        ("adoption", percent(facts["adoption_of_treatment"])),
        ("difference among dials that followed the order (CACE)", interval(facts["cace"])),
        ("the same, relative", percent(facts["cace_lift"])),
        ("z", number(figures["z"], ".3f")),
        ("p as if it were the only look; read it beside the boundary", p_shown(figures["p_nominal"])),
        ("p, adjusted for the looks", p_shown(figures["p_value"])),
    ]
    found.append("## Estimates\n\n" + table(["", "estimate (95 %)"], estimates))
    return [*found, *_limits(facts)]


def _ratios(facts: Facts) -> str:
    """Whether the arms are what was dealt, and who of them is not read."""
    rows = [
        (says, ratio["treatment"], ratio["control"], f"{ratio['chi_square']:.2f}", p_shown(ratio["p"]))
        for says, ratio in (("advisors", facts["srm"]["advisors"]), ("matured first dials", facts["srm"]["dials"]))
    ]
    out = facts["left_out"]
    return (
        "## Sample ratio\n\n"
        + table(["", "treatment", "control", "chi-square", "exact p"], rows)
        + "\n\nBelow 0.001 nothing would be read. "
        f"Assigned and not read: {out['gone']:,} leads that are gone from the extract, {out['dialled_early']:,} "
        f"dialled and {out['called_early']:,} called up to the day of their assignment."
    )


def _limits(facts: Facts) -> list[str]:
    """What the look was held against: boundaries, guardrails, and what the plan's gate does."""
    found = []
    limits = facts["boundaries"]
    spent = zip(limits["information"], limits["critical"], limits["spent"], strict=True)
    found.append(
        "## Boundaries\n\n"
        + table(
            ["of the planned dials", "boundary (z)", "alpha spent"],
            [(f"{at:.1%}", f"± {edge:.3f}", f"{total:.4f}") for at, edge, total in spent],
        )
    )
    rails = [
        (one["says"], number(one["treatment"]), number(one["control"]), number(one["ratio"]), number(one["bound"]),
         number(one["limit"]), one["state"])
        for one in facts["guardrails"]
    ]  # fmt: skip
    header = ["", "treatment", "control", "ratio", "one-sided 95 % bound", "limit", "state"]
    found.append("## Safety: treatment not worse than 10 % (R40)\n\n" + table(header, rails))
    chances = [(percent(lift), f"{chance:.2f}") for lift, chance in sorted(facts["chance_of_go"])]
    found.append(
        "## What the plan's gate does at this size\n\n"
        + table(["true lift", "chance of p < 0.05 and an observed lift above 50 %"], chances)
        + "\n\nRead the lift's interval: an observed lift just above 50 % is about as likely from a true one of 40 % "
        "as "
        "from one of 60 % (R27)."
    )
    return found


HEADLINES: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "ab_test_power_analysis": design_headlines,
    "ab_test_assignments": _assignment_headlines,
    "ab_test_queue": _queue_headlines,
    "ab_test_daily_metrics": _daily_headlines,
    "ab_test_interim_analysis_unit10": _look_headlines,
    "ab_test_final_analysis": _look_headlines,
}
SECTIONS: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "ab_test_power_analysis": design_sections,
    "sga_adoption_tracking_plan": adoption_tracking,
    "ab_test_assignments": _assignments,
    "ab_test_queue": _queue,
    "ab_test_daily_metrics": _daily,
    "ab_test_interim_analysis_unit10": _look,
    "ab_test_final_analysis": _look,
}


# --- for a terminal -------------------------------------------------------------------------------------------------


def render_standing(standing: Facts, paths: Mapping[str, str]) -> str:
    """How far the test is, and what to open."""
    newest, advisors = standing["progress"], standing["advisors"]
    lines = [
        (
            f"The test starts on {standing['started_on']} with model {standing['model_version']}; "
            f"{standing['planned_dials']:,} first dials are planned."
        )
    ]
    if newest:
        lines += [
            (
                f"As of {standing['as_of']}: {advisors['treatment']:,} advisors in treatment, "
                f"{advisors['control']:,} in "
                f"control; {newest['enrolled_leads']:,} leads, {newest['dialled_leads']:,} dialled, "
                f"{newest['matured_dialled_leads']:,} matured ({newest['information']:.0%} of the plan)."
            ),
            (
                f"Both arms together: {number(newest['mqls_per_100_dials'])} MQLs per 100 dials; adoption "
                f"{percent(newest['adoption'])}."
            ),
        ]
    lines.append(standing["next_look"])
    for look, decision in standing["decisions"].items():
        lines.append(f"The {look} look: {decision['verdict'].upper()}. {'; '.join(decision['reasons'])}.")
    width = max(map(len, paths), default=0)
    return "\n".join([*lines, "", *(f"  {what:<{width}}  {path}" for what, path in paths.items())]).rstrip()
