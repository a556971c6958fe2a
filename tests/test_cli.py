"""The command line where there is nothing to run on."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from leadscore_v6.cli import cli
from leadscore_v6.errors import UsageError
from leadscore_v6.gates.registry import load_gates

DECIDE = ("--by", "Ann", "--reason", "a pilot", "--expires", "2999-12-31")


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("gate", "leads_have_contacts"),
        ("waive", "leads_have_contacts", "--attempt", "0123456789ab", *DECIDE),
        ("withdraw", "Lead.csv"),
        ("withdraw", "--undo", "Lead.csv"),
        ("rollback", "--dataset", "20240107_1200"),
        ("gc",),
        ("gc", "--dry-run"),
    ],
    ids=" ".join,
)
def test_a_mistyped_home_is_refused_and_not_made(command: tuple[str, ...], tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, [*command, "--home", str(tmp_path / "hoem")])
    assert isinstance(ran.exception, UsageError)
    assert ran.exception.exit_code == 2
    assert f"There is no warehouse in {tmp_path / 'hoem'}" in str(ran.exception)
    assert list(tmp_path.iterdir()) == []


def test_an_undo_takes_no_reason_and_no_digest(tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["withdraw", "--undo", "--sha256", "0", "Lead.csv", "--home", str(tmp_path)])
    assert isinstance(ran.exception, UsageError)


def test_a_gate_is_told_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "none"))
    ran = CliRunner().invoke(cli, ["gate", "dials_no_duplicate"])
    assert ran.exit_code == 0
    gate = load_gates()["dials_no_duplicate"]
    for text in (gate.says, "duplicates == 0", "a person may waive it", gate.cause, gate.check, gate.remedy):
        assert text in ran.output
    assert "It was not judged here yet." in ran.output
    assert list(tmp_path.iterdir()) == []


def test_the_help_of_a_call_list_says_when_scores_are_too_old_for_one() -> None:
    said = " ".join(CliRunner().invoke(cli, ["call-list", "--help"]).output.split())
    assert "over a week behind the extract" in said
    assert "listed only with it" in said
