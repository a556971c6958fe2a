"""Headers: names made legal (R1), and every header that is refused."""

from __future__ import annotations

import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing.header import legal_name, read_header


def names(start: bytes) -> list[tuple[str, str]]:
    return [(column.original, column.name) for column in read_header(start, [], "feed.csv").columns]


def refused(start: bytes, expected: tuple[str, ...] = ()) -> InputError:
    with pytest.raises(InputError) as caught:
        read_header(start, expected, "feed.csv")
    assert caught.value.file == "feed.csv"
    return caught.value


@pytest.mark.parametrize(
    ("original", "legal"),
    [
        ("RepCRD", "RepCRD"),
        (" RepCRD ", "RepCRD"),
        ("Number_OfficeReps_%ChangeYTD", "Number_OfficeReps__ChangeYTD"),
        ("Series 7", "Series_7"),
        ("5YearGrowth", "_5YearGrowth"),
        ("Größe", "Gr__e"),
        ("_PARTITIONTIME", "c_PARTITIONTIME"),
        ("_table_suffix", "c_table_suffix"),
        ("%", "_"),
        ("x" * 400, "x" * 300),
        ("7" * 400, "_" + "7" * 299),
    ],
)
def test_names_become_legal_for_bigquery(original, legal):
    assert legal_name(original) == legal


def test_the_mapping_is_recorded_in_file_order():
    assert names(b'RepCRD,"A, quoted ""name""",_%\n1,2,3\n') == [
        ("RepCRD", "RepCRD"),
        ('A, quoted "name"', "A__quoted__name_"),
        ("_%", "__"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    header = read_header(b"\xef\xbb\xbfRepCRD,b\n", ["RepCRD"], "feed.csv")
    assert header.bom
    assert header.columns[0].original == "RepCRD"
    assert not read_header(b"RepCRD,b\n", [], "feed.csv").bom


def test_expected_columns_are_found_in_any_case_and_extra_ones_are_allowed():
    assert len(read_header(b"repcrd,RIAFIRMCRD,More\n", ["RepCRD", "RIAFirmCRD"], "feed.csv").columns) == 3


def test_synthetic_data_says_so():
    assert read_header(b"RepCRD,Synthetic_Data\n", [], "feed.csv").synthetic
    assert not read_header(b"RepCRD,b\n", [], "feed.csv").synthetic


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\nRepCRD,b\n1,2\n", "first line is blank"),
        (b"RepCRD;RIAFirmCRD;c\n1;2;3\n", "semicolon"),
        (b"RepCRD\tRIAFirmCRD\n1\t2\n", "tab"),
        (b"RepCRD|RIAFirmCRD\n1|2\n", "vertical bar"),
        (b"\xff\xfeR\x00e\x00p\x00", "UTF-16"),
        (b"PK\x03\x04\x14\x00", "workbook"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"Rep\x00CRD,b\n", "NUL"),
        (b"RepCRD,,b\n", "Column 2"),
        (b"RepCRD,b,\n", "Column 3"),
        (b"RepCRD,b,RepCRD\n", "RepCRD (column 1) and RepCRD (column 3)"),
        (b"RepCRD,b,REPCRD\n", "RepCRD (column 1) and REPCRD (column 3)"),
        (b"RepCRD,b,RepCRD \n", "twice"),
        (b"a_b,a%b\n", "a_b and a%b both become a_b"),
        (b"A_b,a%b\n", "A_b and a%b both become a_b"),
    ],
)
def test_headers_that_are_refused(start, says):
    assert says in refused(start).what


def test_every_missing_column_is_named():
    error = refused(b"RepCRD,b\n", ("RepCRD", "RIAFirmCRD", "Owner"))
    assert "RIAFirmCRD, Owner" in error.what
    assert "RepCRD," not in error.what
    assert error.column == "RIAFirmCRD"


def test_a_long_list_of_missing_columns_is_cut_and_counted():
    assert "and 47 more" in refused(b"RepCRD,b\n", tuple(f"c{i}" for i in range(57))).what
