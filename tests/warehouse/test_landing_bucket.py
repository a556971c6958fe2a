"""Landing out of a bucket: the same facts as from a folder, one transfer, and nothing that changed meanwhile."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.locations import Location
from leadscore_v6.warehouse.landing import FeedFile, feed_files, land, land_leads, land_once, landing_ahead, store
from tests.buckets import NumberedMemory, upload

NAME = "RIARepDataFeed_20240107.csv"
FEED = b'RepCRD,Series_7_%,Synthetic_Data\n1,"Doe,\nJane",Yes\n\n2,,Yes\n'


@pytest.fixture(params=["bucket", "gcs"])
def inbox(request: pytest.FixtureRequest) -> Location:
    """An empty prefix: in memory, and over HTTP."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "store"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("piece_bytes", [701, 1 << 21])
def test_an_object_lands_as_the_same_file_does(
    inbox: Location, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    content = FEED + b'3,"x ""y"" z",\n' * 500
    local = tmp_path / NAME
    local.write_bytes(content)
    header = store.read_header(content, [], NAME)
    monkeypatch.setattr(store, "read_header", lambda *_: header)
    monkeypatch.setattr(store, "_PIECE_BYTES", piece_bytes)
    landed = land(upload(inbox, NAME, content), kept, ["RepCRD"])
    assert landed.path.read_bytes() == content
    assert landed.path.stat().st_mode & 0o222 == 0
    assert names_in(kept) == [landed.path.name]
    assert landed == land(local, kept, ["RepCRD"])


def test_content_that_the_store_has_stays_as_it_is(bucket: Location, kept: Path) -> None:
    first = land(upload(bucket, NAME, FEED), kept, [])
    inode = first.path.stat().st_ino
    again = land(upload(bucket, NAME, FEED), kept, [])
    assert again == first
    assert again.path.stat().st_ino == inode
    assert names_in(kept) == [first.path.name]


def test_an_object_is_opened_once(bucket: Location, kept: Path) -> None:
    land(upload(bucket, NAME, FEED), kept, [])
    upload(bucket, NAME, FEED)
    NumberedMemory.opened.clear()
    land(bucket / NAME, kept, [])
    assert NumberedMemory.opened == [NAME], "the store has a file of the same size: no reason to transfer it twice"


def test_an_object_that_is_replaced_before_the_first_byte_is_refused(
    bucket: Location, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size would be that of one content, its bytes those of another."""
    path, real = upload(bucket, NAME, FEED), store.open_object

    def replaced_before(place: Any) -> Any:
        upload(bucket, NAME, FEED.replace(b"Jane", b"June"))
        return real(place)

    monkeypatch.setattr(store, "open_object", replaced_before)
    with pytest.raises(InputError, match="changed while it was read"):
        land(path, kept, [])
    assert names_in(kept) == []


def test_a_transfer_that_ends_early_is_refused(bucket: Location, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = upload(bucket, NAME, FEED)
    monkeypatch.setattr(store, "open_object", lambda _: io.BytesIO(FEED[: FEED.index(b"2,,Yes")]))
    with pytest.raises(InputError, match="changed while it was read"):
        land(path, kept, [])
    assert names_in(kept) == []


def test_an_object_that_is_replaced_meanwhile_is_refused(
    bucket: Location, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = upload(bucket, NAME, FEED), store._read

    def replaced_after(*given: Any) -> Any:
        facts = read(*given)
        upload(bucket, NAME, FEED)
        return facts

    monkeypatch.setattr(store, "_read", replaced_after)
    with pytest.raises(InputError, match="changed while it was read"):
        land(path, kept, [])
    assert names_in(kept) == []


@pytest.mark.parametrize(
    ("content", "says", "row"),
    [
        (b"RepCRD,b\n1,2\n3,4,5\n6,7\n", "has 3 fields where the header has 2 (line 3)", 3),
        (b"RepCRD,b\n1,2\n3", "cut off: 1 of 2 fields", 3),
        (b"a,b\n1,2\n", "lacks column RepCRD", 1),
        (b"", "is empty", None),
    ],
)
def test_what_is_refused_of_a_file_is_refused_of_an_object(
    inbox: Location, kept: Path, content: bytes, says: str, row: int | None
) -> None:
    with pytest.raises(InputError) as told:
        land(upload(inbox, NAME, content), kept, ["RepCRD"])
    assert says in str(told.value)
    assert (told.value.file, told.value.row) == (str(inbox / NAME), row)
    assert names_in(kept) == []


def test_an_object_that_is_gone_is_said(inbox: Location, kept: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        land(inbox / NAME, kept, [])


def test_a_bucket_that_fails_meanwhile_leaves_nothing(
    bucket: Location, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ConnectionResetError("Connection reset by peer")

    monkeypatch.setattr(store, "_read", broken)
    with pytest.raises((InputError, UsageError), match="reset"):
        land(upload(bucket, NAME, FEED), kept, [])
    assert names_in(kept) == []


def test_leads_land_out_of_a_bucket(inbox: Location, kept: Path) -> None:
    rows = (
        b"Id,FA_CRD__c,Stage_Entered_Contacting__c,Stage_Entered_Call_Scheduled__c\na,1,2025-01-02,\nb,2,,2025-02-03\n"
    )
    landed = land_leads(upload(inbox, "Lead.csv", rows), kept)
    assert (landed.contacted, landed.file.records) == (1, 2)
    assert f"{landed.last_timestamp:%Y-%m-%d}" == "2025-02-03"


def test_feed_files_of_a_bucket_come_by_date(inbox: Location) -> None:
    for name in ("RIARepDataFeed_20240331.csv", NAME, "Lead.csv", "older/RIARepDataFeed_20230101.csv"):
        upload(inbox, name, FEED)
    assert [feed.key for feed in feed_files(inbox, date(2024, 5, 6))] == ["20240107", "20240331"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (None, "does not exist"),
        ("Lead.csv", "no RIARepDataFeed"),
        ("riarepdatafeed_20240107.csv", "not named like"),
        ("RIARepDataFeed_20250101.csv", "after the day it was received"),
    ],
)
def test_a_prefix_that_holds_no_feed_is_refused(inbox: Location, name: str | None, says: str) -> None:
    if name:
        upload(inbox, name, FEED)
    with pytest.raises(InputError, match=says):
        feed_files(inbox, date(2024, 5, 6))


def test_a_landing_started_ahead_is_the_one_that_is_taken(
    bucket: Location, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = upload(bucket, NAME, FEED)
    landings: list[Location] = []
    real: Callable[..., Any] = land

    def counted(file: Location, *rest: Any) -> Any:
        landings.append(file)
        return real(file, *rest)

    monkeypatch.setattr("leadscore_v6.warehouse.landing.ahead.land", counted)
    feed, told = FeedFile(path, "20240107", date(2024, 1, 7)), []
    with landing_ahead([feed], kept, ["RepCRD"], lambda *given: told.append(given)):
        landed = land_once(path, kept, ["RepCRD"])
    assert landed.records == 2
    assert landings == [path]
    assert told == [(feed, landed)]
