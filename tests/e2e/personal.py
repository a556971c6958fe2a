"""Whether a file holds what the feed says of a person: names, addresses, e-mails, pages, phone numbers.

Words are compared in their order, whatever stands between them, in upper or lower case: a value is found in prose, in a
table, in JSON and in a pickle. Does not belong here: which files must hold none.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

KINDS = {
    "name": ("FullName",),
    "address": ("Office_Address1", "Home_Address1"),
    "e-mail": ("Email_BusinessType", "Email_PersonalType"),
    "page": ("PersonalWebsite", "SocialMedia_LinkedIn"),
    "phone": ("Office_Phone", "Home_Phone"),
}
Words = tuple[str, ...]
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


class Personal:
    """All such values of feed files: `values` (str) by kind."""

    def __init__(self, files: Iterable[Path]) -> None:
        """Reads them; a kind whose columns the feed does not have is not in `values`."""
        self.values: dict[str, set[str]] = {}
        for kind, value in _read(files):
            self.values.setdefault(kind, set()).add(value)
        self._known: dict[Words, str] = {}
        for kind, values in self.values.items():
            for value in values:
                words = _words(value)
                self._known[words] = kind
                # In a pickle the length of a long text is a letter before its first word.
                if len(words) > 3:
                    self._known[words[1:]] = kind
        self._lengths = sorted({len(words) for words in self._known})

    def found_in(self, content: bytes) -> set[str]:
        """The kinds of which a value is in it."""
        words = _words(content.decode(errors="replace"))
        return {
            self._known[run]
            for length in self._lengths
            for run in zip(*(words[at:] for at in range(length)), strict=False)
            if run in self._known
        }


def _words(content: str) -> Words:
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), re.sub(r"\\[nrt]", " ", content))
    return tuple(re.findall(r"[^\W_]+", plain.casefold()))


def _read(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for file in files:
        with file.open(newline="") as rows:
            for row in csv.DictReader(rows):
                yield "name", f"{row['FirstName']} {row['LastName']}"
                for kind, columns in KINDS.items():
                    yield from ((kind, row[column]) for column in columns if row.get(column))
