"""A reader that counts the records of a CSV file as fast as bytes can be compared, and refuses what is no clean CSV.

Belongs here: quotes, line ends, encoding. Does not belong here: fields and their values (`rows.py`), files.

The engine's count of a file says little about the file when the engine has made it; this count is independent of the
engine (R59). It reads a block of lines at once: where every quote stands where RFC 4180 lets it stand, a line end is
the end of a record exactly if an even number of quotes is before it. Blocks in which a quote stands elsewhere are read
quote by quote, as the engine reads them: a quote inside an unquoted field is a character like any other, blanks around
a quoted field are no part of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing.header import BOM

Positions = NDArray[np.intp]

_LF, _CR, _BLANK, _QUOTE, _COMMA = 10, 13, 32, 34, 44
# The engine's limit for one line (max_line_size in duckdb_engine.py).
MAX_LINE_BYTES = 4_194_304
# A block and the arrays made from it should stay in the processor's own cache.
_BLOCK_BYTES = 1 << 18


def _table(characters: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(characters)] = True
    return table


# In clean CSV a quote that opens follows one of these (a quote: the two of an escaped one), and one that closes is
# followed by one of those.
_BEFORE_OPENING = _table(b',\n"')
_AFTER_CLOSING = _table(b',\n\r"')


class RecordReader:
    """Counts records of a CSV file (comma, double quote, UTF-8) handed in piece by piece.

    Blank lines are no records; line breaks inside quotes are no line ends. The header counts as a record. `feed` and
    `finish` raise InputError naming the line, from 1, for: bytes that are not UTF-8, NUL bytes, line ends of two kinds
    (the engine cannot read those) or carriage returns alone, text after a closing quote, a quote that is never closed,
    a line longer than the engine reads.
    """

    def __init__(self, file: str) -> None:
        """`file` is only used in messages."""
        self.records = 0
        self.commas = 0  # outside quotes; clean records of n fields have n - 1 each
        self.crlf: bool | None = None
        self.ends_with_line_end = True
        self.last_record_at, self.last_record_line = 0, 1  # byte offset and line of the start of the last record
        self._file = file
        self._pending: list[bytes] = []  # the line that is not complete yet
        self._pending_bytes = 0
        self._at = 0  # byte offset of the block
        self._lines = 0  # complete lines before the block
        self._in_quotes = False
        self._open_at, self._open_line = 0, 1  # where the record starts that is not complete yet

    def feed(self, piece: bytes) -> None:
        """Read the next bytes of the file, however they are cut."""
        rest = memoryview(piece)
        for start in range(0, len(piece), _BLOCK_BYTES):
            end = start + _BLOCK_BYTES
            self._feed_block(rest[start:end], piece.rfind(b"\n", start, end) + 1 - start)

    def _feed_block(self, part: memoryview, cut: int) -> None:
        """Read a part of a piece whose last line end is before `cut` (not positive: there is none)."""
        if cut > 0:
            self._read(b"".join([b"\n", *self._pending, part[:cut]]))
            self._pending, self._pending_bytes = [], 0
        rest = part[max(cut, 0) :]
        if rest:
            self._pending.append(bytes(rest))
            self._pending_bytes += len(rest)
            if self._pending_bytes > MAX_LINE_BYTES:
                self._refuse_long_line()

    def finish(self) -> None:
        """Read the last line if it has no line end, and see that no quote is left open."""
        last = b"".join(self._pending)
        if last:
            self.ends_with_line_end = False
            self._read(b"\n" + last + (b"\r\n" if self.crlf and not last.endswith(b"\r") else b"\n"))
        if self._in_quotes:
            raise self._refusal(
                "A quote that opens in this record is never closed", self._open_line, "close it, or write it twice"
            )

    def _read(self, block: bytes) -> None:
        """Read complete lines; `block` starts with one line end that is not of the file."""
        if self._at == 0 and block.startswith(b"\n" + BOM):
            block = b"\n" + block[1 + len(BOM) :]
            self._at = self._open_at = len(BOM)
        self._refuse_bad_bytes(block)
        data = np.frombuffer(block, dtype=np.uint8)
        lines = np.flatnonzero(data == _LF)  # the first of them is not of the file
        quotes = self._quotes(block, data)
        self.commas += self._commas(data, quotes)
        ends = lines[1:][~self._quoted(quotes, lines[1:])]
        if b"\r" in block:
            self._refuse_bare_returns(block, data, quotes)
        if ends.size:
            self._refuse_mixed_line_ends(block, data[ends - 1] == _CR, ends)
            self._count(ends, lines)
            self._open_at, self._open_line = self._place_after(ends[-1], lines)
        self._in_quotes ^= bool(quotes.size & 1)
        self._at += len(block) - 1
        self._lines += lines.size - 1

    def _commas(self, data: NDArray[np.uint8], quotes: Positions) -> int:
        """Commas that separate fields: all but those between two quotes, of which there are few enough to gather."""
        edges = np.insert(quotes, 0, 0) if self._in_quotes else quotes
        if edges.size & 1:
            edges = np.append(edges, data.size)
        opening, lengths = edges[::2], edges[1::2] - edges[::2]
        # The bytes of all quoted parts, one part after the other.
        inside = data[np.repeat(opening - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())]
        return int(np.count_nonzero(data == _COMMA)) - int(np.count_nonzero(inside == _COMMA))

    def _count(self, ends: Positions, lines: Positions) -> None:
        # Where a record starts in an earlier block, at least the quote that closes it is before its line end here.
        before = np.concatenate(([0], ends[:-1]))
        filled = np.flatnonzero(ends - before > (2 if self.crlf else 1))
        self.records += filled.size
        if filled.size and filled[-1] > 0:
            self.last_record_at, self.last_record_line = self._place_after(before[filled[-1]], lines)
        elif filled.size:
            self.last_record_at, self.last_record_line = self._open_at, self._open_line

    def _place_after(self, line_end: np.intp, lines: Positions) -> tuple[int, int]:
        """Byte offset and line of what starts after a line end of the block."""
        return self._at + int(line_end), self._lines + int(np.searchsorted(lines, line_end)) + 1

    def _quoted(self, quotes: Positions, at: Positions) -> NDArray[np.bool_]:
        if not quotes.size:
            return np.full(at.size, self._in_quotes)
        odd: NDArray[np.bool_] = (np.searchsorted(quotes, at) & 1).astype(np.bool_)
        return odd ^ self._in_quotes

    def _quotes(self, block: bytes, data: NDArray[np.uint8]) -> Positions:
        """Positions of the quotes that open or close; every second one opens."""
        quotes = np.flatnonzero(data == _QUOTE)
        if quotes.size:
            opening, closing = quotes[int(self._in_quotes) :: 2], quotes[1 - int(self._in_quotes) :: 2]
            if not (_BEFORE_OPENING[data[opening - 1]].all() and _AFTER_CLOSING[data[closing + 1]].all()):
                return self._quotes_one_by_one(block)
        return quotes

    def _quotes_one_by_one(self, block: bytes) -> Positions:
        inside, found = self._in_quotes, []
        at = block.find(b'"', 1)
        while at >= 0:
            following = at + 1
            if inside and block[following] == _QUOTE:
                following += 1
            elif inside:
                if _next_but_blanks(block, following) not in b",\r\n":
                    self._refuse("Text follows the quote that closes a field", block, at, "write inner quotes twice")
                inside = False
                found.append(at)
            elif _last_but_blanks(block, at) in b",\n":
                inside = True
                found.append(at)
            at = block.find(b'"', following)
        return np.array(found, dtype=np.intp)

    def _refuse_bad_bytes(self, block: bytes) -> None:
        nul = block.find(b"\0")
        if nul >= 0:
            self._refuse("The line holds a NUL byte", block, nul, "export the file again as UTF-8 text")
        if not block.isascii():
            try:
                block.decode("utf-8")
            except UnicodeDecodeError as error:
                self._refuse("The line is not UTF-8 (Latin-1?)", block, error.start, "save the file as UTF-8")

    def _refuse_mixed_line_ends(self, block: bytes, crlf: NDArray[np.bool_], ends: Positions) -> None:
        if self.crlf is None:
            self.crlf = bool(crlf[0])
        others = np.flatnonzero(crlf != self.crlf)
        if others.size:
            this, before = ("LF", "CRLF") if self.crlf else ("CRLF", "LF")
            self._refuse(
                f"The line ends with {this}, the lines before it with {before}",
                block,
                int(ends[others[0]]),
                "write all line ends the same way",
            )

    def _refuse_bare_returns(self, block: bytes, data: NDArray[np.uint8], quotes: Positions) -> None:
        returns = np.flatnonzero(data == _CR)
        bare = returns[(data[returns + 1] != _LF) & ~self._quoted(quotes, returns)]
        if bare.size:
            self._refuse(
                "A carriage return stands alone, outside quotes", block, int(bare[0]), "end lines with LF or with CRLF"
            )

    def _refuse_long_line(self) -> None:
        returns_only = self._lines == 0 and any(b"\r" in piece for piece in self._pending)
        raise self._refusal(
            "The lines end with carriage returns alone"
            if returns_only
            else f"A line of more than {MAX_LINE_BYTES:,} bytes",
            self._lines + 1,
            "end lines with LF or with CRLF",
        )

    def _refuse(self, problem: str, block: bytes, at: int, remedy: str) -> None:
        raise self._refusal(problem, self._lines + block.count(b"\n", 1, at) + 1, remedy)

    def _refusal(self, problem: str, line: int, remedy: str) -> InputError:
        return InputError(f"{problem} (line {line}).", file=self._file, row=line, remedy=remedy)


def _last_but_blanks(block: bytes, end: int) -> int:
    while block[end - 1] == _BLANK:
        end -= 1
    return block[end - 1]


def _next_but_blanks(block: bytes, start: int) -> int:
    while block[start] == _BLANK:
        start += 1
    return block[start]
