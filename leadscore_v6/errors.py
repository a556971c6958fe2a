"""The errors a person sees, and the exit code each one means.

Belongs here: exceptions that cross a layer. Does not belong here: anything that only one module raises and catches.
Exit codes (architecture, ruling R54): 2 bad input or usage, 3 a gate failed, 1 anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class LeadscoreError(Exception):
    """Base of every error that is shown to a person without a traceback."""

    exit_code = 1


@dataclass
class InputError(LeadscoreError):
    """What was handed in cannot be read as the input format; nothing was published (R54: exit 2).

    Values are only ever put into `what` when their column is not PII (R57).
    """

    what: str
    file: str | None = None
    column: str | None = None
    row: int | None = None
    remedy: str | None = None

    exit_code = 2

    def __str__(self) -> str:
        where = [
            f"{label} {value}"
            for label, value in (("file", self.file), ("column", self.column), ("row", self.row))
            if value is not None
        ]
        place = f" ({', '.join(where)})" if where else ""
        todo = f"\n  what to do: {self.remedy}" if self.remedy else ""
        return f"{self.what}{place}{todo}"

    __hash__ = Exception.__hash__


class UsageError(LeadscoreError):
    """The command or its arguments are wrong; the message says what would be right."""

    exit_code = 2


class WrongDay(UsageError):
    """No step can do that day: it lies after what is known, or before what it would be known by."""


class WarehouseBusy(LeadscoreError):
    """Another process holds the warehouse (R44); the message names the holder."""

    exit_code = 2


class GateBlocked(LeadscoreError):
    """A gate failed, or a step was asked for while a gate before it does not hold (exit 3).

    about: names of the gates that failed, or of the steps that do not hold, where it is raised for them.
    """

    exit_code = 3

    def __init__(self, message: str, about: Sequence[str] = ()) -> None:
        """`message` is for a person, and names them too."""
        super().__init__(message)
        self.about = tuple(about)


class DiskFull(UsageError):
    """There was no space for what a step had to write; it published nothing, and the home stays usable."""

    def __init__(self, home: Path) -> None:
        """`home` is on the disk that is full."""
        super().__init__(
            f"No space left on the disk of {home}. The step that needed it published nothing; what was served before "
            "is served still.\n"
            "  what to do: free some space there (`leadscore gc --dry-run` shows what is no longer needed), or move "
            "the home to a larger disk; then run the same command again."
        )


def ran_out_of_space(error: BaseException | None) -> bool:
    """Whether `error`, or one that it came from, says that a disk, a quota or a limit on file sizes is used up."""
    while error is not None:
        if says_full(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def says_full(text: str) -> bool:
    """The same of an error of which only the text is left: DuckDB's, and what Dagster stored of one."""
    return any(words in text for words in _FULL)


# Errno 28, 27 and 122 in the system's words, and SQLITE_FULL in SQLite's.
_FULL = ("No space left", "File too large", "Disk quota exceeded", "database or disk is full")
