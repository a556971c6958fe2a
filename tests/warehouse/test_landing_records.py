"""The record counter: held against csv.reader on any clean CSV, against the engine on any odd one, and its refusals."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from unittest import mock

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing import records
from leadscore_v6.warehouse.landing.records import MAX_LINE_BYTES, RecordReader

BOM = b"\xef\xbb\xbf"


def read(content: bytes, piece_bytes: int = 1 << 20) -> RecordReader:
    reader = RecordReader("feed.csv")
    for start in range(0, len(content), piece_bytes):
        reader.feed(content[start : start + piece_bytes])
    reader.finish()
    return reader


def refused(content: bytes, piece_bytes: int = 1 << 20) -> InputError:
    with pytest.raises(InputError) as caught:
        read(content, piece_bytes)
    assert caught.value.file == "feed.csv"
    assert caught.value.remedy
    return caught.value


# What CSV is made of, so that it meets itself often, and characters of two, three and four bytes.
fields = st.text(st.sampled_from('ab ,"\n\r;é漢😀'), max_size=6)


def written(field: str, *, quoted: bool) -> str:
    """A field as RFC 4180 writes it (Python's writer leaves a carriage return unquoted)."""
    return '"' + field.replace('"', '""') + '"' if quoted or any(mark in field for mark in ',"\r\n') else field


@st.composite
def clean_csv(draw):
    """Clean CSV in bytes, with blank lines between its records, and the offset at which its last record starts."""
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    rows = st.lists(st.tuples(fields, st.booleans()), min_size=1, max_size=4)
    content, last = draw(st.sampled_from([b"", BOM])), 0
    for row in draw(st.lists(rows, min_size=1, max_size=8)):
        line = ",".join(written(field, quoted=quoted) for field, quoted in row)
        content += (line_end * draw(st.sampled_from([0, 0, 0, 1, 2]))).encode()
        last = len(content)
        content += ((line or '""') + line_end).encode()
    return (content if draw(st.booleans()) else content.removesuffix(line_end.encode())), last


@settings(max_examples=400, deadline=None)
@given(given_csv=clean_csv(), piece_bytes=st.integers(1, 40), block_bytes=st.integers(1, 30))
def test_counts_what_csv_reader_counts_however_the_file_is_cut(given_csv, piece_bytes, block_bytes):
    content, last = given_csv
    with mock.patch.object(records, "_BLOCK_BYTES", block_bytes):
        reader = read(content, piece_bytes)
    text = content.removeprefix(BOM).decode()
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    assert reader.records == len(rows)
    assert reader.commas == sum(len(row) - 1 for row in rows)
    assert reader.last_record_at == last
    assert reader.last_record_line == content[:last].count(b"\n") + 1
    assert reader.ends_with_line_end == content.endswith(b"\n")


ODD_FIELDS = [
    *("a", "", '"a"', '""', '"a""b"', '""""', '"""a"', '"a,b"', '"a\nb"', '"\n"', "é"),
    *('x"y', 'x"', 'x""y', ' a"b" ', ' "a"', '"a" ', ' "a,b"', ' "a\nb"', '"a" b', '"x"y', "  "),
]


@settings(max_examples=120, deadline=None)
@given(
    rows=st.lists(st.lists(st.sampled_from(ODD_FIELDS), min_size=3, max_size=3), min_size=1, max_size=5),
    line_end=st.sampled_from(["\n", "\r\n"]),
    last_line_end=st.booleans(),
)
def test_reads_odd_quotes_as_the_engine_does(rows, line_end, last_line_end, tmp_path_factory):
    text = line_end.join(["a,b,c", *(",".join(row) for row in rows)]) + (line_end if last_line_end else "")
    path = tmp_path_factory.getbasetemp() / "odd.csv"
    path.write_bytes(text.encode())
    engine_says = engine_count(path)
    if engine_says is None:
        refused(text.encode())
    else:
        assert read(text.encode()).records - 1 == engine_says


def engine_count(path: Path) -> int | None:
    """Records by the engine that reads landed files, strictly; None if it refuses the file."""
    columns = dict.fromkeys(("a", "b", "c"), "VARCHAR")
    scan = f"read_csv('{path}', header=true, delim=',', quote='\"', escape='\"', columns={columns}, auto_detect=false)"
    try:
        return duckdb.execute(f"SELECT count(*), count(a), count(b), count(c) FROM {scan}").fetchone()[0]
    except duckdb.InvalidInputException:
        return None


def test_a_quoted_field_may_hold_line_breaks_of_either_kind():
    assert read(b'a,b\r\n1,"x\ny\r\nz"\r\n2,y\r\n').records == 3
    assert read(b'a,b\n1,"x\r\n\r\ny"\n').records == 2


@pytest.mark.parametrize(
    ("content", "crlf"), [(b"a,b\n1,2\n", False), (b"a,b\r\n1,2\r\n", True), (b"a,b\r\n1,2", True), (b"a,b", False)]
)
def test_tells_how_lines_end(content, crlf):
    assert read(content).crlf is crlf


@pytest.mark.parametrize("piece_bytes", [3, 1 << 20])
@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("a,b\n1,2\n3,caf\xe9\n".encode("latin-1"), 3, "not UTF-8"),
        (b'a,b\n1,"x\ny"\n3,\xff\n', 4, "not UTF-8"),
        (b"a,b\n1,2\n3,\0\n", 3, "NUL"),
        (b"a,b\r\n1,2\r\n3,4\n", 3, "ends with LF"),
        (b"a,b\n1,2\n\n3,4\r\n", 4, "ends with CRLF"),
        (b"a,b\n1,x\ry\n", 2, "carriage return"),
        (b"a,b\r1,2\r3,4\r", 1, "carriage return"),
        (b'a,b\n1,2\n3,"open\n4,5\n', 3, "never closed"),
        (b'a,b\n1,"x\n\ny', 2, "never closed"),
        (b'a,b\n1,2\n3,"x"y\n', 3, "closes a field"),
        (b'a,b\n1,"x\ny"z\n', 3, "closes a field"),
    ],
)
def test_refuses_what_is_no_clean_csv_and_names_the_line(content, line, says, piece_bytes):
    error = refused(content, piece_bytes)
    assert error.row == line
    assert f"line {line})" in error.what
    assert says in error.what


def test_a_refusal_never_quotes_the_file():
    for content in (b'a\n"Jane Doe"x\n', b"a\nJane Doe\xe9\n", b'a\n"Jane Doe\n'):
        assert "Jane" not in str(refused(content))


def test_refuses_a_line_that_the_engine_could_not_read():
    long = b"x" * (MAX_LINE_BYTES + 1)
    assert refused(b"a\n1\n" + long).row == 3
    assert "carriage return" in refused(b"a\r1\r" + long).what


def test_a_quote_never_closed_is_found_at_the_record_where_it_opens_far_behind():
    error = refused(b'a,b\n1,2\n3,"x' + b"\n4,5" * 200_000, 1 << 16)
    assert error.row == 3
