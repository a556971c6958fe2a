"""`leadscore dashboard` as a person runs it: a home with a training set, a broken one, one that a run holds, none.

A home in production is in test_production.py, a browser in test_browser.py.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from leadscore_v6.dashboard.settings import PAGE_FILE
from leadscore_v6.dashboard_panels.assemble import PANELS
from leadscore_v6.gates.bench import open_bench
from leadscore_v6.settings import from_environment
from tests.dashboard.sound import assert_sound, text_of
from tests.e2e.conftest import AS_OF
from tests.e2e.gate_cases import KEY
from tests.e2e.process import in_an_own_interpreter, leadscore


@pytest.fixture(scope="module")
def written(finished_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a home that has a training set and no model."""
    out = tmp_path_factory.mktemp("page") / "page.html"
    done = leadscore("dashboard", "--home", finished_home, "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)
    assert not (finished_home / "artifacts" / PAGE_FILE).exists(), "it was asked for elsewhere"
    return out


def test_it_says_what_is_there_and_what_makes_the_rest(written: Path, world: Path) -> None:
    page = assert_sound(written.read_text())
    assert text_of(page, "#verdicts .overall").startswith("○ not yet")
    assert [one.attrs["id"] for one in page.query("main > section")] == ["verdicts", *PANELS]
    assert "● healthy" in text_of(page, "#gates h2")
    assert "`" not in text_of(page, "#verdicts")
    for command in ("leadscore score --data FOLDER", "leadscore run --data FOLDER --through model"):
        assert command in text_of(page, "#verdicts")
    assert "Synthetic data" in text_of(page, "header")
    with (world / "Lead.csv").open(newline="") as leads:
        times = [value for row in csv.DictReader(leads) for name, value in row.items() if name.startswith("Stage_")]
    assert f"CRM extract {max(times)[:10]}" in text_of(page, "header")


def test_the_same_home_gives_the_same_bytes_in_another_process(
    written: Path, finished_home: Path, tmp_path: Path
) -> None:
    again = in_an_own_interpreter("dashboard", "--home", finished_home, "--out", tmp_path / "again.html")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again.html").read_bytes() == written.read_bytes()


def test_a_gate_that_stops_shows_first(home: Path, feed: Path) -> None:
    file = feed / f"RIARepDataFeed_{KEY}.csv"
    head, first, *rest = file.read_text().splitlines(keepends=True)
    column = head.split(",").index("RepCRD")
    cells = first.split(",")
    cells[column] = "<script>alert(1)</script>"
    file.write_text("".join([head, ",".join(cells), *rest]))
    assert leadscore("run", "--data", feed, "--home", home, "--as-of", AS_OF).returncode == 3
    assert leadscore("dashboard", "--home", home).returncode == 0
    html = (home / "artifacts" / PAGE_FILE).read_text()
    page = assert_sound(html)
    assert text_of(page, "#verdicts .overall").startswith("■ stopped")
    assert "reps_crd_valid" in text_of(page, "#gates")
    assert page.query("#verdicts .verdicts > li")[0].attrs["class"] == "stopped"


def test_it_does_not_wait_on_a_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(home))
    with open_bench(from_environment(), "a run of the test", lambda _line: None):
        done = leadscore("dashboard", "--home", home)
    assert done.returncode == 0, done.stderr
    page = assert_sound((home / "artifacts" / PAGE_FILE).read_text())
    assert "● healthy" in text_of(page, "#gates h2")


def test_a_day_before_the_extract_cannot_be_had_any_more(finished_home: Path, tmp_path: Path) -> None:
    refused = leadscore("dashboard", "--home", finished_home, "--as-of", "2024-01-31", "--out", tmp_path / "x.html")
    assert refused.returncode == 2
    assert "2024-01-31 lies before the CRM extract" in refused.stderr
    assert not (tmp_path / "x.html").exists()


def test_a_home_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    refused = leadscore("dashboard", "--home", tmp_path / "nowhere")
    assert refused.returncode == 2
    assert "There is no warehouse in" in refused.stderr
    assert not (tmp_path / "nowhere").exists()
