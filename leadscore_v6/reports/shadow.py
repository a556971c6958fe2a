"""What the reports of step 5.1 say beyond their gates: the serving copy, a day's scores, seven days together.

Belongs here: text made from the figures and facts of those steps. Does not belong here: measuring (serving/week.py),
plots (shadow_plots.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.reports.markdown import bullets, table

Facts = Mapping[str, Any]
NOBODY_ACTS = "These are shadow scores: nobody acts on them, and no lead's treatment depends on them."


# --- what comes first -----------------------------------------------------------------------------------------------


def _week_headlines(figures: Facts, facts: Facts) -> list[str]:
    lines = []
    if facts["missing_days"]:
        gaps = ", ".join(f"{day} ({why})" for day, why in facts["missing_days"].items())
        lines.append(
            f"**Not seven days in a row: {gaps}.** Score what is missing: `leadscore shadow --day YYYY-MM-DD`."
        )
    if len(facts["models"]) > 1:
        lines.append(f"**More than one model scored these days: {', '.join(facts['models'])}.**")
    pooled = facts["pooled"]
    if not pooled["leads"]:
        return [*lines, "**No lead entered Contacting on these days**, so that nothing can be judged."]
    lines.append(
        f"From {facts['first_day']} to {facts['last_day']} model {facts['model_version']} scored "
        f"**{pooled['scored']:,} of {pooled['leads']:,} leads ({_share(pooled['success_rate'])})**; "
        f"{pooled['skipped']:,} were skipped and {pooled['failed']:,} failed. A lead took "
        f"{_ms(pooled['mean_latency_ms'])} on average, 99 of 100 less than {_ms(pooled['p99_latency_ms'])}, look-up "
        f"included. {NOBODY_ACTS}"
    )
    if pooled["unmatched"]:
        lines.append(
            f"{pooled['unmatched']:,} of them no snapshot knows; they are scored as training scores such leads (R25)."
        )
    return lines


def _day_headlines(figures: Facts, facts: Facts) -> list[str]:
    pooled = facts["pooled"]
    if not pooled["leads"]:
        return [f"**No lead entered Contacting on {facts['day']}.** The day is a day with no rows, and counts as run."]
    return [
        (
            f"{pooled['scored']:,} of {pooled['leads']:,} leads of {facts['day']} are scored by model "
            f"{facts['model_version']}, {pooled['skipped']:,} skipped, {pooled['failed']:,} failed; features from: "
            f"{facts['features_from']}. {NOBODY_ACTS}"
        )
    ]


def _copy_headlines(figures: Facts, facts: Facts) -> list[str]:
    size = f"{facts['file_bytes'] / 1e6:,.1f} MB"
    text = (
        f"The newest features of {figures['advisors']:,} advisors as of {facts['as_of']}, and what a lead gets whose "
        f"advisor no snapshot knows: a table, and a local file of {size} for the look-up of one lead. It has features, "
        "CRDs and days of snapshots; no name, address or other personal data."
    )
    return [text]


HEADLINES: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "serving_copy_report": _copy_headlines,
    "shadow_day_report": _day_headlines,
    "shadow_scoring_report": _week_headlines,
}


# --- sections -------------------------------------------------------------------------------------------------------


def _week(figures: Facts, facts: Facts) -> list[str]:
    return [
        "## Day by day\n\n" + _days([*facts["by_day"], {"score_date": "all", **facts["pooled"]}]),
        "## Skipped and failed\n\n" + _outcomes(facts),
        "## Latency of the single-lead path\n\nOf these leads, one at a time, from CRD to score. It measures this "
        "machine as it was then, and is part of no digest.\n\n" + _latency(facts),
        "## Feature availability\n\n" + _availability(facts["availability"]),
        "## Beside the model in production\n\n" + _beside(facts),
        "## Stress\n\nReally run on the same path, on these days' leads.\n\n" + _stress(facts["stress"]),
    ]


def _day(figures: Facts, facts: Facts) -> list[str]:
    if not facts["pooled"]["leads"]:
        return []
    return ["## Skipped and failed\n\n" + _outcomes(facts), "## Latency\n\n" + _latency(facts)]


def _days(rows: list[Facts]) -> str:
    return table(
        ["day", "leads", "scored", "skipped", "failed", "success", "errors", "mean", "p50", "p95", "p99"],
        [
            (
                row["score_date"],
                *(row[word] for word in ("leads", "scored", "skipped", "failed")),
                _share(row["success_rate"]),
                _share(row["error_rate"]),
                *(_ms(row[f"{which}_latency_ms"]) for which in ("mean", "p50", "p95", "p99")),
            )
            for row in rows
        ],
    )


def _outcomes(facts: Facts) -> str:
    rows = [("skipped", why, count) for why, count in facts["skipped_by"].items()]
    rows += [("failed", why, count) for why, count in facts["failed_by"].items()]
    return table(["outcome", "why", "leads"], rows) if rows else "None: every lead is scored."


def _latency(facts: Facts) -> str:
    pooled = facts["pooled"]
    names = {"mean": "mean (gate: < 500 ms)", "p50": "median", "p95": "p95", "p99": "p99"}
    return table(["", "ms"], [(says, _ms(pooled[f"{which}_latency_ms"])) for which, says in names.items()])


def _availability(rows: list[Facts]) -> str:
    if not rows:
        return "Nothing is scored."
    shown = [
        (f"`{row['feature']}`", _share(row["training"]), _share(row["shadow"]), f"{row['points']:+.1f}", _chance(row))
        for row in rows
    ]
    return (
        f"The {len(rows)} features that move this model's scores most; share of leads of whom each is not known. The "
        "gate allows 10 points more than in training (R40). With few leads chance alone moves a share by as much: the "
        "last column says what is beyond it (exact binomial test, Holm over these features), and decides nothing.\n\n"
        + table(["feature", "training", "these days", "points", "over, and beyond chance"], shown)
    )


def _chance(row: Facts) -> str:
    return "**yes**" if row["beyond_chance"] else "no"


# Why there is no champion to compare with, by what the facts say of it.
_NO_OTHER = {
    "none": "No model is in production yet; the baseline stands in (plan: if any).",
    "this model": "This model is the champion itself; the baseline stands in.",
}
_NOT_BY_CHAMPION = (
    "The champion `{champion}` came after these days were scored: `leadscore shadow` scores them by both."
)
_UNREADABLE = "The champion `{champion}` cannot be loaded any more, and scored no lead of these days: {why}"


def _beside(facts: Facts) -> str:
    lines = []
    champion = facts["champion_version"]
    for name, says in (
        ("champion", f"the champion `{champion}`"),
        ("baseline", "the logistic baseline of the same training"),
    ):
        found = facts[name]
        if found:
            rank = "not defined" if found["spearman"] is None else f"{found['spearman']:.2f}"
            lines.append(
                f"Beside {says}, {found['leads']:,} leads: rank agreement (Spearman) {rank}; {found['overlap']:.0%} of "
                f"the best tenth is the same; the model's mean is {found['mean_difference']:+.4f} from the other's."
            )
        elif name == "champion" and facts.get("champion_unreadable"):
            lines.append(_UNREADABLE.format(champion=champion, why=facts["champion_unreadable"]))
        elif name == "champion":
            lines.append(_NO_OTHER.get(champion, _NOT_BY_CHAMPION).format(champion=champion))
    return bullets(lines)


def _stress(rows: list[Facts]) -> str:
    if not rows:
        return "There was no lead to run it on."
    return table(
        ["scenario", "leads", "scored", "failed", "warned", "p50", "p99", "leads/s", "mean score", "mean |change|"],
        [
            (
                row["scenario"],
                *(row[word] for word in ("leads", "scored", "failed", "warned")),
                _ms(row["p50_ms"]),
                _ms(row["p99_ms"]),
                f"{row['leads_per_second']:,.0f}",
                _number(row["mean_probability"]),
                _number(row["mean_change"]),
            )
            for row in rows
        ],
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} ms"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


SECTIONS: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "shadow_day_report": _day,
    "shadow_scoring_report": _week,
}
