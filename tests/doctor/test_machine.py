"""What the doctor says about the machine and the inputs."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from leadscore_v6.contracts import contract
from leadscore_v6.doctor import MISSING, OK, UNCHECKED, Finding, machine, render
from leadscore_v6.doctor.inputs import Inbox
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.locations import Location, location
from leadscore_v6.settings import Settings
from tests.buckets import upload
from tests.dashboard_panels.story import Story

TODAY = date(2024, 5, 6)
LEADS = ",".join(contract("lead").names).encode() + b"\n"
LEADS += b"a,7,2024-05-01 09:00:00,\n"
DIALS = ",".join(contract("dials").names).encode() + b"\n"
ASSOCIATES = b"associate,weekly_capacity,active\n"
FEED = ",".join(contract("feed").names).encode() + b"\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home that is there, with an input folder that is not."""
    (tmp_path / "home").mkdir()
    return Settings(home=tmp_path / "home", data=tmp_path / "feed")


# --- Python, libraries ------------------------------------------------------------------------------------------------


def test_what_is_installed_is_what_was_asked_for(settings: Settings) -> None:
    assert [finding.state for finding in machine.python_and_libraries(settings)] == [OK, OK]


@pytest.mark.parametrize(
    ("python", "state"), [("3.10.14", MISSING), ("3.11.0", OK), ("3.14.9", OK), ("3.15.0", MISSING)]
)
def test_a_python_that_is_not_supported_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, python: str, state: str
) -> None:
    monkeypatch.setattr(machine.platform, "python_version", lambda: python)
    finding = next(machine.python_and_libraries(settings))
    assert finding.state == state
    assert python in finding.says


@pytest.mark.parametrize(("release", "says"), [("0.1", "duckdb is 0.1, not <"), (None, "duckdb is not installed")])
def test_a_library_that_does_not_fit_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, release: str | None, says: str
) -> None:
    real = machine.version

    def version(name: str) -> str:
        if name == "duckdb" and release is None:
            raise PackageNotFoundError(name)
        return release if name == "duckdb" else real(name)  # type: ignore[return-value]

    monkeypatch.setattr(machine, "version", version)
    finding = list(machine.python_and_libraries(settings))[1]
    assert finding.state == MISSING
    assert finding.says.startswith(says)
    assert "requirements.lock" in finding.remedy


def test_the_extra_for_buckets_is_asked_for_where_there_is_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "gcsfs":
            raise PackageNotFoundError(name)
        return real(name)

    real = machine.version
    monkeypatch.setattr(machine, "version", version)
    assert list(machine.python_and_libraries(settings))[1].state == OK
    with_bucket = Settings(home=settings.home, data=location("gs://bucket/feed"))
    finding = list(machine.python_and_libraries(with_bucket))[1]
    assert finding.says == "gcsfs is not installed"
    assert "leadscore-v6[gcs]" in finding.remedy


# --- home, disk, artifacts --------------------------------------------------------------------------------------------


def test_a_home_is_there_or_can_be_made(settings: Settings, tmp_path: Path) -> None:
    assert machine.home(settings).state == OK
    later = machine.home(Settings(home=tmp_path / "a" / "b", data=tmp_path))
    assert later.state == OK
    assert "not there yet" in later.says
    assert not (tmp_path / "a").exists(), "looking makes nothing"
    assert list(settings.home.iterdir()) == []


def test_a_home_below_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert machine.home(Settings(home=tmp_path / "file" / "home", data=tmp_path)).state == MISSING
    assert machine.local_artifacts(tmp_path / "file" / "artifacts").state == MISSING
    assert machine.local_artifacts(tmp_path / "artifacts").state == OK


def test_a_home_on_a_disk_that_cannot_lock_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(machine.fcntl, "flock", refuse)
    finding = machine.home(settings)
    assert finding.state == MISSING
    assert "No locks available" in finding.says
    assert "local disk" in finding.remedy


@pytest.mark.parametrize(
    ("free_gib", "to_land_gib", "state"), [(3, 0, OK), (3, 2, MISSING), (1, 0, MISSING), (8, 6, OK)]
)
def test_disk_space_is_held_against_what_is_to_land(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free_gib: int, to_land_gib: int, state: str
) -> None:
    usage = shutil.disk_usage(settings.home)._replace(free=free_gib << 30)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    assert machine.disk(settings, to_land_gib << 30).state == state


# --- inputs -----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["folder", "bucket"])
def put(request: pytest.FixtureRequest, settings: Settings) -> Callable[[str, bytes], Location]:
    """Put a file into the input folder, or an object into the bucket."""
    if request.param == "bucket":
        place = request.getfixturevalue("bucket")
        object.__setattr__(settings, "data", place)
        return lambda name, content: upload(place, name, content)

    def write(name: str, content: bytes) -> Location:
        settings.data.mkdir(exist_ok=True)
        (settings.data / name).write_bytes(content)
        return settings.data / name

    return write


def findings(
    settings: Settings, *, leads_from_folder: bool = True, ledger: Ledger | None = None
) -> dict[str, Finding]:
    inbox = Inbox(settings, TODAY)
    return {found.check: found for found in inbox.findings(ledger, leads_from_folder=leads_from_folder)}


def test_a_folder_with_all_that_a_run_reads_is_well(settings: Settings, put: Callable[[str, bytes], Location]) -> None:
    put("RIARepDataFeed_20240107.csv", b"older,columns\n")
    put("RIARepDataFeed_20240331.csv", FEED + b"1,2\n")
    put("Lead.csv", LEADS)
    found = findings(settings)
    assert {finding.state for finding in found.values()} == {OK}, found
    assert "2 feed files" in found["input folder"].says
    assert found["Lead.csv"].says.endswith("all 4 columns of the contract; times from 2024-05-01 to 2024-05-01")
    assert "it is optional: crm_dials stays empty" in found["Dials.csv"].says
    put("Dials.csv", DIALS + b"a,7,Ann,2024-05-02,usual\n")
    put("Associates.csv", ASSOCIATES + b"Ann,40,Yes\n")
    found = findings(settings)
    assert {finding.state for finding in found.values()} == {OK}, found
    assert "times from 2024-05-02 to 2024-05-02" in found["Dials.csv"].says
    assert found["newest feed"].says.startswith("RIARepDataFeed_20240331.csv: ")


def test_what_is_to_land_is_what_the_store_has_not(settings: Settings, put: Callable[[str, bytes], Location]) -> None:
    put("RIARepDataFeed_20240107.csv", b"x" * 100)
    put("Lead.csv", b"y" * 30)
    put("Dials.csv", b"w" * 7)
    put("README.txt", b"z" * 1000)
    assert Inbox(settings, TODAY).bytes_to_land() == 137
    settings.store.mkdir(parents=True)
    (settings.store / "digest.csv").write_bytes(b"x" * 100)
    assert Inbox(settings, TODAY).bytes_to_land() == 37


def test_a_folder_that_is_not_there_is_to_be_made(settings: Settings) -> None:
    found = findings(settings)
    assert list(found) == ["input folder"]
    assert found["input folder"].state == MISSING
    assert "LEADSCORE_DATA" in found["input folder"].remedy


def test_a_prefix_with_nothing_under_it_is_said(settings: Settings, bucket: Location) -> None:
    found = findings(Settings(home=settings.home, data=bucket))
    assert found["input folder"].state == MISSING
    assert "prefix" in found["input folder"].remedy


@pytest.mark.parametrize(
    ("name", "content", "check", "says"),
    [
        ("RIARepDataFeed_20240601.csv", FEED, "feed names", "after the day it was received"),
        ("riarepdatafeed_20240331.csv", FEED, "feed names", "not named like a feed file"),
        ("RIARepDataFeed_20240331.csv", b"RepCRD\n", "newest feed", "lacks columns"),
        ("RIARepDataFeed_20240331.csv", b"\xff\xfea", "newest feed", "UTF-16"),
        ("Lead.csv", b"Id,FA_CRD__c\n", "Lead.csv", "lacks columns Stage_Entered_Contacting__c"),
        ("Lead.csv", b"", "Lead.csv", "is empty"),
        ("Lead.csv", LEADS + b"b,8\n", "Lead.csv", "2 fields where the header has 4 (line 3)"),
        ("Lead.csv", LEADS + b"a,8,2024-05-02,\n", "Lead.csv", "lines 2 and 3"),
        ("Lead.csv", LEADS + b"b,8,2024-05-07,\n", "Lead.csv", "a time of 2024-05-07, after the day it is received"),
        ("Lead.csv", LEADS.replace(b"2024-05-01 09:00:00", b""), "Lead.csv", "no time at all"),
        ("Dials.csv", b"Id,associate\n", "Dials.csv", "lacks columns FA_CRD__c, dialled_at, queue"),
        ("Dials.csv", DIALS + b"a,7,Ann\n", "Dials.csv", "3 fields where the header has 5 (line 2)"),
        ("Dials.csv", DIALS + b"a,7,Ann,2042-05-02,usual\n", "Dials.csv", "a time of 2042-05-02"),
        (
            "Dials.csv",
            DIALS + b'a,7,"Ann\nLee",2024-05-02,usual\nb,8,Ann,2024-05-02,whim\nb,8,Ann,2024-05-02,\n',
            "Dials.csv",
            "2 of queue cannot be read, the first in line 4",
        ),
        ("Associates.csv", ASSOCIATES + b"Ann,a lot,Yes\n", "Associates.csv", "1 of weekly_capacity cannot be read"),
        ("Associates.csv", ASSOCIATES + b"Ann,40,yes\n", "Associates.csv", "1 of active cannot be read"),
        ("Associates.csv", ASSOCIATES.replace(b",", b";"), "Associates.csv", "separated by semicolon"),
    ],
)
def test_an_input_that_a_run_would_refuse_is_found_before(
    settings: Settings, put: Callable[[str, bytes], Location], name: str, content: bytes, check: str, says: str
) -> None:
    put("RIARepDataFeed_20240107.csv", FEED)
    put("Lead.csv", LEADS)
    put(name, content)
    found = findings(settings)
    assert [name for name, finding in found.items() if finding.state == MISSING] == [check]
    assert says in found[check].says
    assert found[check].remedy


def test_of_times_a_run_lets_some_through_so_that_the_first_is_only_named(
    settings: Settings, put: Callable[[str, bytes], Location]
) -> None:
    put("RIARepDataFeed_20240107.csv", FEED)
    put("Lead.csv", LEADS + b"b,8,last week,\n")
    put("Dials.csv", DIALS + b"a,7,Ann,2024-05-02,usual\nb,8,Ann,,usual\n")
    found = findings(settings)
    assert {finding.state for finding in found.values()} == {OK}, found
    assert "1 of Stage_Entered_Contacting__c cannot be read, the first in line 3" in found["Lead.csv"].says
    assert "1 of dialled_at cannot be read, the first in line 3" in found["Dials.csv"].says


def test_leads_are_missed_where_they_are_taken_from_the_folder(
    settings: Settings, put: Callable[[str, bytes], Location]
) -> None:
    put("RIARepDataFeed_20240107.csv", FEED)
    assert findings(settings)["Lead.csv"].state == MISSING
    assert "Lead.csv" not in findings(settings, leads_from_folder=False)


def test_where_an_extract_serves_none_need_be_in_the_folder(settings: Settings) -> None:
    settings.data.mkdir(parents=True, exist_ok=True)
    story = Story()
    assert findings(settings, ledger=story.ledger())["Lead.csv"].state == MISSING
    story.extract()
    assert findings(settings, ledger=story.ledger())["Lead.csv"].state == OK
    story.line("refused", "crm_leads", "newest", {"why": "cut off", "facts": {"file_name": "Lead.csv"}})
    assert findings(settings, ledger=story.ledger())["Lead.csv"].state == MISSING


# --- how it looks -----------------------------------------------------------------------------------------------------


def test_a_page_counts_what_is_missing_and_says_what_to_do() -> None:
    found = [
        Finding("a", OK, "there"),
        Finding("bb", MISSING, "gone", "fetch it"),
        Finding("c", UNCHECKED, "not checked"),
    ]
    assert render(found).splitlines() == [
        "ok       a   there",
        "MISSING  bb  gone",
        "             -> fetch it",
        "-        c   not checked",
        "",
        "1 of 3 checks miss something.",
    ]
    assert render(found[:1]).endswith("All is there.")
