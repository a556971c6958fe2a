"""The table of gates, as the ledger has it: what `leadscore status` shows.

Belongs here: which lines there are. Does not belong here: how they look (reports/status.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from leadscore_v6.gates.decisions import PROMOTED
from leadscore_v6.gates.judge import show
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.steps import DAY, STEPS
from leadscore_v6.reports.status import StatusLine

# A step that runs every day shows its last week; `--all` shows the rest.
SHOWN_DAYS = 7


def status_lines(ledger: Ledger, *, everything: bool = False) -> list[StatusLine]:
    """Gates of the latest attempt at every place, in the plan's order; `everything`: of every attempt."""
    lines: list[StatusLine] = []
    for attempt in _attempts(ledger, everything=everything):
        lines.extend(attempt_lines(ledger, attempt))
    return lines


def _attempts(ledger: Ledger, *, everything: bool) -> Iterator[Attempt]:
    for asset, step in STEPS.items():
        if everything:
            mine = [attempt for attempt in ledger.attempts.values() if attempt.asset == asset]
            yield from sorted(mine, key=lambda attempt: (attempt.partition or "", attempt.seq))
            continue
        keys = ledger.keys(asset)
        for key in keys[-SHOWN_DAYS:] if step.partition == DAY else keys:
            latest = ledger.latest(asset, key)
            if latest is not None:
                yield latest


def attempt_lines(ledger: Ledger, attempt: Attempt) -> Iterator[StatusLine]:
    """One line per gate of an attempt; one for all of it when it was refused or did not end."""
    when = f"{attempt.started_at:%Y-%m-%d %H:%M}" if attempt.started_at else ""
    if attempt.state in ("started", "refused"):
        word = "REFUSED" if attempt.state == "refused" else "NOT ENDED"
        why = (attempt.refusal or "run it again").splitlines()[0]
        step = STEPS[attempt.asset].number
        place = (step, attempt.asset, attempt.partition)
        yield StatusLine(*place, "-", why, "", word, when, attempt.version, attempt.key, stops=word == "REFUSED")
        return
    for verdict in ledger.verdicts(attempt):
        gate = verdict.gate
        waived = verdict.blocks and ledger.waived(attempt, gate.name)
        word = "withdrawn" if attempt.withdrawn else "waived" if waived else verdict.word
        figure = f"{gate.literal.figure} {show(verdict.figure)}"
        if gate.companion is not None:
            figure += f"; {gate.companion.figure} {show(verdict.companion)}"
        yield StatusLine(
            gate.step,
            attempt.asset,
            attempt.partition,
            gate.name,
            figure,
            gate.threshold,
            word,
            when,
            attempt.version,
            attempt.key,
            stops=verdict.blocks and word == verdict.word,
        )


def served_versions(ledger: Ledger) -> dict[str, str]:
    """What the promoted view serves: version and as_of; empty if nothing was ever promoted."""
    return {
        name.split(".")[-1]: f"version {attempt.facts['promoted_version']}, as of {attempt.facts['as_of']}"
        for name, attempt in ledger.published().items()
        if attempt.asset == PROMOTED
    }
