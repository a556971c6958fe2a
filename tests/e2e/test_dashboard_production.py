"""The dashboard of a home in production: as new as the day, the same for who reads it later, nobody's name on it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.assets import hooks
from leadscore_v6.assets.production import scores as production
from leadscore_v6.dashboard.settings import PAGE_FILE
from leadscore_v6.dashboard_panels.assemble import write_dashboard
from leadscore_v6.driver import ScoreRequest, score
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.settings import Settings
from tests.dashboard.sound import assert_sound, text_of
from tests.e2e.model_world import Modelled
from tests.e2e.production_world import own_copy, quiet

SCORES = "production_scores_v6"


@pytest.fixture(scope="module")
def settings(production_home: Path, modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One's own home in production; the last test leaves it with a day that was stopped."""
    with own_copy(production_home, modelled, tmp_path_factory.mktemp("dashboard")) as opened:
        yield opened


def test_it_is_written_when_production_has_ended_and_a_reader_gets_the_same(settings: Settings) -> None:
    html = (Path(settings.artifacts) / PAGE_FILE).read_text()
    page = assert_sound(html)
    (key,) = read_ledger(settings)[0].keys(SCORES)
    assert "● healthy" in text_of(page, "#health h2")
    assert f"open leads on {key[:4]}-{key[4:6]}-{key[6:]}" in text_of(page, "#health")
    assert "How the scores are spread" in text_of(page, "#scores")
    assert "passed <b>all</b>" in text_of(page, "#models")
    assert Path(write_dashboard(settings)).read_text() == html


def test_the_drawn_shares_are_those_of_the_table(settings: Settings) -> None:
    page = assert_sound((Path(settings.artifacts) / PAGE_FILE).read_text())
    (figure,) = [one for one in page.query("#scores figure") if "How the scores are spread" in one.to_text()]
    cells = [cell.to_text().replace(",", "") for cell in figure.query("tbody tr td")]
    leads = [int(cell) for cell in cells[::2]]
    ledger, _ = read_ledger(settings)
    attempt = ledger.latest(SCORES, ledger.keys(SCORES)[0])
    assert attempt is not None
    assert sum(map(int, cells)) == attempt.figures["scored"]
    heights = [float(bar.attrs["height"]) for bar in figure.query("svg.drawing rect.s1")]
    assert heights == pytest.approx([max(heights) * one / max(leads) for one in leads], abs=0.2)


def test_nobody_is_named_on_it(settings: Settings, modelled: Modelled) -> None:
    text = " ".join((Path(settings.artifacts) / PAGE_FILE).read_text().split())
    words = set(re.findall(r"\w+", text))
    with (modelled.feed / "Lead.csv").open(newline="") as file:
        leads = list(csv.DictReader(file))
    assert len(leads) > 1000
    assert words & {row[name] for row in leads for name in ("Id", "FA_CRD__c")} <= {""}
    newest = max(modelled.feed.glob("RIARepDataFeed_*.csv"))
    with newest.open(newline="") as file:
        for row in csv.DictReader(file):
            for column in ("FullName", "RIAFirmName", "Home_Address1", "Office_Address1"):
                assert not row[column] or row[column] not in text, column
    assert "@" not in text.replace("@media", "")


def test_a_page_that_cannot_be_made_stops_no_scoring(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Of the day's own page first, then of that of the class balance.
    troubles = iter([KeyError("a fault of ours"), OSError(28, "No space left on device")])

    def broken(*_given: Any) -> None:
        raise next(troubles)

    monkeypatch.setattr(hooks, "write_page", broken)
    assert score(settings, {}, ScoreRequest(), quiet).failures == []
    assert next(troubles, None) is None, "both were met"
    assert "the dashboard could not be written: [Errno 28] No space left on device" in caplog.text


def test_a_day_that_a_gate_stops_shows_as_stopped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "_judge", lambda *_given: production._Judged(production.np.array([700.0]), 0, 0))
    monkeypatch.setattr(production, "production_code_hash", lambda: "slow")
    (failure,) = score(settings, {}, ScoreRequest(), quiet).failures
    assert failure.exit_code == 3
    page = assert_sound((Path(settings.artifacts) / PAGE_FILE).read_text())
    assert "■ stopped" in text_of(page, "#health h2")
    assert "production_latency" in text_of(page, "#health")
    # What was published before stays described.
    assert "How the scores are spread" in text_of(page, "#scores")
