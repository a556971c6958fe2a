"""Ways to spoil a folder of input files, and what each must get: exit code, and the words of the message.

Belongs here: the issue's list of bad inputs, one `BadInput` each. Does not belong here: running the product.

Every case starts from a folder with `Lead.csv` and one new quarter, `FEED`, whose row on line `LINE` carries a person
(`PERSON`) that no message may tell of (R57).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KEY = "20240707"
FEED = f"RIARepDataFeed_{KEY}.csv"
LINE = 5
# Lower case, searched for in any case.
PERSON = "zaphodina"
_PERSONAL = {
    "FirstName": "Zaphodina",
    "LastName": "Zaphodinabeeble",
    "Home_City": "Zaphodinaville",
    "Office_City": "Zaphodinaville",
    "Email_BusinessType": "zaphodina@hitchhiker.example",
    "Email_PersonalType": "zaphodina@home.example",
    "SocialMedia_LinkedIn": "https://linkedin.example/in/zaphodina",
}
Spoil = Callable[[Path], object]


@dataclass(frozen=True)
class BadInput:
    """One bad input: `says`, `file`, `row` (-1: the last line) and for exit 3 the `gate` are what stderr must hold."""

    name: str
    spoil: Spoil
    code: int
    says: tuple[str, ...]
    row: int | None = None
    file: str = FEED
    gate: str | None = None
    options: tuple[str, ...] = ()


# --- ways to change a file ------------------------------------------------------------------------------------------


def read(path: Path) -> list[list[str]]:
    """All records, the header first."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def text(records: list[list[str]], delimiter: str = ",") -> str:
    """Records as CSV."""
    made = io.StringIO(newline="")
    csv.writer(made, delimiter=delimiter, lineterminator="\n").writerows(records)
    return made.getvalue()


def plant(path: Path) -> None:
    """Put the person in; the first rows lose their line breaks, so that row and line are the same there."""
    header, *rows = read(path)
    for row in rows[:40]:
        row[:] = [" ".join(field.split()) for field in row]
    for column, value in _PERSONAL.items():
        rows[LINE - 2][header.index(column)] = value
    path.write_text(text([header, *rows]), encoding="utf-8")


def edited(change: Callable[[list[list[str]]], object], file: str = FEED) -> Spoil:
    """Change the records of a file."""

    def spoil(folder: Path) -> None:
        records = read(folder / file)
        change(records)
        (folder / file).write_text(text(records), encoding="utf-8")

    return spoil


def rewritten(change: Callable[[bytes], bytes], file: str = FEED) -> Spoil:
    """Change the bytes of a file."""
    return lambda folder: (folder / file).write_bytes(change((folder / file).read_bytes()))


def renamed(name: str) -> Spoil:
    """Call the new quarter something else."""
    return lambda folder: (folder / FEED).rename(folder / name)


def set_field(column: str, value: str, lines: range | tuple[int, ...] = (LINE,), file: str = FEED) -> Spoil:
    """Put a value into a column on some lines."""

    def change(records: list[list[str]]) -> None:
        for line in lines:
            records[line - 1][records[0].index(column)] = value

    return edited(change, file)


def drop_column(column: str, file: str = FEED) -> Spoil:
    """Take a column out of every record."""

    def change(records: list[list[str]]) -> None:
        at = records[0].index(column)
        for record in records:
            del record[at]

    return edited(change, file)


def add_column(name: str) -> Spoil:
    """Add a column that repeats the second one."""

    def change(records: list[list[str]]) -> None:
        for number, record in enumerate(records):
            record.append(record[1] if number else name)

    return edited(change)


def drop(first: int, end: int | None) -> Callable[[list[list[str]]], None]:
    """Take records out; the header is number 0."""

    def change(records: list[list[str]]) -> None:
        del records[first:end]

    return change


def on_line(change: Callable[[bytes], bytes], line: int = LINE, file: str = FEED) -> Spoil:
    """Change the bytes of one line."""

    def rewrite(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        lines[line - 1] = change(lines[line - 1])
        return b"".join(lines)

    return rewritten(rewrite, file)


def in_person(old: bytes, new: bytes) -> Spoil:
    """Replace bytes in the person's record; they must be there."""

    def change(line: bytes) -> bytes:
        assert old in line
        return line.replace(old, new)

    return on_line(change)


def cut_last_line(content: bytes) -> bytes:
    """The transfer ended in the middle of the last record, which is the person's."""
    lines = content.splitlines(keepends=True)
    person = lines[LINE - 1]
    return b"".join([*lines, person[: person.index(b"hitchhiker")]])


def copy_as(name: str) -> Spoil:
    """The new quarter once more under another name."""
    return lambda folder: (folder / name).write_bytes((folder / FEED).read_bytes())


def emptied(folder: Path) -> None:
    """No feed file at all."""
    (folder / FEED).unlink()


def a_folder_of_that_name(folder: Path) -> None:
    """Something that is no file."""
    (folder / FEED).unlink()
    (folder / FEED).mkdir()


CONTACTED, CRD = "Stage_Entered_Contacting__c", "RepCRD"


def one_id_twice(records: list[list[str]]) -> None:
    """The leads on lines 2 and 9 were both contacted, and have one Id."""
    header = records[0]
    for line in (2, 9):
        records[line - 1][header.index("Id")] = "00Q000000000001"
        records[line - 1][header.index(CONTACTED)] = "2024-02-08T13:57:52.000+0000"


# --- what is no feed folder: nothing is opened ----------------------------------------------------------------------

FOLDERS = [
    BadInput("no feed file", emptied, 2, ("There is no RIARepDataFeed_YYYYMMDD.csv", "what to do"), file=""),
    BadInput("no Lead.csv", lambda folder: (folder / "Lead.csv").unlink(), 2, ("what to do",), file="Lead.csv"),
    BadInput(
        "a date that is none",
        renamed("RIARepDataFeed_20240231.csv"),
        2,
        ("20240231 in this name is not a date", "what to do", "YYYYMMDD"),
        file="RIARepDataFeed_20240231.csv",
    ),
    BadInput(
        "a name without a date",
        renamed("RIARepDataFeed_2024Q3.csv"),
        2,
        ("not named like a feed file", "what to do", "YYYYMMDD"),
        file="RIARepDataFeed_2024Q3.csv",
    ),
    BadInput(
        "a name in lower case",
        renamed(f"riarepdatafeed_{KEY}.csv"),
        2,
        ("not named like a feed file", "what to do"),
        file=f"riarepdatafeed_{KEY}.csv",
    ),
    BadInput(
        "the same date twice",
        copy_as(f"RIARepDataFeed_{KEY} (1).csv"),
        2,
        (f"Two files for the snapshot {KEY}", "what to do"),
    ),
    BadInput(
        "a snapshot from the future",
        renamed("RIARepDataFeed_20991231.csv"),
        2,
        ("2099-12-31, after the day it was received", "what to do"),
        file="RIARepDataFeed_20991231.csv",
    ),
    BadInput("a folder named like a file", a_folder_of_that_name, 2, ("not a file",)),
    BadInput("an as_of that is no day", lambda folder: None, 2, ("YYYY-MM-DD",), file="", options=("--as-of", "May")),
]

# --- what cannot be read as the input format ------------------------------------------------------------------------

UNREADABLE = [
    BadInput("empty file", rewritten(lambda _: b""), 2, ("empty", "what to do")),
    BadInput("blank lines only", rewritten(lambda _: b"\n\n\n"), 2, ("empty", "what to do")),
    BadInput("a column is missing", drop_column("RIAFirmCRD"), 2, ("lacks column RIAFirmCRD", "what to do"), 1),
    BadInput("a column twice", add_column(CRD), 2, (f"twice: {CRD}", "what to do"), 1),
    BadInput("a column twice by case", add_column("repcrd"), 2, ("twice: RepCRD", "repcrd", "what to do"), 1),
    BadInput(
        "two columns that become one",
        add_column("Number_OfficeReps_#ChangeYTD"),
        2,
        ("both become Number_OfficeReps__ChangeYTD", "what to do"),
        1,
    ),
    BadInput(
        "semicolons",
        lambda folder: (folder / FEED).write_text(text(read(folder / FEED), ";")),
        2,
        ("separated by semicolon", "what to do"),
        1,
    ),
    BadInput(
        "tabs",
        lambda folder: (folder / FEED).write_text(text(read(folder / FEED), "\t")),
        2,
        ("separated by tab", "what to do"),
        1,
    ),
    BadInput("no header", edited(lambda records: records.pop(0)), 2, ("column", "what to do"), 1),
    BadInput(
        "the person first, and no header",
        edited(drop(0, LINE - 1)),
        2,
        ("column", "what to do"),
        1,
    ),
    BadInput("a field too many", in_person(b"@hitch", b",@hitch"), 2, ("fields", "what to do"), LINE),
    BadInput("a field too few", on_line(lambda line: line[line.index(b",") + 1 :]), 2, ("fields", "what to do"), LINE),
    BadInput("a record cut in two", in_person(b"@hitch", b"\n@hitch"), 2, ("fields", "what to do"), LINE),
    BadInput("the last line is cut off", rewritten(cut_last_line), 2, ("last record", "what to do"), -1),
    BadInput("Latin-1", in_person(b"Zaphodina,", b"Zaphodin\xe4,"), 2, ("not UTF-8", "what to do"), LINE),
    BadInput("UTF-16", rewritten(lambda feed: feed.decode().encode("utf-16")), 2, ("UTF-16", "what to do"), 1),
    BadInput("a NUL byte", in_person(b"Zaphodina,", b"Zaphodina\0,"), 2, ("NUL", "what to do"), LINE),
    BadInput("a quote left open", in_person(b"Zaphodina,", b'"Zaphodina,'), 2, ("quote", "what to do"), LINE),
    BadInput("an archive", rewritten(lambda content: b"PK\x03\x04" + content), 2, ("zip archive", "what to do"), 1),
]

# --- the CRM extract ------------------------------------------------------------------------------------------------

LEADS = [
    BadInput(
        "Lead.csv without a column",
        drop_column("FA_CRD__c", "Lead.csv"),
        2,
        ("lacks column FA_CRD__c", "what to do"),
        1,
        file="Lead.csv",
    ),
    BadInput(
        "an Id twice",
        edited(one_id_twice, "Lead.csv"),
        2,
        ("lines 2 and 9", "column Id", "what to do"),
        9,
        file="Lead.csv",
    ),
    BadInput(
        "a lead with a field too many",
        on_line(lambda line: line.replace(b"\n", b",zaphodina\n"), file="Lead.csv"),
        2,
        ("fields", "what to do"),
        LINE,
        file="Lead.csv",
    ),
    BadInput(
        "a Lead.csv without a lead",
        edited(drop(1, None), "Lead.csv"),
        2,
        ("There is no timestamp in the extract", "leadscore run --data DIR --crm-extracted-at"),
        file="Lead.csv",
    ),
    BadInput("an empty Lead.csv", rewritten(lambda _: b"", "Lead.csv"), 2, ("empty", "what to do"), file="Lead.csv"),
    BadInput(
        "timestamps that are none",
        set_field(CONTACTED, "zaphodina", range(3, 43), "Lead.csv"),
        3,
        (f"Lead.csv, column {CONTACTED}: 40 rows; first 5 lines: 3, 4, 5, 6, 7",),
        file="Lead.csv",
        gate="leads_timestamps_parsed",
    ),
]

# --- what can be read and misses a figure ---------------------------------------------------------------------------

GATED = [
    BadInput("a header and no row", edited(drop(1, None)), 3, ("what to do",), gate="raw_has_rows"),
    BadInput(
        "a RepCRD that is none",
        set_field(CRD, "zaphodina"),
        3,
        (f"{FEED}, column {CRD}: 1 rows; lines: {LINE}",),
        gate="reps_crd_valid",
    ),
    BadInput(
        "numbers that are none",
        set_field("Number_OfficeReps", "zaphodina", (LINE, 7, 8, 11, 12, 13)),
        3,
        (f"{FEED}, column Number_OfficeReps: 6 rows; first 5 lines: {LINE}, 7, 8, 11, 12",),
        gate="reps_typing_losses",
    ),
    BadInput(
        "words that are none",
        set_field("Owner", "zaphodina", (LINE, 6, 7, 9)),
        3,
        (f"{FEED}, column Owner: 4 rows; lines: {LINE}, 6, 7, 9",),
        gate="reps_domain_losses",
    ),
    BadInput(
        "rows without a firm",
        set_field("RIAFirmCRD", "", (LINE, 6, 7, 9)),
        3,
        (f"{FEED}, column RIAFirmCRD: 4 rows; lines: {LINE}, 6, 7, 9",),
        gate="reps_firm_crd_valid",
    ),
]

# --- an as_of that cannot be ------------------------------------------------------------------------------------------

DAYS = [
    BadInput(
        "as_of before the first snapshot",
        lambda folder: None,
        2,
        ("as_of 2024-01-06 lies before the first snapshot (2024-01-07)", "Choose a day"),
        file="",
        options=("--as-of", "2024-01-06"),
    ),
    BadInput(
        "as_of long after the extract",
        lambda folder: None,
        2,
        ("more than 7 days after the CRM extract", "false negatives", "--crm-extracted-at"),
        file="",
        options=("--as-of", "2025-01-01"),
    ),
    BadInput(
        "an extraction day that is none",
        lambda folder: None,
        2,
        ("YYYY-MM-DD",),
        file="",
        options=("--crm-extracted-at", "2024-13-01"),
    ),
]
