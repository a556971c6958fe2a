"""Does every gate hold: the latest attempt at every step, what stops or warns, what a person waved through (R32)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from leadscore_v6.dashboard.page import Block, Folded, Panel, State, Table, Verdict
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import Home
from leadscore_v6.dashboard_panels.words import gate_table, not_yet
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.status import status_lines
from leadscore_v6.reports.status import MARKS, StatusLine

_ADVICE = ("cause", "check", "remedy")
_ODD = ("warn", "waived", "withdrawn", "NOT ENDED")
_NOT_YET = "not judgeable"


def gates(home: Home, panel: PanelSettings) -> Panel:
    """What stops and what warns first, then waivers, then every gate."""
    lines = status_lines(home.ledger)
    if not lines:
        return Panel(panel.panel, panel.title, panel.asks, not_yet(panel, "Nothing was judged here yet."))
    odd = [line for line in lines if line.stops or line.verdict in (*_ODD, _NOT_YET)]
    waivers = list(_waivers(home))
    blocks: list[Block] = []
    if odd:
        blocks.append(gate_table(odd, "Gates that do not simply hold", places=True))
    advice = _advice(home, [line.gate for line in lines if line.misses])
    if advice:
        blocks.append(Table("What to do about those that stop or warn", ("gate", "step", *_ADVICE), advice))
    if waivers:
        head = ("gate", "step", "by", "why", "until", "now")
        blocks.append(Table("Waived by a person", head, tuple(waivers)))
    steps = list(dict.fromkeys(line.step for line in lines))
    tables = tuple(
        gate_table([line for line in lines if line.step == step], f"Step {step}", places=True) for step in steps
    )
    blocks.append(Folded(f"All {len(lines)} gates of the latest attempts, step by step", (_counted(lines), *tables)))
    return Panel(panel.panel, panel.title, panel.asks, _verdict(lines, waivers, panel), tuple(blocks))


def _verdict(lines: list[StatusLine], waivers: list[tuple[str, ...]], panel: PanelSettings) -> Verdict:
    stopping = [line for line in lines if line.stops]
    if stopping:
        named = ", ".join(dict.fromkeys(line.gate if line.gate != "-" else line.asset for line in stopping))
        says = f"{len(stopping)} of {len(lines)} gates stop what follows: {named}."
        return Verdict(State.STOPPED, says, panel.remedy)
    odd = Counter(line.mark for line in lines if line.verdict in _ODD)
    in_force = sum(row[-1] == _IN_FORCE for row in waivers)
    if odd or in_force:
        said = [f"{count} {mark}" for mark, count in odd.items()]
        said += [f"{in_force} waived by a person"] if in_force and MARKS["waived"] not in odd else []
        return Verdict(State.LOOK, f"No gate stops anything; of {len(lines)}: {', '.join(said)}.", panel.remedy)
    early = list(dict.fromkeys(line.gate for line in lines if line.verdict == _NOT_YET))
    if early:
        says = f"No gate stops anything; of {len(lines)}, these warn and cannot be judged yet: {', '.join(early)}."
        return Verdict(State.NOT_YET, says, "Nothing: more leads must mature first.")
    idle = sum(line.verdict == "not applicable" for line in lines)
    says = f"All {len(lines) - idle} gates of the latest attempts hold, and none is waived."
    says += f" {idle} have nothing to judge ({MARKS['not applicable']})." if idle else ""
    return Verdict(State.HEALTHY, says)


def _advice(home: Home, names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """By gate, each once: cause, check and remedy, as the registry has them."""
    gates = [gate for name in dict.fromkeys(names) if (gate := home.ledger.gates[name]).advice]
    return tuple((f"`{gate.name}`", f"{gate.step} {gate.asset}", *gate.advice.values()) for gate in gates)


def _counted(lines: list[StatusLine]) -> Table:
    """By step: how many gates, and how they stand."""
    known = dict.fromkeys((*MARKS.values(), _NOT_YET))
    marks = [*known, *dict.fromkeys(line.mark for line in lines if line.mark not in known)]
    marks = [mark for mark in marks if any(line.mark == mark for line in lines)]
    counts = Counter((line.step, line.mark) for line in lines)
    steps = dict.fromkeys(line.step for line in lines)
    rows = tuple((step, *(str(counts[step, mark]) if counts[step, mark] else "" for mark in marks)) for step in steps)
    head = ("step", *marks)
    return Table("Gates of the latest attempts, by step", head, rows, frozenset(range(1, len(head))))


_IN_FORCE, _OVER = "in force", "expired"


def _waivers(home: Home) -> Iterator[tuple[str, ...]]:
    """Waivers of attempts that are the latest at their place, or serve."""
    serving = {attempt.key for attempt in home.ledger.published().values()}
    for attempt in sorted(home.ledger.attempts.values(), key=lambda one: one.seq):
        if attempt.waivers and (attempt.key in serving or _is_latest(home, attempt)):
            place = attempt.asset + (f" {attempt.partition}" if attempt.partition else "")
            for gate, waiver in sorted(attempt.waivers.items()):
                now = _IN_FORCE if home.ledger.waived(attempt, gate) else _OVER
                yield (f"`{gate}`", place, waiver["by"], waiver["reason"], waiver["expires"], now)


def _is_latest(home: Home, attempt: Attempt) -> bool:
    return home.ledger.latest(*attempt.place) is attempt
