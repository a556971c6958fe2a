"""`production_model_v6.md`: which model serves, since when and why, who was before it, who waits (plan step 6.2).

Belongs here: how the page looks. Does not belong here: what is on it (decision.py, from the ledger). The model card
tells how a model was made and does not change; this page tells what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from leadscore_v6.dashboard.settings import PAGE_FILE as DASHBOARD
from leadscore_v6.reports.markdown import bullets, table
from leadscore_v6.reports.model_list import ModelLine
from leadscore_v6.reports.step import caveats_block

PAGE = "production_model_v6.md"


@dataclass(frozen=True)
class Serving:
    """What the page tells.

    champion: version, None where none was ever promoted; since, how, by, reason: its reign. figures: what the promotion
    rested on. waiting: a version that won and waits; test_runs: whether a test still keeps it waiting. reigns: (since,
    version, how, by, reason), newest first. caveats: in words, what must be known of the champion on the day `as_of`.
    """

    as_of: date

    champion: str | None
    since: str
    how: str
    by: str
    reason: str
    figures: Mapping[str, Any]
    waiting: str | None
    test_runs: bool
    models: Sequence[ModelLine]
    reigns: Sequence[tuple[str, str, str, str, str]]
    caveats: Sequence[str]
    synthetic: bool


def render_serving(serving: Serving) -> str:
    """The page as Markdown; what serves comes first."""
    parts = ["# Which model serves"]
    if serving.synthetic:
        parts.append(
            "> **SYNTHETIC DATA.** Made by `leadscore sample`; no figure below says anything about real advisors or "
            "leads."
        )
    parts.append(_verdict(serving))
    parts.append(f"As of {serving.as_of}. How it has done since, and what was taken back since: `{DASHBOARD}`.")
    if serving.waiting:
        parts.append(f"**{serving.waiting} waits.** {waits(serving.waiting, test_runs=serving.test_runs)}")
    parts += caveats_block(serving.caveats)
    if serving.champion:
        parts.append("## Where things are\n\n" + bullets(_places(serving)))
    figures = [(f"`{name}`", "-" if value is None else value) for name, value in _plain(serving.figures).items()]
    if figures:
        parts.append("## What its promotion rested on\n\n" + table(["figure", "value"], figures))
    if serving.reigns:
        parts.append("## Who served\n\n" + table(["since", "model", "how", "by", "why"], serving.reigns))
        parts.append(
            "Files and training sets of all of them are kept (R56). Back to an earlier one: `leadscore rollback "
            "--model VERSION --by NAME --reason WHY`."
        )
    if serving.models:
        rows = [(one.version, one.state, one.role or "-", one.dataset, one.as_of) for one in serving.models]
        parts.append("## All models\n\n" + table(["model", "state", "role", "training set", "as of"], rows))
    return "\n\n".join(parts) + "\n"


def waits(version: str, *, test_runs: bool) -> str:
    """Until when a challenger that won waits, or what to do now."""
    if test_runs:
        return "It won against the champion; nothing changes while a test runs (R58)."
    return (
        f"It won against the champion, and the test that it waited for has ended: `leadscore refresh` decides anew, "
        f"`leadscore promote {version} --by NAME --reason WHY` makes it champion now."
    )


def _verdict(serving: Serving) -> str:
    if serving.champion is None:
        return "**No model serves.** None was promoted yet: `leadscore model list` shows which there are."
    return f"**{serving.champion} serves**, {serving.how} on {serving.since} by {serving.by}: {serving.reason}"


def _places(serving: Serving) -> list[str]:
    version = serving.champion
    return [
        f"how it was made and judged: `model_card_v6_{version}.md`",
        f"its files: `calibrated_model_v6_{version}/`, loaded only as published (`leadscore model show {version}`)",
        "what to do each day, month and quarter, and when an alert comes: `docs/production_runbook_v6.md`",
    ]


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if not isinstance(value, (list, dict))}
