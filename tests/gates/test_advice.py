"""What to do when a gate does not hold is said of every gate, in names that there are, wherever a person looks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import yaml

from leadscore_v6 import cli
from leadscore_v6.errors import GateBlocked, InputError
from leadscore_v6.gates.attempt import Outcome, require
from leadscore_v6.gates.guard import Obstacle, _ways
from leadscore_v6.gates.judge import judge
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.gates.registry import Gate, load_gates, read_gates
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.paths import config_root

REPOSITORY = Path(__file__).parents[2]
GATES = [gate for asset in STEPS for gate in load_gates().of(asset)]
NAMES = {gate.name for gate in GATES}


def texts(gate: Gate) -> str:
    return " ".join(gate.advice.values())


@cache
def spoken() -> frozenset[str]:
    """Every word of the code and its queries, and every column: what a figure or a setting could be called."""
    files = [*(REPOSITORY / "sql").rglob("*.sql"), *(REPOSITORY / "leadscore_v6").rglob("*.py")]
    files += [*(REPOSITORY / "config").glob("*.json"), *(REPOSITORY / "config").glob("*.yaml")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files if file.name != "gates.yaml")
    figures = (condition for gate in GATES for condition in gate.figures)
    return frozenset(re.findall(r"\w+", text)) | frozenset(figures)


def test_every_gate_says_cause_check_and_remedy_and_no_two_say_the_same() -> None:
    assert [gate.name for gate in GATES if list(gate.advice) != ["cause", "check", "remedy"]] == []
    assert len({texts(gate) for gate in GATES}) == len(GATES)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_what_is_named_is_there(gate: Gate) -> None:
    """Figures and tables in the advice are the product's; other gates are named as they are called."""
    for word in re.findall(r"[A-Za-z_]*[a-z]_[a-z_]+(?:__)?", re.sub(r"\S+/\S+|`leadscore[^`]*`", "", texts(gate))):
        assert word in NAMES or word in STEPS or any(name.startswith(word) for name in spoken()), word
    for path in re.findall(r"\b(?:config|sql|docs)/[\w./]+\w", texts(gate)):
        assert (REPOSITORY / path).exists(), path
    reports = {name for step in STEPS.values() for name in (step.report, step.manifest, *step.further)}
    for name in re.findall(r"`([\w…]+\.(?:md|json))`", texts(gate)):
        assert name.replace("…", "{version}") in reports, name


def commands(text: str) -> Iterator[list[str]]:
    for found in re.findall(r"`leadscore ([^`]*)`", text):
        yield shlex.split(found)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_every_command_is_one_and_no_remedy_goes_round_a_gate(gate: Gate) -> None:
    for words in commands(texts(gate)):
        command: click.Command = cli.cli
        while isinstance(command, click.Group) and words:
            found = command.commands.get(words.pop(0))
            assert found is not None
            command = found
        known = {option for parameter in command.params for option in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in known] == []
    assert gate.waivable or "leadscore waive" not in texts(gate)
    assert "gates.yaml" not in texts(gate)


def stopped(name: str, **figures: float) -> tuple[Outcome, Gate]:
    gate = load_gates()[name]
    attempt = Attempt("abc123", gate.asset, None, None, "content")
    return Outcome(attempt, (judge(gate, figures),), recognised=False, waived=frozenset()), gate


def test_a_run_that_is_stopped_says_what_to_do() -> None:
    outcome, gate = stopped("dials_no_duplicate", duplicates=3)
    with pytest.raises(GateBlocked) as told:
        require(outcome)
    for text in (f"cause: {gate.cause}", f"check: {gate.check}", f"remedy: {gate.remedy}"):
        assert text in str(told.value)
    assert "`leadscore waive dials_no_duplicate --attempt abc123`" in str(told.value)


def test_what_nobody_can_waive_is_not_said_to_be_waived() -> None:
    outcome, gate = stopped("leads_one_row_per_id", duplicate_ids=3)
    with pytest.raises(GateBlocked) as told:
        require(outcome)
    assert gate.remedy in str(told.value)
    assert "waive" not in str(told.value)


def test_a_step_that_may_not_start_says_what_heals_the_one_before_once() -> None:
    outcome, gate = stopped("dials_no_duplicate", duplicates=3)
    obstacle = Obstacle(gate.asset, None, outcome.attempt, "a gate", tuple(outcome.verdicts))
    assert _ways([obstacle, obstacle]).count(gate.remedy) == 1
    assert "`leadscore gate dials_no_duplicate`" in _ways([obstacle])
    unjudged = Obstacle(gate.asset, None, None, "never built")
    assert _ways([unjudged]).startswith("mend the input and run again")


def test_half_an_advice_is_refused(tmp_path: Path) -> None:
    entry = yaml.safe_load((config_root() / "gates.yaml").read_text(encoding="utf-8"))["gates"][0]
    del entry["remedy"]
    file = tmp_path / "gates.yaml"
    file.write_text(yaml.safe_dump({"gates": [entry]}))
    with pytest.raises(InputError, match="'remedy' is a dependency"):
        read_gates(file)
