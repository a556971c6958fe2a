"""What the reports of step 6.1 say beyond their gates: who was scored, how scores are spread, why some were not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.estimate import p_shown
from leadscore_v6.reports.markdown import table
from leadscore_v6.reports.monitoring import not_dialled

Facts = Mapping[str, Any]


def of_prospects(contacted: str = "") -> str:
    """What every probability of prospects comes with; `contacted`: how many of them were contacted before, in words."""
    whom = "who have no open lead" + (f" ({contacted})" if contacted else "")
    return (
        f"The model learned from contacted leads only: of prospects, {whom}, it says what it would say of a lead with "
        "their features (R51)."
    )


def trend_against(facts: Facts) -> str:
    """Which day's scores a trend is taken against, and why that day's."""
    why = "what is known of an advisor changes with a snapshot, and places of two models are not comparable"
    day = facts.get("trend_against")
    if not day:
        return f"Nobody has a trend: no day shortly before the newest snapshot was scored by this model ({why})."
    return f"A trend is against the scores of {day}, the last by this model before the newest snapshot ({why})."


def _scores(figures: Facts, facts: Facts) -> list[str]:
    words = ("scored", "skipped", "failed")
    kinds = [(kind, *(counts.get(word, 0) for word in words)) for kind, counts in sorted(facts["by_kind"].items())]
    found = ["## Who was scored\n\n" + table(["", *words], kinds)]
    if facts["skipped_by"]:
        rows = sorted(facts["skipped_by"].items(), key=lambda row: -row[1])
        found.append("## Why some have no score\n\n" + table(["why", "rows"], rows))
    prospects = facts["by_kind"].get("prospect", {}).get("scored", 0)
    contacted = f"{facts['prospects_contacted']:,} of these {prospects:,} were contacted before" if prospects else ""
    deciles = [
        (number, f"{rows:,}", f"{leads:,}", f"{expected:.2%}")
        for number, rows, leads, expected in facts["deciles"][::-1]
    ]
    head = ["decile", "rows", "leads among them", "expected conversion"]
    found.append(
        "## The day's scores\n\n" + table(head, deciles) + "\n\n"
        f"Expected is the mean calibrated probability of a call within 30 days of contact. {of_prospects(contacted)}"
    )
    if facts["trends"]:
        rows = [(word, facts["trends"][word]) for word in ("up", "same", "down", "new") if word in facts["trends"]]
        found.append("## Trend\n\n" + table(["trend", "rows"], rows) + f"\n\n{trend_against(facts)}")
    return found


def _balance(figures: Facts, facts: Facts) -> list[str]:
    rows = [
        (
            row["week"],
            f"{row['leads']:,}",
            row["positives"],
            f"{row['rate']:.2%}",
            f"{row['relative_change']:+.0%}",
            p_shown(row["p_value"]),
            "alert" if row["alerts"] else "" if row["judgeable"] else "too few leads",
        )
        for row in facts["weeks"]
    ]
    head = ["week of contact or dial", "leads", "converted", "rate", "against training", "p (exact binomial)", ""]
    text = (
        f"Of {facts['basis']}. Training had {facts['training_rate']:.2%}; {facts['young']:,} leads have not matured "
        f"and are not looked at. Left out of {facts['first_day']} to {facts['last_day']}: "
        f"{facts['chosen_by_model']:,} that the model's queue chose, by the day of their dial (they convert more often "
        "because they were chosen, and are held against their scores in the monthly report of the model's "
        f"performance); and by their day of contact {not_dialled(facts)}"
    )
    return ["## Matured weeks\n\n" + table(head, rows) + f"\n\n{text}"]


def _scores_headlines(figures: Facts, facts: Facts) -> list[str]:
    leads = facts["by_kind"].get("lead", {})
    told = ", ".join(f"{leads[word]:,} {word}" for word in ("scored", "skipped", "failed") if word in leads)
    return [f"Open leads of {facts['day']}: **{told or 'none'}**, by model {facts['model_version']}."]


def _balance_headlines(figures: Facts, facts: Facts) -> list[str]:
    if figures["class_balance_change"] is None:
        return ["**Not judgeable**: the newest matured week has too few leads, or there is none."]
    week = facts["weeks"][-1]
    rates = f"{week['rate']:.2%} of {week['leads']:,} leads, training had {facts['training_rate']:.2%}"
    if week["alerts"]:
        return [f"**The rate of conversions has changed**: in the week of {week['week']} {rates}."]
    return [f"**No change beyond chance**: in the week of {week['week']} {rates} converted."]


HEADLINES: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "production_scores_report": _scores_headlines,
    "class_balance_report": _balance_headlines,
}
SECTIONS: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "production_scores_report": _scores,
    "class_balance_report": _balance,
}
