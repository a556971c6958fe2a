"""Which files of a folder are feed files, what is refused, and when a file is left alone."""

from __future__ import annotations

import os
from datetime import date

import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing import feed_files, fingerprint

TODAY = date(2025, 11, 4)


def fill(folder, *names):
    for name in names:
        (folder / name).write_text("x")


def test_feed_files_come_by_date_and_other_files_are_left_alone(tmp_path):
    fill(tmp_path, "RIARepDataFeed_20250406.csv", "RIARepDataFeed_20240107.csv", "Lead.csv", "notes.txt")
    found = feed_files(tmp_path, TODAY)
    assert [(feed.key, feed.snapshot_at) for feed in found] == [
        ("20240107", date(2024, 1, 7)),
        ("20250406", date(2025, 4, 6)),
    ]
    assert found[0].path == tmp_path / "RIARepDataFeed_20240107.csv"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "no RIARepDataFeed"),
        (["Lead.csv"], "no RIARepDataFeed"),
        (["RIARepDataFeed.csv"], "not named"),
        (["RIARepDataFeed_2024107.csv"], "not named"),
        (["RIARepDataFeed_20240107.csv.gz"], "not named"),
        (["RIARepDataFeed_20240107_v2.csv"], "not named"),
        (["RIARepDataFeed-20240107.csv"], "not named"),
        (["riarepdatafeed_20240107.csv"], "not named"),
        (["RIARepDataFeed_20240107.CSV"], "not named"),
        (["RIARepDataFeed_202٤0107.csv"], "not named"),
        (["RIARepDataFeed_20240230.csv"], "not a date"),
        (["RIARepDataFeed_20241301.csv"], "not a date"),
        (["RIARepDataFeed_00000101.csv"], "not a date"),
        (["RIARepDataFeed_20240107.csv", "riarepdatafeed_20240107.csv"], "Two files for the snapshot 20240107"),
        (["RIARepDataFeed_20240107.csv", "RIARepDataFeed_20240107.CSV"], "Two files for the snapshot 20240107"),
        (["RIARepDataFeed_20240107.csv", "RIARepDataFeed_20240107 (1).csv"], "Two files for the snapshot 20240107"),
        (["RIARepDataFeed_20251105.csv"], "after the day it was received"),
    ],
)
def test_a_folder_that_is_no_feed_is_refused_with_name_and_remedy(tmp_path, names, says):
    fill(tmp_path, *names)
    with pytest.raises(InputError, match="what to do") as caught:
        feed_files(tmp_path, TODAY)
    assert says in caught.value.what
    # The name of the file that is wrong; of the folder, when there is none.
    assert caught.value.file in ([str(tmp_path / name) for name in names] + [str(tmp_path)])


def test_a_snapshot_of_today_is_not_from_the_future(tmp_path):
    fill(tmp_path, "RIARepDataFeed_20251104.csv")
    assert [feed.key for feed in feed_files(tmp_path, TODAY)] == ["20251104"]


def test_a_folder_by_the_name_of_a_feed_file_is_refused(tmp_path):
    (tmp_path / "RIARepDataFeed_20240107.csv").mkdir()
    with pytest.raises(InputError, match="not a file"):
        feed_files(tmp_path, TODAY)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        feed_files(tmp_path / "nowhere", TODAY)


def test_the_fingerprint_changes_with_size_and_with_time(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("12")
    first = fingerprint(path)
    assert fingerprint(path) == first
    status = path.stat()
    path.write_text("123")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fingerprint(path) != first
    path.write_text("12")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert fingerprint(path) != first
