"""What one check found, and how a terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OK, MISSING, UNCHECKED = "ok", "missing", "unchecked"
_MARKS = {OK: "ok", MISSING: "MISSING", UNCHECKED: "-"}


@dataclass(frozen=True)
class Finding:
    """One check. `state`: ok; missing; unchecked, for want of what another check found missing.

    says: what there is, or what is not. remedy: what to do about it, empty if there is nothing to do.
    """

    check: str
    state: str
    says: str
    remedy: str = ""


def ok(check: str, says: str) -> Finding:
    """A check that found what it looked for."""
    return Finding(check, OK, says)


def missing(check: str, says: str, remedy: str) -> Finding:
    """A check that did not; `remedy` is what a person can do."""
    return Finding(check, MISSING, says, remedy)


def unchecked(check: str, needs: str) -> Finding:
    """A check that could not be made without what `needs` names."""
    return Finding(check, UNCHECKED, f"not checked: it needs {needs}")


def render(findings: Sequence[Finding]) -> str:
    """A line per check, what to do below those that miss something, and a last line that counts."""
    width = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]:<8} {finding.check:<{width}}  {finding.says}")
        if finding.remedy:
            lines.append(f"{'':<8} {'':<{width}}  -> {finding.remedy}")
    found = sum(finding.state == MISSING for finding in findings)
    lines += ["", "All is there." if not found else f"{found} of {len(findings)} checks miss something."]
    return "\n".join(lines)
