"""Models on a terminal: the list of them, and one in full.

Belongs here: how it looks. Does not belong here: which models there are (gates/models.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ModelLine:
    """One model: `state` is `validated`, or where it stands; figures that were not measured are None.

    role: champion and since when, or that it once was; empty for the others.
    """

    version: str
    state: str
    stopped_by: str
    cv_auc_pr: float | None
    holdout_auc_pr: float | None
    ece: float | None
    dataset: str
    as_of: str
    trained_at: str
    role: str = ""


def render_list(lines: Sequence[ModelLine]) -> str:
    """A table, newest first. AUC-PR is average precision."""
    if not lines:
        return "No model has been trained here yet: `leadscore train`, or `leadscore run … --through model`."
    head = f"{'version':<12} {'state':<24} {'CV AUC-PR':>9} {'holdout':>8} {'ECE':>7}  "
    head += f"{'dataset':<16} {'as of':<11} trained"
    body = [
        f"{line.version:<12} {line.state:<24} {_shown(line.cv_auc_pr):>9} {_shown(line.holdout_auc_pr):>8} "
        f"{_shown(line.ece, '.4f'):>7}  {line.dataset:<16} {line.as_of:<11} {line.trained_at}"
        + "".join(f"\n{'':<12} {more}" for more in (line.role, f"stopped by {line.stopped_by}") if more not in _NOTHING)
        for line in lines
    ]
    return "\n".join([head, *body])


def render_model(shown: Mapping[str, Any]) -> str:
    """One model: what it was made from, its gates, its files and whether they are what was published."""
    blocks = [f"model_v6 {shown['version']}: {shown['state']}{', ' + shown['role'] if shown['role'] else ''}"]
    if shown["reigns"]:
        blocks.append("\n".join(f"  {reign}" for reign in shown["reigns"]))
    width = max(map(len, shown["made_from"]))
    blocks.append("\n".join(f"  {name:<{width}}  {value}" for name, value in shown["made_from"].items()))
    blocks.append(
        "\n".join(
            f"  {gate['step']:<4} {gate['verdict']:<14} {gate['gate']:<32} {gate['figure']}  [{gate['threshold']}]"
            for gate in shown["gates"]
        )
    )
    for folder in shown["folders"]:
        word = "as published" if folder["intact"] else f"NOT AS PUBLISHED: {folder['damage']}"
        blocks.append(f"{folder['path']}: {word}\n" + "\n".join(f"  {name}" for name in folder["files"]))
    return "\n\n".join(blocks)


_NOTHING = ("", "stopped by ")


def _shown(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else f"{value:{form}}"
