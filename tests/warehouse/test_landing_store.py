"""Landing: the content and its facts are kept, once; what is refused or interrupted leaves nothing behind."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing import Column, land, store, verify

FEED = b'RepCRD,Series_7_%,Synthetic_Data\n1,"Doe,\nJane",Yes\n\n2,,Yes\n'


@pytest.fixture
def feed(tmp_path):
    path = tmp_path / "RIARepDataFeed_20240107.csv"
    path.write_bytes(FEED)
    return path


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "store"


def names_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refused(path, kept, expected=("RepCRD",)) -> InputError:
    with pytest.raises(InputError) as caught:
        land(path, kept, expected)
    assert caught.value.file == str(path)
    return caught.value


def test_a_landed_file_is_kept_under_its_digest_with_its_facts(feed, kept):
    landed = land(feed, kept, ["RepCRD"])
    digest = hashlib.sha256(FEED).hexdigest()
    assert landed.digest == digest
    assert landed.path == kept / f"{digest}.csv"
    assert landed.path.read_bytes() == FEED
    assert (landed.size, landed.records, landed.newline, landed.bom) == (len(FEED), 2, "\n", False)
    assert landed.header == ("RepCRD", "Series_7_%", "Synthetic_Data")
    assert landed.names == ("RepCRD", "Series_7__", "Synthetic_Data")
    assert landed.columns[1] == Column("Series_7_%", "Series_7__")
    assert landed.synthetic
    assert landed.file_name == "RIARepDataFeed_20240107.csv"
    assert names_in(kept) == [f"{digest}.csv"]


def test_the_kept_file_is_a_copy_that_nobody_writes_to(feed, kept):
    landed = land(feed, kept, [])
    assert landed.path.stat().st_ino != feed.stat().st_ino
    assert landed.path.stat().st_mode & 0o222 == 0
    feed.write_bytes(b"other,content\n1,2\n")
    assert landed.path.read_bytes() == FEED


@pytest.mark.parametrize("piece_bytes", [4, 7, 1 << 21])
def test_digest_copy_and_count_do_not_depend_on_the_pieces(feed, kept, monkeypatch, piece_bytes):
    content = FEED * 1 + b'3,"x ""y"" z",\n' * 500
    feed.write_bytes(content)
    header = store.read_header(content, [], "feed")
    monkeypatch.setattr(store, "read_header", lambda *_: header)
    monkeypatch.setattr(store, "_PIECE_BYTES", piece_bytes)
    landed = land(feed, kept, [])
    assert landed.path.read_bytes() == content
    assert (landed.digest, landed.records) == (hashlib.sha256(content).hexdigest(), 502)


def test_known_content_is_recognised_and_not_written_again(feed, kept, tmp_path):
    first = land(feed, kept, [])
    inode = first.path.stat().st_ino
    again = tmp_path / "RIARepDataFeed_20240331.csv"
    shutil.copyfile(feed, again)
    second = land(again, kept, [])
    assert second.path.stat().st_ino == inode
    assert second.digest == first.digest
    assert second.records == 2
    assert second.file_name == "RIARepDataFeed_20240331.csv"


def test_other_content_of_the_same_size_is_kept_beside(feed, kept):
    first = land(feed, kept, [])
    feed.write_bytes(FEED.replace(b"Jane", b"June"))
    second = land(feed, kept, [])
    assert names_in(kept) == sorted([first.path.name, second.path.name])
    assert b"June" in second.path.read_bytes()


@pytest.mark.parametrize("others", [[], [FEED.replace(b"Jane", b"June")]])
def test_what_a_power_cut_left_of_a_kept_file_is_replaced(feed, kept, others):
    for content in [*others, FEED]:
        feed.write_bytes(content)
        landed = land(feed, kept, [])
    landed.path.chmod(0o644)
    landed.path.write_bytes(FEED[:10])
    assert land(feed, kept, []).path.read_bytes() == FEED


def test_verify_sees_a_changed_and_a_missing_file(feed, kept):
    landed = land(feed, kept, [])
    stored = (landed.path, landed.digest, landed.file_name)
    verify(*stored)
    landed.path.chmod(0o644)
    landed.path.write_bytes(FEED.replace(b"Jane", b"June"))
    with pytest.raises(InputError, match=r"has changed.*(\n.*)*RIARepDataFeed_20240107"):
        verify(*stored)
    landed.path.unlink()
    with pytest.raises(InputError, match="is gone"):
        verify(*stored)


def test_a_kept_file_that_was_damaged_is_written_anew(feed, kept):
    landed = land(feed, kept, [])
    landed.path.chmod(0o644)
    landed.path.write_bytes(FEED.replace(b"Jane", b"June"))
    assert land(feed, kept, []).path.read_bytes() == FEED


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"RepCRD,b\n", 0),
        (b"RepCRD,b", 0),
        (b"\xef\xbb\xbfRepCRD,b\r\n1,2\r\n", 1),
        (b"RepCRD,b\n1,2\n3,4", 2),
        (b"RepCRD,b\r\n1,2\r\n3,4\r", 2),
        (b'RepCRD,b\n1,2\n3,"4\n5"', 2),
        ("RepCRD,b\n1,caf\u00e9 \u2028 x".encode(), 1),
        (b"RepCRD,b\n1,2\n\n\n", 1),
        (b'RepCRD,b\n1,"2" ', 1),
    ],
)
def test_files_that_are_accepted(feed, kept, content, records):
    feed.write_bytes(content)
    landed = land(feed, kept, ["RepCRD"])
    assert landed.records == records
    assert landed.bom == content.startswith(b"\xef\xbb\xbf")
    assert landed.newline == ("\r\n" if b"\r\n" in content else "\n")


@pytest.mark.parametrize(
    ("content", "says", "row"),
    [
        (b"", "empty", None),
        (b"RepCRD;b\n1;2\n", "semicolon", 1),
        (b"Rep,b\n1,2\n", "lacks column RepCRD", 1),
        (b"RepCRD,REPCRD\n1,2\n", "twice", 1),
        (b"RepCRD,b\n1,2\n3", "cut off: 1 of 2 fields (line 3)", 3),
        (b'RepCRD,b,c\n1,"x\n",2\n\n3,"4\n5"', "cut off: 2 of 3 fields (line 5)", 5),
        (b'RepCRD,b\n1,"2', "never closed", 2),
        (b"RepCRD,b\n1,caf\xe9\n", "not UTF-8", 2),
        (b"RepCRD,b\n1,\0\n", "NUL", 2),
        (b"RepCRD,b\r\n1,2\n", "ends with LF", 2),
        (b'RepCRD,"b"x\n1,2\n', "closes a field", 1),
    ],
)
def test_files_that_are_refused_leave_nothing_behind(feed, kept, content, says, row):
    feed.write_bytes(content)
    error = refused(feed, kept)
    assert says in error.what
    assert error.row == row
    assert error.remedy
    assert names_in(kept) == []


def test_what_is_no_readable_file_is_refused(tmp_path, kept):
    assert "does not exist" in refused(tmp_path / "nowhere.csv", kept).what
    assert "Is a directory" in refused(tmp_path, kept).what


def test_a_file_that_changes_while_it_is_read_is_refused(feed, kept, monkeypatch):
    read = store._read

    def read_while_somebody_appends(*arguments):
        facts = read(*arguments)
        with feed.open("ab") as file:
            file.write(b"3,,Yes\n")
        return facts

    monkeypatch.setattr(store, "_read", read_while_somebody_appends)
    assert "changed while it was read" in refused(feed, kept).what
    assert names_in(kept) == []


def test_a_file_rewritten_with_the_same_size_is_noticed(feed, kept, monkeypatch):
    read = store._read

    def read_while_somebody_rewrites(*arguments):
        facts = read(*arguments)
        feed.write_bytes(FEED.replace(b"Jane", b"June"))
        os.utime(feed, ns=(0, 12345))
        return facts

    monkeypatch.setattr(store, "_read", read_while_somebody_rewrites)
    assert "changed while it was read" in refused(feed, kept).what


def test_a_reflink_is_read_instead_of_written(feed, kept, monkeypatch):
    def clone(descriptor, request, source):
        assert request == 0x40049409
        os.pwrite(descriptor, os.pread(source, 1 << 20, 0), 0)

    monkeypatch.setattr(store.fcntl, "ioctl", clone)
    monkeypatch.setattr(store, "_write_all", lambda *_: pytest.fail("written although reflinked"))
    landed = land(feed, kept, [])
    assert landed.path.read_bytes() == FEED
    assert landed.digest == hashlib.sha256(FEED).hexdigest()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_said_so_and_nothing_is_left(feed, kept, monkeypatch, number):
    def fail(copy, piece):
        copy.write(piece[:5])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(store, "_write_all", fail)
    error = refused(feed, kept)
    assert "No space" in error.what
    assert error.remedy
    assert names_in(kept) == []


def test_a_file_larger_than_the_free_space_is_refused_before_it_is_read(feed, kept, monkeypatch):
    full = os.statvfs_result((4096, 4096, 100, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(store.os, "statvfs", lambda _: full)
    assert f"{len(FEED)} bytes are needed, 0 are free" in refused(feed, kept).what
    assert names_in(kept) == []


LIMITED = """
    import resource, sys
    from pathlib import Path
    from leadscore_v6.errors import InputError
    from leadscore_v6.warehouse.landing import land
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        land(Path(sys.argv[1]), Path(sys.argv[2]), [])
    except InputError as error:
        sys.exit("refused: " + error.what)
"""


def test_the_systems_own_limit_in_the_middle_of_the_copy(feed, kept):
    feed.write_bytes(FEED + b"3,x,Yes\n" * 50_000)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), feed, kept], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "refused: No space" in done.stderr
    assert names_in(kept) == []


def test_a_store_that_cannot_be_written_to_is_said_so(feed, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "cannot be landed" in refused(feed, blocked / "store").what


def test_leftovers_of_killed_landings_go_and_those_of_living_ones_stay(feed, kept):
    kept.mkdir()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    killed = kept / f".landing-{int(ended.stdout)}-0.tmp"
    living = kept / f".landing-{os.getpid()}-99.tmp"
    killed.write_text("half")
    living.write_text("half")
    land(feed, kept, [])
    assert not killed.exists()
    assert living.exists()


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("a,b,c\n1,2,3\n4,5\n6,7,8\n", 3),
        ("a,b,c\n1,2,3\n4,5,6,7\n", 3),
        ('a,b,c\n"1,1",2,3\n\n"4\n4",5\n', 4),
        ('a,b,c\r\n1,"2,2,2",3\r\n4,5,"6,6",7\r\n', 3),
    ],
)
def test_a_record_with_too_few_or_too_many_fields_is_refused_with_its_line(tmp_path, body, line):
    path = tmp_path / "feed.csv"
    path.write_bytes(body.encode())
    with pytest.raises(InputError, match="where the header has 3") as refused:
        land(path, tmp_path / "store", ["a"])
    assert refused.value.row == line
    assert not list((tmp_path / "store").glob("*"))
