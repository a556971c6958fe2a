"""The errors a person sees, and the exit code each one means.

Belongs here: exceptions that cross a layer. Does not belong here: anything that only one module raises and catches.
Exit codes (architecture, ruling R54): 2 bad input or usage, 3 a gate failed, 1 anything else.
"""

from __future__ import annotations

from dataclasses import dataclass


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


class WarehouseBusy(LeadscoreError):
    """Another process holds the warehouse (R44); the message names the holder."""

    exit_code = 2


class GateBlocked(LeadscoreError):
    """A gate failed, or a step was asked for while a gate before it does not hold (exit 3)."""

    exit_code = 3
