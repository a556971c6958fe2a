"""Writes a part of operating-characteristics.md: `python -m docs.operating_characteristics` (minutes).

How often the gates of steps 4.1 and 4.3 get it wrong, over worlds of known truth (tests/modeling/operating.py).
`make prove` does it again and holds the page against it. The experiment's part is experiment_characteristics.py's.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.modeling.operating import CALIBRATION, DISCRIMINATION, GATES, PREVALENCE, Scenario, passed

PAGE = Path(__file__).with_name("operating-characteristics.md")
TITLE = "# Operating characteristics of the model gates"
WORLDS = 200
CHUNK = 20

HEAD = f"""# Operating characteristics of the model gates

How often a gate is wrong: it lets a bad model pass, or stops a good one. Simulated, not argued: {{worlds}} worlds of
known truth per row, each of the plan's size and judged by the product's own figures. That is 42,000 leads,
{100 * PREVALENCE:.1f} % positive: five test blocks of 3,300, a calibration block of 6,300, a holdout of 8,400. A lead's
score is normal, higher for positives by what the AUC asks for, so that the best model is known and Platt scaling is
right unless something was made wrong.

Written by `python -m docs.operating_characteristics`; `make prove` runs it again and fails if this part differs.

A cell is the share of worlds in which the gate lets the model **pass**, in %. With {{worlds}} worlds a share of 5 % is
known to about ± 3 points. In bold: a wrong verdict more than one time in twenty. In the rows of good models every stop
is wrong. In the row of a bad model only the gates that are there to stop it are judged, and marked ✗ (the lower the
better); of the other gates nothing is asked there.

What it says of the plan's own thresholds: at this size the literal gap gate (15 %) and the literal CV gate (20 %) each
stop a good model about one time in seven by sampling noise alone, because a test block has some 110 positives. More
leads, or a stronger model, is what helps; `cv_noise` beside the figure shows how much of it is noise. The literal ECE
gates stop nothing that is wrong here: their companions do.

Not simulated here: importance stability, the growth of gaps over folds and the leak canaries of 4.4 and 4.1, which need
fitted boosters. Bootstrap intervals take 200 draws here and the null of ECE 100, fewer than in production: the shares
move by less than their own error.
"""


def part(title: str) -> str:
    """What the page says under a title of the first level, the title included; empty if it has no such part."""
    found = re.search(rf"^{re.escape(title)}$.*?(?=^# |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return found.group().rstrip("\n") + "\n" if found else ""


def put(title: str, text: str) -> None:
    """Replace the part of that title, or add it at the end; the other parts stay as they are."""
    page, old, new = PAGE.read_text(encoding="utf-8"), part(title), text.rstrip("\n") + "\n"
    PAGE.write_text(page.replace(old, new) if old else f"{page.rstrip()}\n\n{new}", encoding="utf-8")


def page(worlds: int = WORLDS, workers: int = 0) -> str:
    """The part's text; the same for any number of workers."""
    found = _simulate(worlds, workers or os.cpu_count() or 1)
    parts = [HEAD.format(worlds=worlds)]
    for title, scenarios in (("Step 4.1: ranking", DISCRIMINATION), ("Step 4.3: calibration", CALIBRATION)):
        gates = list(found[scenarios[0].name])
        parts += [f"## {title}", ""]
        parts.append("| model | " + " | ".join(_short(gate) for gate in gates) + " |")
        parts.append("|---|" + "---:|" * len(gates))
        parts += [_row(scenario, found[scenario.name], worlds) for scenario in scenarios]
        parts += ["", *(f"- {_short(gate)}: {GATES[gate]}" for gate in gates), ""]
    return "\n".join(parts)


def _simulate(worlds: int, workers: int) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {scenario.name: Counter() for scenario in (*DISCRIMINATION, *CALIBRATION)}
    with ProcessPoolExecutor(workers) as pool:
        tasks = {
            pool.submit(passed, scenario, range(start, min(start + CHUNK, worlds))): scenario.name
            for scenario in (*DISCRIMINATION, *CALIBRATION)
            for start in range(0, worlds, CHUNK)
        }
        for number, task in enumerate(as_completed(tasks), start=1):
            found[tasks[task]].update(dict.fromkeys(task.result(), 0))
            found[tasks[task]].update(task.result())
            print(f"{number} of {len(tasks)} chunks", flush=True)
    # Counter drops nothing, but its order is that of arrival.
    return {name: Counter({gate: counts[gate] for gate in GATES if gate in counts}) for name, counts in found.items()}


def _row(scenario: Scenario, counts: Counter[str], worlds: int) -> str:
    cells = []
    for gate, count in counts.items():
        text = f"{100 * count / worlds:.1f}"
        must_stop = gate in scenario.wrong
        wrong = count if must_stop else 0 if scenario.wrong else worlds - count
        text = f"{text} ✗" if must_stop else text
        cells.append(f"**{text}**" if wrong > 0.05 * worlds else text)
    return f"| {scenario.name} | " + " | ".join(cells) + " |"


def _short(gate: str) -> str:
    return gate.replace("_", " ")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=WORLDS, help="worlds per row")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: one per core")
    arguments = parser.parse_args()
    put(TITLE, page(arguments.worlds, arguments.workers))
