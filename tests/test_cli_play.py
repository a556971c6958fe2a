"""`leadscore play` as a user calls it: in a process of its own, on a folder that `leadscore sample` wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def leadscore(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leadscore_v6.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "feed"
    done = leadscore("sample", folder, "--reps", 200, "--leads", 100, "--quarters", 1)
    assert done.returncode == 0, done.stderr
    return folder


def test_it_goes_on_where_the_world_ended(feed: Path) -> None:
    """The world of one quarter ends on 2024-03-30; its weeks begin on the day after."""
    done = leadscore("play", feed, "--weeks", 2, "--weekly-leads", 40, "--capacity-share", 0.5, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["first_day"], summary["last_day"], summary["week"]) == ("2024-03-31", "2024-04-13", 2)
    assert summary["capacity"] == 20
    assert summary["dials"] == {"model": 0, "own": 0, "usual": 20}
    assert "week 1, from 2024-03-31" in done.stderr
    more = leadscore("play", feed, "--weekly-leads", 40, "--snapshots")
    assert "2024-04-14 to 2024-04-20 (up to week 3)" in more.stdout
    assert "new snapshot RIARepDataFeed_20240331.csv" in more.stdout


def test_what_it_cannot_play_is_exit_2_and_leaves_everything_as_it_was(feed: Path, tmp_path: Path) -> None:
    queue = tmp_path / "ab_test_queue_v6.csv"
    queue.write_text("queue_date,arm,position,Id,FA_CRD__c\n2024-04-20,both,1,x,1\n", encoding="utf-8")
    before = {path: path.read_bytes() for folder in (feed, Path(f"{feed}.truth")) for path in folder.iterdir()}
    for arguments, said in (
        ((feed, "--queue", queue), "leadscore: arm 'both' is none of treatment, control (file"),
        ((feed, "--drift", "shfit"), "no kind of drift is called 'shfit'"),
        ((feed, "--adoption", "2"), "adoption must be from 0 to 1"),
        ((tmp_path / "nowhere",), "does not hold the truth of a sample world"),
    ):
        done = leadscore("play", *arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert {path: path.read_bytes() for folder in (feed, Path(f"{feed}.truth")) for path in folder.iterdir()} == before
