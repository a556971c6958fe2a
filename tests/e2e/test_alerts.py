"""`leadscore alerts`, as a user runs it: a home with an alert, a webhook that is up, and one that is down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.alerting.rules import Finding, alerts_for
from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.gates.bench import wall_clock
from tests.alerting import servers

# Long enough ago to be escalated, not so long that it is not sent any more: the command knows no other clock.
RAISED = wall_clock() - timedelta(days=2)


def leadscore(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEADSCORE_")}
    command = [sys.executable, "-m", "leadscore_v6.cli", "alerts", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=clean | env, timeout=120, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of an earlier run, whose newest day was without leads."""
    (tmp_path / "warehouse.duckdb").touch()
    figures = dict.fromkeys(("success_rate", "error_rate", "latency_mean_ms", "features_unavailable"))
    settings = alerting_settings()
    Outbox(tmp_path / "outbox").file(alerts_for(Finding("health", figures), settings, RAISED), settings)
    return tmp_path


def test_an_alert_is_sent_escalated_acknowledged(home: Path) -> None:
    where = ("--home", str(home))
    with servers.webhook() as arrived:
        on_call = {"LEADSCORE_ALERT_ON_CALL": f"json://127.0.0.1:{arrived.port}/"}
        tried = leadscore("test", **on_call)
        assert (tried.returncode, tried.stdout) == (0, "on_call: taken\n"), tried.stderr
        sent = leadscore("send", *where, **on_call)
        assert sent.returncode == 0, sent.stderr
        assert "1 sent" in sent.stdout
        assert "LEADSCORE_ALERT_OPERATIONS is not set" in sent.stdout
        again = leadscore("send", *where, **on_call)
        assert " sent" not in again.stdout
    titles = [json.loads(body)["title"] for body in arrived.bodies]
    assert titles == ["[test] leadscore alerts", "[not acknowledged] [critical] Leads are not scored"]
    (one,) = json.loads(leadscore("list", *where, "--json").stdout)
    listed = leadscore("list", *where)
    assert f"leadscore alerts ack {one['id']} --by NAME" in listed.stdout
    seen = leadscore("ack", one["id"], "--by", "Ann", "--note", "a holiday", *where)
    assert seen.returncode == 0
    assert leadscore("list", *where).stdout == "No alerts.\n"
    assert "acknowledged by Ann" in leadscore("list", "--all", *where).stdout


def test_a_channel_that_is_down_is_exit_1_and_said(home: Path) -> None:
    with servers.webhook() as arrived:
        arrived.status = 500
        address = {"LEADSCORE_ALERT_ON_CALL": f"json://127.0.0.1:{arrived.port}/"}
        sent = leadscore("send", "--home", str(home), **address)
    assert sent.returncode == 1
    assert "to on_call: the channel refused the message (HTTP 500)" in sent.stdout
    assert sent.stderr == ""


def test_what_is_wrong_is_exit_2(home: Path, tmp_path: Path) -> None:
    for arguments in (
        ("list", "--home", str(tmp_path / "hoem")),
        ("ack", "nothing", "--by", "Ann", "--home", str(home)),
        ("test",),
        ("test", "--to", "nobody"),
    ):
        ran = leadscore(*arguments)
        assert ran.returncode == 2, arguments
        assert ran.stderr.startswith("leadscore: ")
