"""Gates as the file declares them: nothing is lost, thresholds are said as they are, a changed one is seen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates import registry
from leadscore_v6.gates.registry import load_gates, read_gates
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.paths import config_root

ENTRY = {"name": "firms", "step": "1.6", "asset": "snapshot_firms", "says": "Many.", "figure": "firms"}
BAND = {**ENTRY, "op": "between", "value": [30000, 40000]}
COMPANION = {"companion": {"figure": "rows_per_firm", "op": "<=", "value": 20}}


def write(folder: Path, *entries: object) -> Path:
    file = folder / "gates.yaml"
    file.write_text(yaml.safe_dump({"gates": list(entries)}))
    return file


def test_the_products_file_is_read_whole() -> None:
    declared = yaml.safe_load((config_root() / "gates.yaml").read_text())["gates"]
    gates = load_gates()
    assert sum(len(gates.of(asset)) for asset in STEPS) == len(declared) > 40
    for entry in declared:
        gate = gates[entry["name"]]
        assert (gate.literal.figure, gate.literal.op, gate.literal.value) == (
            entry["figure"],
            entry["op"],
            entry["value"],
        )
        assert gate.waivable == entry.get("waivable", True)
        assert gate.blocking == (entry.get("severity", "error") == "error")


@pytest.mark.parametrize(
    ("entry", "threshold"),
    [
        ({**ENTRY, "op": "==", "value": 0}, "== 0"),
        (BAND, "between 30,000 and 40,000"),
        ({**BAND, **COMPANION}, "between 30,000 and 40,000 and rows_per_firm <= 20"),
        (
            {**BAND, **COMPANION, "combine": "companion_replaces"},
            "rows_per_firm <= 20 (the plan's between 30,000 and 40,000 is printed only)",
        ),
    ],
)
def test_thresholds_in_words(entry: dict[str, object], threshold: str, tmp_path: Path) -> None:
    assert read_gates(write(tmp_path, entry))["firms"].threshold == threshold


def test_a_gate_that_is_not_there_is_answered_with_near_names() -> None:
    with pytest.raises(UsageError, match=r"Did you mean .*staging_rep_match_rate"):
        load_gates()["stagin_rep_match_rat"]


def test_a_changed_threshold_is_seen_a_changed_wording_is_not(tmp_path: Path) -> None:
    def config_hash(**changed: object) -> str:
        return read_gates(write(tmp_path, {**BAND, **COMPANION, **changed}))["firms"].config_hash

    base = config_hash()
    judged_otherwise = [
        config_hash(value=[30000, 45000]),
        config_hash(op="<=", value=40000),
        config_hash(figure="rows_per_firm"),
        config_hash(severity="warn"),
        config_hash(combine="companion_replaces"),
        config_hash(companion={"figure": "rows_per_firm", "op": "<=", "value": 21}),
        config_hash(when={"figure": "rows", "op": ">=", "value": 1}),
    ]
    assert len({base, *judged_otherwise}) == 8
    assert config_hash(says="Other words.", waivable=False) == base


def test_a_file_that_changes_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Path(shutil.copytree(config_root(), tmp_path / "config"))
    monkeypatch.setattr(registry, "config_root", lambda: config)
    assert load_gates()["staging_rep_match_rate"].companion.value == 0.85
    file = config / "gates.yaml"
    file.write_text(file.read_text().replace("value: 0.85", "value: 0.95"))
    os.utime(file, ns=(1, 1))
    assert load_gates()["staging_rep_match_rate"].companion.value == 0.95


def test_the_plans_gates_are_all_of_the_file() -> None:
    """Named in one place, each by its step: one that is only in the file could be left out of it unseen."""
    named = {(step.asset, name) for step in STEPS.values() for name in step.gates}
    declared = yaml.safe_load((config_root() / "gates.yaml").read_text())["gates"]
    assert named == {(gate["asset"], gate["name"]) for gate in declared}


def named(gates: list[dict[str, object]]) -> dict[str, object]:
    """The entry that is done something to."""
    return next(gate for gate in gates if gate["name"] == "staging_rep_match_rate")


@pytest.mark.parametrize(
    "change",
    [
        lambda gates: gates.remove(named(gates)),
        lambda gates: named(gates).update(asset="crm_leads"),
    ],
    ids=["left out", "of another step"],
)
def test_a_gate_of_the_plan_that_is_gone_is_noticed(
    change: Callable[[list[dict[str, object]]], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Path(shutil.copytree(config_root(), tmp_path / "config"))
    monkeypatch.setattr(registry, "config_root", lambda: config)
    gates = yaml.safe_load((config / "gates.yaml").read_text())["gates"]
    change(gates)
    write(config, *gates)
    with pytest.raises(UsageError, match=r"gates.yaml lacks .*staging_rep_match_rate \(of step_3_1_staging_join_v6\)"):
        load_gates()


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([{**ENTRY, "op": "=>", "value": 1}], "=>"),
        ([{**ENTRY, "op": "between", "value": 5}], "5 is not of type 'array'"),
        ([{**BAND, "severty": "warn"}], "severty"),
        ([{**BAND, "combine": "companion_replaces"}], "companion"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(entries: list[object], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"line \d+: .*{says}.*gates.yaml"):
        read_gates(write(tmp_path, *entries))


def test_one_name_for_two_gates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="firms more than once"):
        read_gates(write(tmp_path, BAND, BAND))
