"""Rows are found and named, and what is in them is not told."""

from __future__ import annotations

import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing import Place, Ragged, first_ragged_record, locate

TEXT = '\ufeffRepCRD,Name\n1,"Doe,\nJane"\n\nx,Poe\n2,Roe\ny,Loe\n'


@pytest.fixture
def feed(tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_records_are_numbered_without_header_and_blank_lines_and_lines_as_an_editor_does(feed):
    assert locate(feed, "repcrd", lambda text: not text.isdigit()) == [Place(2, 5), Place(4, 7)]


def test_no_more_places_than_asked_for(feed):
    assert locate(feed, "RepCRD", str.isdigit, limit=1) == [Place(1, 2)]


def test_an_unknown_column_is_refused(feed):
    with pytest.raises(InputError, match="column Nowhere"):
        locate(feed, "Nowhere", bool)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b\n1,2\n3,4\n", None),
        ("a,b\n1,2\n3\n4,5,6\n", Ragged(Place(2, 3), 1, 2)),
        ('a,b\r\n1,"x\r\ny"\r\n\r\n3,4,5\r\n', Ragged(Place(2, 5), 3, 2)),
        ('a,b\n1,"x\ry"\n2\n', Ragged(Place(2, 3), 1, 2)),
        ("a,b\n", None),
    ],
)
def test_the_first_ragged_record(tmp_path, text, found):
    path = tmp_path / "feed.csv"
    path.write_text(text, newline="")
    assert first_ragged_record(path, 2) == found


def test_odd_quotes_do_not_end_the_search(tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text('a,b\n1,"x" \n2,y"z\n3,"x"y\n4\n')
    assert first_ragged_record(path, 2) == Ragged(Place(4, 5), 1, 2)


def test_fields_longer_than_the_csv_modules_own_limit_are_read(tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text(f"a,b\n1,{'x' * 200_000}\n3\n")
    assert first_ragged_record(path, 2) == Ragged(Place(2, 3), 1, 2)
