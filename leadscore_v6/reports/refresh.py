"""The decision about a champion after a refresh, as a page (plan step 6.2): what it is, and all that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadscore_v6.reports.markdown import bullets, table

PROMOTED, KEPT, QUEUED, FIRST, STOPPED, STANDS = "promoted", "kept", "queued", "first", "stopped", "stands"
_WORDS = {
    PROMOTED: "✅ the challenger is champion",
    KEPT: "🛑 the champion stays",
    QUEUED: "⏳ the challenger waits until the running experiment has ended (R58)",
    STOPPED: "🛑 a gate stopped the new model; what served goes on serving",
    STANDS: "✅ the newest model serves already",
    FIRST: "no champion yet: there is nothing to compare with",
}
_LIMIT: Final = (
    "Only leads that were dialled can be compared (R50), and those that the champion's own score put first favour the "
    "challenger. So where its order chose among the leads that came, those alone are compared that both models would "
    "have had dialled: the condition on leads that favour neither. What that does not reach is a choice made before a "
    "lead came: of advisors whom a call list brought in, the others were never contacted. Where such leads are many, "
    "an equal challenger, and even a worse one, can win if it differs much from the champion "
    "(docs/operating-characteristics.md, champion and challenger)."
)


@dataclass(frozen=True)
class DecisionReport:
    """One decision. `missed`: conditions that do not hold, in words; `conditions`: all of R31's; figures by name."""

    outcome: str
    challenger: str
    champion: str | None
    headline: str
    missed: Sequence[str]
    conditions: Sequence[Mapping[str, Any]]
    figures: Mapping[str, Any]
    age: str | None
    by: str
    synthetic: bool


def render_decision(report: DecisionReport) -> str:
    """The page as Markdown; the verdict first."""
    parts = [f"# Step 6.2: champion decision about model {report.challenger}"]
    if report.synthetic:
        parts.append(
            "> **SYNTHETIC DATA.** Made by `leadscore sample`; no figure below says anything about real advisors or "
            "leads."
        )
    parts.append(f"**{_WORDS[report.outcome]}.** {report.headline}")
    if report.age:
        parts.append(f"**Warning.** {report.age}")
    if report.missed:
        parts.append("## Why not\n\n" + bullets(report.missed))
    if report.conditions:
        rows = [
            (
                row["name"],
                {True: "✅ holds", False: "🛑 does not hold", None: "not judgeable"}[row["holds"]],
                row["says"] + ("" if row["is_asked"] else " (shown only)"),
            )
            for row in report.conditions
        ]
        parts.append("## Conditions of the plan and of R31\n\n" + table(["condition", "", "what was found"], rows))
        parts.append("## What the comparison cannot tell\n\n" + _LIMIT)
    if report.figures:
        figures = [(f"`{name}`", "-" if value is None else value) for name, value in report.figures.items()]
        parts.append("## Figures\n\n" + table(["figure", "value"], figures))
    parts.append(f"Champion until now: {report.champion or 'none'}. Asked for by {report.by}.")
    return "\n\n".join(parts) + "\n"
