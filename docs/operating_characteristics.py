"""Writes a part of operating-characteristics.md: `python -m docs.operating_characteristics` (minutes).

How often the gates of steps 4.1 to 4.4 get it wrong, over worlds of known truth: of scores
(tests/modeling/operating.py), and smaller ones in which boosters are fitted (tests/modeling/operating_fitted.py).
`make prove` does it again and holds the page against it. The experiment's part is experiment_characteristics.py's.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tests.modeling import operating_fitted as fitted
from tests.modeling.operating import CALIBRATION, DISCRIMINATION, GATES, PREVALENCE, Asked, Scenario, passed

PAGE = Path(__file__).with_name("operating-characteristics.md")
TITLE = "# Operating characteristics of the model gates"
WORLDS = 200
FITTED_WORLDS = 40
CHUNK = 20

HEAD = f"""{TITLE}

How often a gate is wrong: it lets a bad model pass, or stops a good one. Simulated, not argued: worlds of known truth,
{{worlds}} per row, judged by the product's own figures.

Written by `python -m docs.operating_characteristics`; `make prove` runs it again and fails if this part differs.

A cell is the share of worlds in which the gate lets the model **pass**, in %. With {{worlds}} worlds a share of 5 % is
known to about ± 3 points. In bold: a wrong verdict more than one time in twenty. In the rows of good models every stop
is wrong. In the row of a bad model only the gates that are there to stop it are judged, and marked ✗ (the lower the
better); of the other gates nothing is asked there.

In the tables of 4.1 and 4.3 a world has the plan's size: 42,000 leads, {100 * PREVALENCE:.1f} % positive, five test
blocks of 3,300, a calibration block of 6,300, a holdout of 8,400. A lead's score is normal, higher for positives by
what the AUC asks for, so that the best model is known and Platt scaling is right unless something was made wrong.

What it says of the plan's own thresholds: at this size the literal gap gate (15 %) and the literal CV gate (20 %) each
stop a good model about one time in seven by sampling noise alone, because a test block has some 110 positives. More
leads, or a stronger model, is what helps; `cv_noise` beside the figure shows how much of it is noise. The literal ECE
gates stop nothing that is wrong here: their companions do. The 95th percentile of the null of ECE (R20) stops one right
model in twenty here, whatever the size, because Platt scaling fits these worlds exactly. It fits a booster nearly, and
stops more of them: 7 to 13 % of right ones, mean 9 %, in seven worlds of the demo (docs/adr/0044). Of the segments only
the largest has the 100 conversions here with which the companion judges it; where none has, the gate stops as "not
judgeable".

Bootstrap intervals take 200 draws here and the null of ECE 100, fewer than in production: the shares move by less than
their own error.
"""
FITTED_HEAD = f"""## Steps 4.2 and 4.4: with fitted boosters

Smaller worlds, {{worlds}} per row (a share of 5 % is known to about ± 7 points): {fitted.LEADS:,} leads over two
years, {100 * fitted.RATE:.0f} % positive in every month, {len(fitted.FEATURES)} features of which {2 * fitted.PAIRS}
matter, in {fitted.PAIRS} pairs. Model, calibrator and baseline are fitted anew in five folds, with fewer and longer
boosting steps than in production. Leaks are looked for in worlds of the same kind, before anything is fitted. With 18
% positive AUC-PR is high and steady: that the plan's gap and CV gates stop no right model here says nothing of 3.4 %,
where they err as in 4.1.
"""


def part(title: str) -> str:
    """What the page says under a title of the first level, the title included; empty if it has no such part."""
    found = re.search(rf"^{re.escape(title)}$.*?(?=^# |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return found.group().rstrip("\n") + "\n" if found else ""


def put(title: str, text: str) -> None:
    """Replace the part of that title, or add it at the end; the other parts stay as they are."""
    page, old, new = PAGE.read_text(encoding="utf-8"), part(title), text.rstrip("\n") + "\n"
    PAGE.write_text(page.replace(old, new) if old else f"{page.rstrip()}\n\n{new}", encoding="utf-8")


def page(worlds: int = WORLDS, fitted_worlds: int = FITTED_WORLDS, workers: int = 0) -> str:
    """The part's text; the same for any number of workers."""
    found = _simulate(
        [((*DISCRIMINATION, *CALIBRATION), passed, worlds),
         ((*fitted.FITTED, *fitted.LEAKS), fitted.fitted_passed, fitted_worlds)],
        workers or os.cpu_count() or 1,
    )  # fmt: skip
    parts = [HEAD.format(worlds=worlds)]
    parts += _table("## Step 4.1: ranking", DISCRIMINATION, found, worlds, GATES)
    parts += _table("## Step 4.3: calibration", CALIBRATION, found, worlds, GATES)
    parts.append(FITTED_HEAD.format(worlds=fitted_worlds))
    parts += _table("### 4.4, the backtest", fitted.FITTED, found, fitted_worlds, fitted.GATES)
    parts += _table("### 4.2, leaks among the features", fitted.LEAKS, found, fitted_worlds, fitted.GATES)
    return "\n".join(parts)


def _simulate(
    kinds: Sequence[tuple[Sequence[Any], Callable[[Any, range], dict[str, int]], int]], workers: int
) -> dict[str, Counter[str]]:
    """Passes per scenario's name and gate; a kind is scenarios, what counts the passes of some seeds, and worlds."""
    found: dict[str, Counter[str]] = {scenario.name: Counter() for scenarios, _, _ in kinds for scenario in scenarios}
    with ProcessPoolExecutor(workers) as pool:
        tasks = {
            pool.submit(count, scenario, range(start, min(start + CHUNK, worlds))): scenario.name
            for scenarios, count, worlds in kinds
            for scenario in scenarios
            for start in range(0, worlds, CHUNK)
        }
        for number, task in enumerate(as_completed(tasks), start=1):
            found[tasks[task]].update(dict.fromkeys(task.result(), 0))
            found[tasks[task]].update(task.result())
            print(f"{number} of {len(tasks)} chunks", flush=True)
    # Counter drops nothing, but its order is that of arrival.
    order = GATES | fitted.GATES
    return {name: Counter({gate: counts[gate] for gate in order if gate in counts}) for name, counts in found.items()}


def _table(
    title: str, scenarios: Sequence[Any], found: dict[str, Counter[str]], worlds: int, says: Mapping[str, Asked]
) -> list[str]:
    gates = list(found[scenarios[0].name])
    return [
        title,
        "",
        "| model | " + " | ".join(_short(gate) for gate in gates) + " |",
        "|---|" + "---:|" * len(gates),
        *(_row(scenario, found[scenario.name], worlds) for scenario in scenarios),
        "",
        *(f"- {_short(gate)}: {says[gate]}" for gate in gates),
        "",
    ]


def _row(scenario: Scenario | fitted.FittedScenario, counts: Counter[str], worlds: int) -> str:
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
    parser.add_argument("--fitted-worlds", type=int, default=FITTED_WORLDS, help="the same where boosters are fitted")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: one per core")
    arguments = parser.parse_args()
    put(TITLE, page(arguments.worlds, arguments.fitted_worlds, arguments.workers))
