"""The files that a call list is made from: what is wrong with them is said, with file, column and row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from leadscore_v6.call_list import read_associates, read_exclusions
from leadscore_v6.errors import InputError

DAY = date(2025, 11, 3)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "file.csv"
    file.write_bytes(text.encode("latin-1"))
    return file


def test_the_active_ones_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "associate,weekly_capacity,active\nDot,1,yes\n Ann ,1,TRUE\nBob,1,0\nCid,1,\n")
    assert read_associates(file) == ["Dot", "Ann", "Cid"]
    assert read_associates(written(tmp_path, "associate\nAnn\n")) == ["Ann"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\nAnn\n", r"There is no column associate \(file .*file.csv, column associate\)"),
        ("associate\nAnn\nAnn\n", r"who is there twice|is there twice .*row 3"),
        ("associate\n \n", r"has no name|without a name"),
        ("associate,active\nAnn,no\n", "No associate is active"),
        ("associate,active\nAnn,perhaps\n", r"'perhaps' does not say .*column active, row 2"),
        ("associate\n\xe9\n", "no CSV in UTF-8"),
        ("", "There is no column associate"),
    ],
)
def test_a_file_of_associates_that_is_none(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_associates(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_associates(tmp_path / "none.csv")


def test_crds_as_the_crm_spells_them_until_their_day_is_over(tmp_path: Path) -> None:
    text = "FA_CRD__c,until\n007,\n 12.0 ,2025-11-03\n13,2025-11-02\n14.,2026-01-01\n"
    assert read_exclusions(written(tmp_path, text), DAY) == {"7", "12", "14"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FA_CRD__c\n12x\n", r"no CRD \(.*column FA_CRD__c, row 2\)"),
        ("FA_CRD__c\n0\n", "no CRD"),
        ("FA_CRD__c\n1.5\n", "no CRD"),
        ("FA_CRD__c\n-7\n", "no CRD"),
        ("FA_CRD__c,until\n7,soon\n", r"'soon' is no day .*row 2"),
    ],
)
def test_an_exclusion_that_is_none_is_refused_and_not_left_out(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_exclusions(written(tmp_path, text), DAY)
