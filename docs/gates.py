"""Writes docs/gates.md from config/gates.yaml: `python docs/gates.py`.

Belongs here: turning the registry of gates into a page. What a gate asks for, and what to do when it does not hold, is
said in that file, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from leadscore_v6.gates.registry import load_gates
from leadscore_v6.gates.steps import STEPS

PAGE = Path(__file__).parent / "gates.md"

HEAD = """# Gates

Made by `python docs/gates.py` from `config/gates.yaml`; change a gate there, not on this page. `leadscore gate NAME`
says the same of one gate, and how it stands in a home; so do the message of a run that it stopped, the report of the
step, Dagster's page of the check and the dashboard.

**What failed?** `leadscore status` shows every gate. Of an attempt that was stopped the report is below
`artifacts/failed/ATTEMPT/`, of any other it stands under the name below; figures that a check names are in it, under
"All figures". Nothing of a stopped attempt is published, and what was published before serves on.

**What then?** In capitals stands what is different each time: `FEED` the folder of what is delivered, `DAY` a day
(YYYY-MM-DD), `VERSION` that of a table or model. Each `leadscore withdraw FILE` takes `--reason WHY`; each `leadscore
waive GATE` takes `--attempt KEY --by NAME --reason WHY --expires DAY`, and shows in every report after it. What
nobody can waive has no other way than its remedy. "The release before" is the installation that the home was run with
last; what is reported goes to who maintains the product, with the attempt's report.

**Not judgeable** is a figure that could not be measured: too few leads, or too few conversions for an interval; else
a table or file that is not there. It stops as a miss does, unless the gate only warns. More leads heal the former; a
waiver says that a person takes the risk."""


def page() -> str:
    """The page as Markdown."""
    return "\n\n".join([HEAD, *_steps()]) + "\n"


def _steps() -> Iterator[str]:
    gates = load_gates()
    for asset, step in STEPS.items():
        yield f"## {asset}\n\nStep {step.number}. {step.says} Report: `{step.report}`."
        for gate in gates.of(asset):
            told = "\n".join(f"- **{word}**: {text}" for word, text in gate.told.items() if word != "says")
            yield f"### `{gate.name}`\n\n{gate.says}\n\n{told}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
