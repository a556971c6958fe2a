"""Which feed files a folder holds, and what one looks like from outside.

Belongs here: names, file times, generations of objects. Does not belong here: anything that opens a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from leadscore_v6.errors import InputError
from leadscore_v6.locations import Location, generation, reaching

PREFIX = "RIARepDataFeed"
# What comes out of the CRM: the tables that it is synchronised into, or files of that name, and the step that takes
# each in (R49, R50). All but Lead are optional.
CRM_TABLES = {"Lead": "crm_leads", "Associates": "crm_associates", "Dials": "crm_dials"}
CRM_FILES = {f"{table}.csv": asset for table, asset in CRM_TABLES.items()}
_RULE = f"name it {PREFIX}_YYYYMMDD.csv, with the date of the snapshot"


@dataclass(frozen=True)
class FeedFile:
    """One quarterly file: `key` is the partition (YYYYMMDD), `snapshot_at` the same as a date."""

    path: Location
    key: str
    snapshot_at: date


def feed_files(folder: Location, today: date) -> list[FeedFile]:
    """The feed files of a folder or of a bucket's prefix, by snapshot date.

    Every file that starts like a feed file must be one. Raises InputError: no folder, no feed file, a name that is not
    exactly `RIARepDataFeed_YYYYMMDD.csv` with a valid date, one date twice, a snapshot dated after `today`, the day of
    receipt (R48).
    """
    with reaching(folder):
        candidates = [path for path in files_in(folder) if path.name.lower().startswith(PREFIX.lower())]
        if not candidates:
            what = f"There is no {PREFIX}_YYYYMMDD.csv in this folder."
            raise InputError(what, file=str(folder), remedy="put the feed files there")
        _refuse_one_date_twice(candidates)
        return sorted((parse_feed_name(path, today) for path in candidates), key=lambda feed: feed.key)


def files_in(folder: Location) -> list[Location]:
    """What a folder holds, by name. Raises InputError if there is no such folder, or nothing under such a prefix."""
    if not folder.is_dir():
        raise InputError("This folder does not exist.", file=str(folder))
    return sorted(folder.iterdir(), key=lambda path: path.name)


def parse_feed_name(path: Location, today: date) -> FeedFile:
    """What a feed file's name says. Raises InputError as `feed_files` does for one file."""
    found = re.fullmatch(rf"{PREFIX}_([0-9]{{8}})\.csv", path.name)
    if not found:
        raise InputError("This file is not named like a feed file.", file=str(path), remedy=_RULE)
    try:
        snapshot_at = date.fromisoformat(found[1])
    except ValueError:
        raise InputError(f"{found[1]} in this name is not a date.", file=str(path), remedy=_RULE) from None
    if snapshot_at > today:
        raise InputError(
            f"This snapshot is dated {snapshot_at}, after the day it was received ({today}).",
            file=str(path),
            remedy="correct the date in the name, or land the file when that day has come",
        )
    if not path.is_file():
        raise InputError("This is not a file.", file=str(path))
    return FeedFile(path, found[1], snapshot_at)


def _refuse_one_date_twice(paths: Iterable[Location]) -> None:
    by_date: dict[str, Location] = {}
    for path in paths:
        found = re.match(rf"{PREFIX}_([0-9]{{8}})(?![0-9])", path.name, re.IGNORECASE)
        if found and found[1] in by_date:
            raise InputError(
                f"Two files for the snapshot {found[1]}: {by_date[found[1]].name} and {path.name}.",
                file=str(path),
                remedy="keep the one that counts",
            )
        if found:
            by_date[found[1]] = path


def fingerprint(path: Location) -> str:
    """What changes with a file, as one word. Raises FileNotFoundError.

    Of a local file its size and modification time, which change while it is being written. Of an object its generation:
    it is there when it is complete.
    """
    if not isinstance(path, Path):
        return generation(path)
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def file_mark(file: Location) -> str:
    """What git's index trusts too: a change of content without a change of any of these cannot be had by mistake.

    Of an object it is the generation. Raises FileNotFoundError.
    """
    if not isinstance(file, Path):
        return fingerprint(file)
    status = file.stat()
    parts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return "-".join(map(str, parts))
