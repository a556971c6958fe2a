"""Every bad input of the issue's list, end to end: what the command says, and that nothing else changed.

What is spoiled and what it must get is in bad_inputs.py; the command is run in this process, by its console script's
own function. What needs a second process, or a limit on this one, is in test_faults.py.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from leadscore_v6 import cli
from tests.e2e.bad_inputs import (
    CONTACTED,
    DAYS,
    FEED,
    FOLDERS,
    GATED,
    KEY,
    LEADS,
    LINE,
    PERSON,
    UNREADABLE,
    BadInput,
    in_person,
    plant,
    read,
    text,
)
from tests.e2e.conftest import AS_OF
from tests.e2e.process import leadscore

NEWEST = "RIARepDataFeed_20240331.csv"
LEDGERS = ("attempt_ledger", "gate_ledger")
PROMOTED = "LeadScoring.v_latest_training_dataset_v6"


@dataclass(frozen=True)
class Ran:
    """What a person sees of a command."""

    code: int
    stdout: str
    stderr: str


Leadscore = Callable[..., Ran]


@pytest.fixture
def quarter(world: Path, tmp_path: Path) -> Path:
    """A folder with the leads and one new quarter, as it arrives."""
    folder = tmp_path / "quarter"
    folder.mkdir()
    shutil.copy(world / "Lead.csv", folder)
    shutil.copy(world / NEWEST, folder / FEED)
    plant(folder / FEED)
    return folder


@pytest.fixture
def leadscore_here(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Leadscore:
    """`leadscore COMMAND … --home HOME`, in this process."""
    for name in [name for name in os.environ if name.startswith(("LEADSCORE_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    # A run tells Dagster's processes where the home is; after the test that is taken back.
    for name in ("LEADSCORE_HOME", "LEADSCORE_DATA", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("LEADSCORE_THREADS", "1")

    def command(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["leadscore", *map(str, arguments), "--home", str(home)])
        capfd.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capfd.readouterr())

    return command


def run(leadscore_here: Leadscore, folder: Path, *options: str) -> Ran:
    return leadscore_here("run", "--data", folder, "--as-of", AS_OF, *options)


# --- what is in a home ----------------------------------------------------------------------------------------------


def query(home: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{home}'")
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def names(home: Path) -> set[str]:
    return {str(name) for (name,) in query(home, "SELECT table_name FROM information_schema.tables")}


def contents(home: Path) -> dict[str, object]:
    """Rows and a digest of every table and view but the ledgers and kept candidates, and the text of every view."""
    digest = 'SELECT COUNT(*), SUM(hash(t)::HUGEINT) FROM "{}"."{}" AS t'
    tables = query(home, "SELECT table_schema, table_name FROM information_schema.tables")
    views = query(home, "SELECT 'view ' || view_name, sql FROM duckdb_views() WHERE NOT internal")
    found = {f"{schema}.{name}": query(home, digest.format(schema, name)) for schema, name in tables}
    return {
        name: what
        for name, what in {**found, **dict(views)}.items()
        if "candidate__" not in name and not name.endswith(LEDGERS)
    }


def half_written(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.suffix == ".tmp" or ".tmp." in path.name]


def mentions(home: Path, word: str) -> set[str]:
    """Files of the home, and ledgers, that hold a word; not the landed files, nor the tables that may hold a person."""
    found = set()
    for path in home.rglob("*"):
        if not path.is_file() or path.is_relative_to(home / "landing") or path.name.startswith("warehouse."):
            continue
        # SQLite keeps text as it is.
        if word.encode() in path.read_bytes().lower():
            found.add(str(path.relative_to(home)))
    found |= {name for name in LEDGERS if word in str(query(home, f"SELECT * FROM LeadScoring.{name}")).lower()}
    return found


@pytest.fixture(scope="module")
def before(finished_home: Path) -> dict[str, object]:
    return contents(finished_home)


# --- the list ---------------------------------------------------------------------------------------------------------


# One of each kind in `make test`, which is short of time: what each of the others is told from, and what is said of it,
# is tried without a run in tests/warehouse/test_landing_*.py. `make prove` has them all.
ALWAYS = {
    "the same date twice",
    "a field too many",
    "an archive",
    "an Id twice",
    "timestamps that are none",
    "numbers that are none",
    "as_of long after the extract",
}
EACH = [
    pytest.param(case, id=case.name, marks=[] if case.name in ALWAYS else [pytest.mark.prove])
    for case in (*FOLDERS, *UNREADABLE, *LEADS, *GATED, *DAYS)
]


def test_some_of_each_kind_are_always_tried() -> None:
    for kind in (FOLDERS, UNREADABLE, LEADS, GATED, DAYS):
        assert ALWAYS & {case.name for case in kind}


@pytest.mark.parametrize("case", EACH)
def test_bad_input(
    case: BadInput, quarter: Path, home: Path, leadscore_here: Leadscore, before: dict[str, object]
) -> None:
    case.spoil(quarter)
    row = (quarter / case.file).read_bytes().count(b"\n") + 1 if case.row == -1 else case.row

    ran = run(leadscore_here, quarter, *case.options)

    assert ran.code == case.code, ran.stderr
    # What, where, and what to do; no stack trace, no person.
    for words in (*case.says, case.file, f"row {row}" if row else "", case.gate or ""):
        assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Stack Trace" not in ran.stderr
    assert PERSON not in (ran.stdout + ran.stderr).lower()
    assert mentions(home, PERSON) == set()
    assert half_written(home) == []
    # What was there before is there still, to the last row.
    after = contents(home)
    if case in DAYS:
        # The new quarter is good: it was published, and so the views over all quarters have it.
        after = {name: what for name, what in after.items() if KEY not in name and "vintages" not in name}
        before = {name: what for name, what in before.items() if "vintages" not in name}
    if case in GATED:
        # A file that can be read has a raw table, unless it is that which fails.
        after = {name: what for name, what in after.items() if not name.endswith(f"snapshot_reps_{KEY}_raw")}
    assert after == before
    if case.code == 2:
        assert not any(name.startswith("candidate__") for name in names(home))


def test_the_search_for_a_person_would_find_one(quarter: Path, home: Path, leadscore_here: Leadscore) -> None:
    in_person(b"@hitch", b",@hitch")(quarter)
    assert run(leadscore_here, quarter).code == 2
    found = mentions(home, FEED.lower())
    assert {"attempt_ledger", "ledger.jsonl"} <= found
    assert any(path.endswith(".db") for path in found)


# --- what is accepted -------------------------------------------------------------------------------------------------


def test_what_is_odd_but_readable_is_accepted_and_counted(quarter: Path, home: Path, leadscore_here: Leadscore) -> None:
    header, *rows = read(quarter / FEED)
    title = header.index("Title")
    rows[LINE - 2][title] = 'Partner\nand "founder",\r\n\nsince 2001'
    # A byte order mark, and line breaks, a quote and a blank line in a quoted field.
    (quarter / FEED).write_text(text([header, *rows]), encoding="utf-8-sig", newline="")
    known = {str(crd) for (crd,) in query(home, "SELECT RepCRD FROM LeadScoring.snapshot_reps_20240107")}
    known &= {str(crd) for (crd,) in query(home, "SELECT RepCRD FROM LeadScoring.snapshot_reps_20240331")}
    crd, then = min(known), reported(home)
    _add_leads(
        quarter / "Lead.csv",
        # On 31 March in Berlin, and on the 30th in UTC: the quarter of 31 March was not known.
        ("zone", crd, "2024-03-31T00:30:00+02:00", "2024-04-29T23:30:00-02:00"),
        ("no zone", crd, "2024-03-31 00:30:00", ""),
        ("no crd", "n/a", "2024-02-01T10:00:00Z", ""),
        ("no time", crd, "the day before", ""),
    )

    ran = run(leadscore_here, quarter)

    assert ran.code == 0, ran.stderr
    names = query(home, f"SELECT Title FROM LeadScoring.snapshot_reps_{KEY} WHERE Title LIKE 'Partner%founder%'")
    assert names == [('Partner\nand "founder",\r\n\nsince 2001',)]
    counted = query(home, f"SELECT COUNT(*) FROM LeadScoring.snapshot_reps_{KEY}_raw WHERE RepCRD IS NOT NULL")
    assert counted == [(len(rows),)]
    chosen = query(
        home,
        "SELECT Id, contact_date::VARCHAR, rep_snapshot_at::VARCHAR, days_to_conversion "
        f"FROM {PROMOTED} WHERE Id IN ('zone', 'no zone', 'no crd', 'no time') ORDER BY Id",
    )
    assert chosen == [("no zone", "2024-03-31", "2024-03-31", None), ("zone", "2024-03-30", "2024-01-07", 31)]
    now = reported(home)
    assert now["leads"] == then["leads"] + 4
    for figure in ("invalid_crd", "contacted_without_crd", "contacting_unparsed"):
        assert now[figure] == then[figure] + 1


def reported(home: Path) -> dict[str, float]:
    """Figures of the report on the leads."""
    report = (home / "artifacts" / "crm_leads_validation_report.md").read_text()
    return {name: float(value) for name, value in re.findall(r"\| `(\w+)` \| ([0-9.]+) \|", report)}


def _add_leads(path: Path, *leads: tuple[str, str, str, str]) -> None:
    header, *rows = read(path)
    for lead in leads:
        given = dict(zip(("Id", "FA_CRD__c", CONTACTED, "Stage_Entered_Call_Scheduled__c"), lead, strict=True))
        rows.append([given.get(column, "") for column in header])
    path.write_text(text([header, *rows]), encoding="utf-8")


# --- the way back -----------------------------------------------------------------------------------------------------


def test_a_refused_file_shows_in_status_and_is_mended(
    quarter: Path, home: Path, leadscore_here: Leadscore, before: dict[str, object]
) -> None:
    good = (quarter / FEED).read_bytes()
    in_person(b"@hitch", b",@hitch")(quarter)
    assert run(leadscore_here, quarter).code == 2
    status = leadscore_here("status")
    assert "REFUSED" in status.stdout
    assert f"row {LINE}" in status.stdout
    (quarter / FEED).write_bytes(good)

    assert run(leadscore_here, quarter).code == 0

    # The training set is as of a day before the new quarter, so its rows are the same, in a new version.
    after = contents(home)
    assert after[PROMOTED] == before[PROMOTED]
    assert f"LeadScoring.snapshot_firms_{KEY}" in after
    assert "REFUSED" not in leadscore_here("status").stdout


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(in_person(b"@hitch", b",@hitch"), id="refused", marks=pytest.mark.prove),
        pytest.param(GATED[1].spoil, id="gate failed"),
    ],
)
def test_a_withdrawn_file_may_stay_where_it_is(
    spoil: Callable[[Path], object], quarter: Path, home: Path, leadscore_here: Leadscore, before: dict[str, object]
) -> None:
    spoil(quarter)
    assert run(leadscore_here, quarter).code != 0
    assert leadscore_here("withdraw", FEED).code == 0

    again = run(leadscore_here, quarter)
    assert again.code == 0
    assert f"{FEED} is left out: it was withdrawn on " in again.stderr
    assert f"leadscore withdraw --undo {FEED}" in again.stderr

    after = contents(home)
    assert after[PROMOTED] == before[PROMOTED]
    # A raw table that was published before its reps failed is a view on the landed file; `leadscore gc` takes it away.
    assert {name.split(".")[-1].split()[-1] for name in after if KEY in name} <= {f"snapshot_reps_{KEY}_raw"}


@pytest.mark.prove
def test_a_withdrawal_is_undone_from_the_command_line(
    world: Path, quarter: Path, home: Path, leadscore_here: Leadscore, before: dict[str, object]
) -> None:
    lost = "Lead.csv"
    (quarter / FEED).unlink()
    shutil.copy(world / NEWEST, quarter)
    header, *rows = read(quarter / lost)
    (quarter / lost).write_text(text([header, *rows[:-1]]), encoding="utf-8")
    assert run(leadscore_here, quarter).code == 0
    shorter = contents(home)
    assert shorter["LeadScoring.crm_leads"] != before["LeadScoring.crm_leads"]

    taken_back = leadscore_here("withdraw", lost, "--reason", "a lead is missing")
    assert f"{lost}, the file landed on " in taken_back.stdout
    assert "is withdrawn; set aside: crm_leads " in taken_back.stdout
    assert "the next run builds from the file landed on " in taken_back.stdout
    assert leadscore_here("withdraw", lost).code == 2
    left_out = run(leadscore_here, quarter)
    assert f"{lost} is left out" in left_out.stderr
    assert " serves. " in left_out.stderr
    restored = contents(home)
    assert restored["LeadScoring.crm_leads"] == before["LeadScoring.crm_leads"]

    undone = leadscore_here("withdraw", "--undo", lost)
    assert f"{lost}, the file landed on " in undone.stdout
    assert "is in use again; counts again: crm_leads " in undone.stdout
    assert run(leadscore_here, quarter).code == 0
    assert contents(home)["LeadScoring.crm_leads"] == shorter["LeadScoring.crm_leads"]
    assert contents(home)[PROMOTED] == shorter[PROMOTED]


# --- where it is ------------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_a_home_may_have_blanks_quotes_and_signs_in_its_path(
    world: Path, tmp_path: Path, home: Path, leadscore_here: Leadscore, before: dict[str, object]
) -> None:
    odd = tmp_path / "a b'c\"d%e#f;g" / "home"
    odd.parent.mkdir()
    home.rename(odd)
    home.symlink_to(odd)
    for arguments in (("run", "--data", world, "--as-of", AS_OF, "--rebuild"), ("status",), ("gc",)):
        ran = leadscore(*arguments, "--home", odd)
        assert ran.returncode == 0, ran.stderr
    assert contents(home)[PROMOTED] == before[PROMOTED]


def test_a_home_that_cannot_work_is_refused_with_nothing_made(world: Path, tmp_path: Path) -> None:
    ran = leadscore("run", "--data", world, "--home", tmp_path / "a,b" / "home")
    assert ran.returncode == 2
    assert "has ',' in its path" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "a,b").exists()


def test_a_damaged_landed_file_is_named_and_mended_as_it_says(
    world: Path, home: Path, leadscore_here: Leadscore, before: dict[str, object]
) -> None:
    digest = hashlib.sha256((world / NEWEST).read_bytes()).hexdigest()
    stored = home / "landing" / "by_sha256" / f"{digest}.csv"
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes().replace(b"Yes", b"No ", 1))
    ran = run(leadscore_here, world, "--rebuild")
    assert ran.code == 2
    assert stored.name in ran.stderr
    assert f"what to do: remove it, put {NEWEST} into the folder" in ran.stderr
    assert "Traceback" not in ran.stderr
    stored.unlink()
    assert run(leadscore_here, world).code == 0
    assert contents(home)[PROMOTED] == before[PROMOTED]
