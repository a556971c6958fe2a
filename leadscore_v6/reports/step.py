"""The report of one attempt at one step: verdict, gates, what it was made from, figures.

Sections that only one step has are in `sections.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadscore_v6.reports.markdown import table

SYNTHETIC = (
    "> **SYNTHETIC DATA.** Made by `leadscore sample`; no figure below says anything about real advisors or leads."
)


@dataclass(frozen=True)
class GateLine:
    """One gate as the report shows it.

    blocks: its verdict stops what follows, unless a person waves it through. advice: cause, check and remedy by these
    words, of a gate that does not hold.
    """

    name: str
    step: str
    says: str
    figure: str
    companion: str
    threshold: str
    word: str
    blocks: bool = False
    waiver: Mapping[str, str] | None = None
    advice: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StepReport:
    """What a report is made from; figures and facts are the attempt's own. caveats: about the model that serves."""

    title: str
    attempt: str
    version: str | None
    gates: tuple[GateLine, ...]
    failed: tuple[str, ...]
    figures: Mapping[str, Any]
    facts: Mapping[str, Any]
    synthetic: bool
    earlier_waivers: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    headlines: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


MARKS = {"pass": "✅ pass", "fail": "🛑 FAIL", "warn": "⚠️ warn"}


def render_report(report: StepReport) -> str:
    """A step's main report as Markdown: verdict, what to know first, gates, sections, pictures, every figure."""
    blocks = [*_head(report), _identity(report), "## Gates\n\n" + _gates(report.gates), *_advice(report.gates)]
    blocks += [*report.sections, *_pictures(report), "## All figures\n\n" + _figures(report.figures)]
    return "\n\n".join(blocks) + "\n"


def render_further(report: StepReport) -> str:
    """Another report of the same step: the verdict, and its own sections; the gates are in the main one."""
    return "\n\n".join([*_head(report), *report.sections, *_pictures(report), _identity(report)]) + "\n"


def _head(report: StepReport) -> list[str]:
    blocks = [f"# {report.title}", *([SYNTHETIC] if report.synthetic else []), _status(report), *report.headlines]
    if report.earlier_waivers:
        lines = "\n".join(f"> - {waiver}" for waiver in report.earlier_waivers)
        blocks.append(f"> ⚠️ **Waived by a human before this step:**\n{lines}")
    return [*blocks, *caveats_block(report.caveats)]


def caveats_block(caveats: Iterable[str]) -> list[str]:
    """What must be known of the model behind the scores, as a block to see first; nothing if there is nothing."""
    lines = "\n".join(f"> - {one}" for one in caveats)
    return [f"> ⚠️ **About the model that serves:**\n{lines}"] if lines else []


def _pictures(report: StepReport) -> list[str]:
    names = {name: name.removesuffix(".png").replace("_", " ") for name in report.pictures}
    return [f"![{says}]({name})" for name, says in names.items()]


def _status(report: StepReport) -> str:
    if report.failed:
        return f"**STATUS: 🛑 FAILED** - {', '.join(report.failed)}. Nothing was published; what follows is blocked."
    waived = [gate.name for gate in report.gates if gate.waiver]
    if waived:
        return f"**STATUS: ⚠️ PUBLISHED UNDER A WAIVER** - {', '.join(waived)}"
    return f"**STATUS: ✅ SUCCESS** - {len(report.gates)} gates, none stops what follows."


def _identity(report: StepReport) -> str:
    rows: list[tuple[str, object]] = [("attempt", f"`{report.attempt}`")]
    if report.version:
        rows.append(("version", f"`{report.version}`"))
    for name, value in report.facts.items():
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            rows.append((name.replace("_", " "), _shown(value)))
    return table(["", ""], rows)


def _gates(gates: Iterable[GateLine]) -> str:
    rows = []
    for gate in gates:
        word = "🛑 NOT JUDGEABLE" if gate.blocks and gate.word == "not judgeable" else MARKS.get(gate.word, gate.word)
        if gate.waiver:
            waiver = gate.waiver
            word = f"⚠️ {gate.word}, waived by {waiver['by']} until {waiver['expires']}: {waiver['reason']}"
        rows.append((gate.step, f"`{gate.name}`", gate.says, gate.figure, gate.companion, gate.threshold, word))
    return table(["step", "gate", "what it says", "figure", "companion", "threshold", "verdict"], rows)


def _advice(gates: Iterable[GateLine]) -> list[str]:
    """What to do about each gate that does not hold; nothing if all do."""
    told = [
        f"**`{gate.name}`**\n\n" + "\n".join(f"- {word}: {text}" for word, text in gate.advice.items())
        for gate in gates
        if gate.advice
    ]
    return ["## What to do\n\n" + "\n\n".join(told)] if told else []


def _figures(figures: Mapping[str, Any]) -> str:
    return table(["figure", "value"], [(f"`{name}`", _shown(value)) for name, value in figures.items()])


def _shown(value: Any) -> object:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "not measured" if value is None else value
