"""Which landed file a step is built from: withdrawn ones never, damaged ones not unseen."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadscore_v6.assets.intake import refusal_recorded, take_in, withdrawal_of
from leadscore_v6.assets.leads import landed_facts
from leadscore_v6.errors import InputError
from leadscore_v6.gates.attempt import Bench, Work
from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.decisions import undo_withdrawal, withdraw
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import land

KEY, OTHER_KEY = "20240107", "20240331"
GOOD, BAD = b"RepCRD,b\n1,x\n", b"RepCRD,b\n2,x\n"


class Folder:
    """A folder of feed files, and a bench that takes them in."""

    def __init__(self, root: Path, bench: Bench) -> None:
        self.root, self.bench, self.store = root, bench, root / "home" / "landing"
        self.reads = 0

    def file(self, key: str = KEY) -> Path:
        return self.root / f"RIARepDataFeed_{key}.csv"

    def _land(self, path: Path) -> dict[str, Any]:
        self.reads += 1
        return landed_facts(land(path, self.store, []))

    def take_in(self, key: str = KEY) -> bytes:
        """The content that the snapshot would be built from; it counts as attempted."""
        facts = take_in(self.bench, ("snapshot_reps_raw", key), self.file(key), self.store, self._land)
        source, inputs = facts["digest"], {"file": facts["digest"]}
        figures = {"rows_probed": 1, "records_in_file": 1, "columns_wrong": 0, "names_wrong": 0}
        work = Work("snapshot_reps_raw", key, inputs, (), lambda _: {}, lambda _: figures, source=source)
        self.bench.attempt(work)
        return (self.store / facts["stored_as"]).read_bytes()

    def stored(self, content: bytes) -> Path:
        """The landed file with that content."""
        (found,) = (path for path in self.store.iterdir() if path.read_bytes() == content)
        found.chmod(0o644)
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    settings = Settings(home=tmp_path / "home", data=tmp_path, threads=1)
    with open_bench(settings, "test", lambda line: None) as bench:
        yield Folder(tmp_path, bench)


# --- withdrawn ------------------------------------------------------------------------------------------------------


def test_a_withdrawn_file_is_not_used_again_and_the_one_before_it_serves(folder: Folder) -> None:
    for content in (GOOD, BAD):
        folder.file().write_bytes(content)
        assert folder.take_in() == content
    withdraw(folder.bench, folder.file().name, "")
    assert folder.take_in() == GOOD
    # Delivered once more, in another file: it is the same content under the same date.
    folder.file().unlink()
    folder.file().write_bytes(BAD)
    assert withdrawal_of(folder.bench.ledger, ("snapshot_reps_raw", KEY), folder.file()) is not None
    assert folder.take_in() == GOOD
    undo_withdrawal(folder.bench, folder.file().name)
    assert withdrawal_of(folder.bench.ledger, ("snapshot_reps_raw", KEY), folder.file()) is None
    assert folder.take_in() == BAD


def test_a_withdrawn_file_can_be_landed_under_the_date_that_it_is_of(folder: Folder) -> None:
    folder.file().write_bytes(BAD)
    folder.take_in()
    withdraw(folder.bench, folder.file().name, "wrong date in its name")
    folder.file().rename(folder.file(OTHER_KEY))
    other, digest = ("snapshot_reps_raw", OTHER_KEY), hashlib.sha256(BAD).hexdigest()
    assert folder.bench.ledger.withdrawal(("snapshot_reps_raw", KEY), digest) is not None
    assert folder.bench.ledger.withdrawal(other, digest) is None
    assert withdrawal_of(folder.bench.ledger, other, folder.file(OTHER_KEY)) is None
    assert folder.take_in(OTHER_KEY) == BAD
    with pytest.raises(InputError, match="no earlier one"):
        folder.take_in()


def test_a_file_is_read_to_tell_whether_it_was_withdrawn_only_if_its_size_says_that_it_may_be(folder: Folder) -> None:
    place = ("snapshot_reps_raw", KEY)
    folder.file().write_bytes(BAD)
    folder.take_in()
    withdraw(folder.bench, folder.file().name, "")
    folder.file().write_bytes(BAD + b"3,y\n")
    folder.file().chmod(0)  # root may read it all the same; whoever runs the tests as somebody else sees more
    assert withdrawal_of(folder.bench.ledger, place, folder.file()) is None
    folder.file().chmod(0o644)
    folder.file().write_bytes(GOOD)
    assert withdrawal_of(folder.bench.ledger, place, folder.file()) is None


def test_one_that_was_landed_and_is_refused_since_is_withdrawn_by_its_content(folder: Folder) -> None:
    """An extract without a time was landed once, and was refused by nobody: it must not serve for ever."""
    place = ("snapshot_reps_raw", KEY)
    for content in (GOOD, BAD):
        folder.file().write_bytes(content)
        folder.take_in()
    folder.file().unlink()
    (_, bad) = folder.bench.ledger.usable(place)
    with pytest.raises(InputError), refusal_recorded(folder.bench, place, bad):
        raise InputError("No day can be told of it")
    assert folder.bench.ledger.latest(*place).state == "refused"
    withdraw(folder.bench, folder.file().name, "")
    assert folder.take_in() == GOOD


# --- damaged --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [BAD, GOOD[:5], b""], ids=["changed", "cut off", "emptied"])
def test_a_landed_file_that_is_damaged_is_named_with_a_remedy_that_helps(folder: Folder, damage: bytes) -> None:
    folder.file().write_bytes(GOOD)
    folder.take_in()
    stored = folder.stored(GOOD)
    stored.write_bytes(damage)
    for _ in range(2):
        with pytest.raises(InputError, match=f"has changed since it was landed.*{stored.name}") as raised:
            folder.take_in()
        assert raised.value.exit_code == 2
        assert f"remove it, put {folder.file().name} into the folder" in str(raised.value)
    stored.unlink()
    assert folder.take_in() == GOOD


def test_a_damaged_file_behind_a_withdrawn_one_is_noticed_too(folder: Folder) -> None:
    for content in (GOOD, BAD):
        folder.file().write_bytes(content)
        folder.take_in()
    withdraw(folder.bench, folder.file().name, "")
    folder.stored(GOOD).write_bytes(BAD)
    with pytest.raises(InputError, match="has changed"):
        folder.take_in()


def test_a_restored_home_has_other_times_and_is_whole_and_is_read_once(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.file().write_bytes(GOOD)
    folder.take_in()
    stored = folder.stored(GOOD)
    then = stored.stat().st_mtime_ns
    copy = shutil.copyfile(stored, stored.with_suffix(".copy"))
    os.utime(copy, ns=(1, 1))
    copy.replace(stored)
    assert folder.take_in() == GOOD
    assert stored.stat().st_mtime_ns == then
    # Neither the file of the feed nor the one in the store is read again.
    monkeypatch.setattr("leadscore_v6.assets.intake.verify", lambda *_: pytest.fail("it was read"))
    assert folder.take_in() == GOOD
    assert folder.reads == 1
