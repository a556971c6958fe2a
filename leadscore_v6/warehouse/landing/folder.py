"""Which feed files a folder holds, and what one looks like from outside.

Belongs here: names and file times. Does not belong here: anything that opens a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from leadscore_v6.errors import InputError

PREFIX = "RIARepDataFeed"
_RULE = f"name it {PREFIX}_YYYYMMDD.csv, with the date of the snapshot"


@dataclass(frozen=True)
class FeedFile:
    """One quarterly file: `key` is the partition (YYYYMMDD), `snapshot_at` the same as a date."""

    path: Path
    key: str
    snapshot_at: date


def feed_files(folder: Path, today: date) -> list[FeedFile]:
    """The feed files of a folder, by snapshot date.

    Every file that starts like a feed file must be one. Raises InputError: no folder, no feed file, a name that is not
    exactly `RIARepDataFeed_YYYYMMDD.csv` with a valid date, one date twice, a snapshot dated after `today`, the day of
    receipt (R48).
    """
    if not folder.is_dir():
        raise InputError("This folder does not exist.", file=str(folder))
    candidates = sorted(path for path in folder.iterdir() if path.name.lower().startswith(PREFIX.lower()))
    if not candidates:
        raise InputError(
            f"There is no {PREFIX}_YYYYMMDD.csv in this folder.", file=str(folder), remedy="put the feed files there"
        )
    _refuse_one_date_twice(candidates)
    return sorted((parse_feed_name(path, today) for path in candidates), key=lambda feed: feed.key)


def parse_feed_name(path: Path, today: date) -> FeedFile:
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


def _refuse_one_date_twice(paths: Iterable[Path]) -> None:
    by_date: dict[str, Path] = {}
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


def fingerprint(path: Path) -> str:
    """Size and modification time, as one word: it changes while a file is being written. Raises FileNotFoundError."""
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"
