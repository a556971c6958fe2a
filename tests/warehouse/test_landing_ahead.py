"""A landing that was started early speaks for the file that it read, and for no other (R38)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from threading import Event

import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing import FeedFile, Landed, ahead, land_once, landing_ahead

GOOD, LONGER, RAGGED = "RepCRD,Owner\n1,Yes\n", "RepCRD,Owner\n1,Yes\n2,No\n", "RepCRD,Owner\n1,Yes,No\n"


@pytest.fixture
def feed(tmp_path: Path) -> FeedFile:
    return FeedFile(tmp_path / "RIARepDataFeed_20240107.csv", "20240107", date(2024, 1, 7))


def landed_when_wanted(feed: FeedFile, early: str, late: str) -> Landed:
    """What a step gets that asks when the file holds `late`, after it had landed early with `early`."""
    feed.path.write_text(early)
    store = feed.path.parent / "store"
    with landing_ahead([feed], store, ["RepCRD"], lambda feed, landed: None):
        ahead.wait([started.landed for started in ahead._started.values()])
        if late != early:
            feed.path.write_text(late)
        return land_once(feed.path, store, ["RepCRD"])


@pytest.mark.parametrize(
    ("early", "late", "records"),
    [(GOOD, GOOD, 1), (GOOD, LONGER, 2), (RAGGED, LONGER, 2)],
    ids=["as it was", "corrected since", "refused, and corrected since"],
)
def test_the_file_as_it_is_now_counts(feed: FeedFile, early: str, late: str, records: int) -> None:
    landed = landed_when_wanted(feed, early, late)
    assert landed.records == records
    assert landed.path.read_text() == late


def test_a_refusal_of_the_same_file_is_handed_over(feed: FeedFile) -> None:
    with pytest.raises(InputError, match="3 fields where the header has 2"):
        landed_when_wanted(feed, RAGGED, RAGGED)


def test_what_lands_early_is_not_read_again(feed: FeedFile, monkeypatch: pytest.MonkeyPatch) -> None:
    landings, land = [], ahead.land
    monkeypatch.setattr(ahead, "land", lambda *given: landings.append(given) or land(*given))
    landed_when_wanted(feed, GOOD, GOOD)
    assert len(landings) == 1


def test_a_run_that_is_over_sets_nothing_going(feed: FeedFile, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.path.write_text(GOOD)
    reading, go, told, land = Event(), Event(), [], ahead.land

    def slow(*given: object) -> Landed:
        reading.set()
        assert go.wait(30)
        return land(*given)

    monkeypatch.setattr(ahead, "land", slow)
    monkeypatch.setattr(ahead.ThreadPoolExecutor, "shutdown", lambda threads, **how: go.set())
    with landing_ahead([feed], feed.path.parent / "store", ["RepCRD"], lambda feed, landed: told.append(feed)):
        assert reading.wait(30)
        early = next(iter(ahead._started.values()))
    ahead.wait([early.landed], timeout=30)
    assert early.landed.result().records == 1
    assert told == []
