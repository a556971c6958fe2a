"""Text for a terminal: the table of gates, and what a run leaves to open.

Belongs here: how it looks. Does not belong here: which gates there are (gates/status.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MARKS = {
    "pass": "pass",
    "fail": "FAIL",
    "warn": "warn",
    "not judgeable": "NOT JUDGEABLE",
    "not applicable": "n/a",
    "waived": "WAIVED",
}


@dataclass(frozen=True)
class StatusLine:
    """One gate of one attempt; a refused or unfinished attempt has one line without a gate.

    stops: whether it keeps what follows from being built; what warns and cannot be judged yet does not.
    """

    step: str
    asset: str
    partition: str | None
    gate: str
    figure: str
    threshold: str
    verdict: str
    when: str
    version: str | None
    attempt: str
    stops: bool

    @property
    def misses(self) -> bool:
        """Whether it is a gate that a person has something to look at of: it stops, or warns."""
        return self.gate != "-" and (self.stops or self.verdict == "warn")

    @property
    def mark(self) -> str:
        """The verdict as a table has it: in capitals what stops, or a person waved through."""
        is_early = self.verdict == "not judgeable" and not self.stops
        return self.verdict if is_early else MARKS.get(self.verdict, self.verdict)


def render_status(lines: Sequence[StatusLine], served: Mapping[str, str]) -> str:
    """The table of gates, one block per attempt, and what the promoted view serves."""
    if not lines:
        return "Nothing has been built here yet. Start with `leadscore demo`, or `leadscore run --data DIR`."
    blocks: list[str] = []
    last = None
    for line in lines:
        if line.attempt != last:
            last = line.attempt
            version = f"  version {line.version}" if line.version else ""
            place = line.asset + (f" {line.partition}" if line.partition else "")
            blocks.append(f"\n{place}  (attempt {line.attempt}, {line.when}){version}")
        blocks.append(f"  {line.step:<4} {line.mark:<14} {line.gate:<32} {line.figure}  [{line.threshold}]")
    blocks.append("")
    odd = dict.fromkeys(line.gate for line in lines if line.misses)
    if odd:
        blocks += [f"What to do, and why: `leadscore gate NAME`, of {', '.join(odd)}.", ""]
    blocks.extend(f"{name} serves {version}" for name, version in served.items())
    return "\n".join(blocks).lstrip("\n")


def render_gate(title: str, told: Mapping[str, str], lines: Sequence[StatusLine]) -> str:
    """One gate: `told` about it line by line, and how it stands wherever it was judged last."""
    width = max(map(len, told))
    stands = [
        f"  {line.mark:<14} {line.partition or line.asset}  {line.figure}  (attempt {line.attempt}, {line.when})"
        for line in lines
    ]
    rows = [f"  {word:<{width}}  {text}" for word, text in told.items()]
    return "\n".join([title, *rows, "", *(stands or ["  It was not judged here yet."])])


def render_overview(marks: Mapping[str, int], served: Mapping[str, str], paths: Mapping[str, str]) -> str:
    """The end of a run: gates counted by verdict, what is served, and what to open next."""
    counted = ", ".join(f"{count} {mark}" for mark, count in marks.items() if count)
    width = max(map(len, paths))
    serves = (f"{name} serves {version}." for name, version in served.items())
    lines = [f"Gates of all that is here: {counted}.", *serves, "", "Open next:"]
    lines += [f"  {what:<{width}}  {path}" for what, path in paths.items()]
    return "\n".join(lines)
