"""The serving copy: what goes in comes out bit by bit, by CRD, and nothing that was altered is opened."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leadscore_v6.artifacts.manifest import seal
from leadscore_v6.errors import InputError
from leadscore_v6.serving import UNMATCHED, ServingCopy, open_copy, write_copy

COLUMNS = {"FA_CRD__c": "STRING", "whole": "INT64", "real": "FLOAT64", "text": "STRING", "seen": "DATE"}
ROWS: list[dict[str, Any]] = [
    {"FA_CRD__c": "7", "whole": 2**53 - 1, "real": 0.1 + 0.2, "text": "é 'q' \"d\"; DROP TABLE", "seen": "2025-10-05"},
    {"FA_CRD__c": "12", "whole": -1, "real": 5e-324, "text": "", "seen": "2024-01-07"},
    {"FA_CRD__c": "120", "whole": None, "real": None, "text": None, "seen": None},
    {"FA_CRD__c": UNMATCHED, "whole": 0, "real": None, "text": None, "seen": None},
]


def frame(rows: list[dict[str, Any]] = ROWS) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=list(COLUMNS))
    return made.assign(seen=pd.to_datetime(made["seen"]))


def test_every_value_comes_back_as_it_went_in(tmp_path: Path) -> None:
    with ServingCopy(write_copy(tmp_path, frame(), COLUMNS)) as copy:
        assert len(copy) == len(ROWS)
        for row in ROWS[:3]:
            found = copy.look_up(row["FA_CRD__c"])
            assert found.matched
            assert found.features == row
            assert {name: type(value) for name, value in found.features.items()} == {
                name: type(value) for name, value in row.items()
            }


@pytest.mark.parametrize("crd", ["1", "1200", "07", "", "x", UNMATCHED])
def test_whom_no_snapshot_knows_gets_the_unmatched_row(tmp_path: Path, crd: str) -> None:
    with ServingCopy(write_copy(tmp_path, frame(), COLUMNS)) as copy:
        found = copy.look_up(crd)
    assert not found.matched
    assert found.features == ROWS[3]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files.append(write_copy(tmp_path / name, frame(), COLUMNS).read_bytes())
    assert files[0] == files[1]


def test_more_rows_than_are_taken_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadscore_v6.serving.copy._CHUNK", 3)
    with ServingCopy(write_copy(tmp_path, frame(), COLUMNS)) as copy:
        assert [copy.look_up(row["FA_CRD__c"]).features for row in ROWS[:3]] == ROWS[:3]


def test_an_advisor_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_copy(tmp_path, frame([*ROWS, ROWS[0]]), COLUMNS)


def test_a_copy_without_the_unmatched_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row 'unmatched'"):
        ServingCopy(write_copy(tmp_path, frame(ROWS[:3]), COLUMNS))


@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_a_damaged_file_is_not_opened(tmp_path: Path, damage: str) -> None:
    path = write_copy(tmp_path, frame(), COLUMNS)
    digest = seal(tmp_path, "attempt", {})
    with open_copy(tmp_path, digest) as copy:
        assert copy.look_up("7").matched
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        middle = len(content) // 2
        path.write_bytes(content[:middle] if damage == "cut" else content.replace(b"DROP", b"drop"))
    with pytest.raises(InputError, match=r"advisors\.sqlite"):
        open_copy(tmp_path, digest)


def test_a_file_that_is_no_copy_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match="cannot be read"):
        ServingCopy(tmp_path / "x.sqlite")


def test_a_name_with_odd_characters_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "a b?#%20"
    folder.mkdir()
    with ServingCopy(write_copy(folder, frame(), COLUMNS)) as copy:
        assert math.isclose(copy.look_up("7").features["real"], 0.3)
