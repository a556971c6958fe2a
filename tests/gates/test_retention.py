"""What may go: never what the promoted view, a waiver, a registered snapshot or the next step refers to (R56)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from leadscore_v6.assets.intake import take_in
from leadscore_v6.cli import cli
from leadscore_v6.errors import InputError
from leadscore_v6.gates.attempt import Attempt
from leadscore_v6.gates.decisions import Waiver, rollback, waive, withdraw
from leadscore_v6.gates.retention import collect, compact, expendable
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.warehouse.duckdb_engine import DuckDBWarehouse
from leadscore_v6.warehouse.protocol import FileTable
from tests.gates.conftest import KEY, OTHER_KEY, PROMOTED, STAGING, TODAY, TRAINING, Lab, with_build

FILE = f"RIARepDataFeed_{KEY}.csv"


def expendable_tables(lab: Lab, keep: int = 3) -> dict[str, str]:
    found = expendable(lab.bench(), lab.settings, keep).tables
    return {name.removeprefix("LeadScoring."): why for name, why in found.items()}


def promote(lab: Lab, contents: Iterable[str]) -> list[str]:
    """A version a day; their names."""
    versions = []
    for content in contents:
        lab.run(step_3_1_staging_join_v6=content)
        versions.append(lab.bench().ledger.latest(TRAINING).version)
        lab.today += timedelta(days=1)
    return versions


def land(lab: Lab, content: str, **figures: float) -> Path:
    """A landed feed file, as the ledger and the store know it."""
    lab.settings.store.mkdir(parents=True, exist_ok=True)
    file = lab.settings.store / f"{content}.csv"
    file.write_text(f"RepCRD\n{content}\n")
    facts = {"digest": f"digest of {content}", "stored_as": file.name, "fingerprint": content, "bytes": 9}
    lab.bench().record("landed", Attempt("", "snapshot_reps_raw", KEY, None, ""), facts)
    lab.attempt("snapshot_reps_raw", KEY, content, **figures)
    return file


def test_a_fresh_home_has_nothing_expendable(lab: Lab) -> None:
    lab.run()
    found = expendable(lab.bench(), lab.settings, 1)
    assert list(found.lines()) == ["Nothing is expendable."]


def test_older_versions_go_and_their_staging_sooner(lab: Lab) -> None:
    first, second, third, last = promote(lab, "abcd")
    assert expendable_tables(lab, keep=2) == {
        f"{TRAINING}_{first}": "an older version",
        f"{TRAINING}_{second}": "an older version",
        f"{STAGING}_{first}": "staging of an older version",
        f"{STAGING}_{second}": "staging of an older version",
        f"{STAGING}_{third}": "staging of an older version",
    }
    collect(lab.bench(), expendable(lab.bench(), lab.settings, 2))
    assert lab.names(TRAINING) == [f"{TRAINING}_{third}", f"{TRAINING}_{last}"]
    assert lab.names(STAGING) == [f"{STAGING}_{last}"]
    assert lab.content(PROMOTED) == "a"
    assert expendable_tables(lab, keep=2) == {}
    # What went is built again when it is wanted; what stayed is recognised.
    lab.built.clear()
    lab.run(step_3_1_staging_join_v6="d")
    assert lab.built == []


def test_what_the_promoted_view_serves_stays_however_old(lab: Lab) -> None:
    first, _, last = promote(lab, "abc")
    rollback(lab.bench(), first, "Ann")
    assert f"{TRAINING}_{first}" not in expendable_tables(lab, keep=1)
    collect(lab.bench(), expendable(lab.bench(), lab.settings, 1))
    assert lab.names(TRAINING) == [f"{TRAINING}_{first}", f"{TRAINING}_{last}"]
    assert lab.content(PROMOTED) == "a"


def test_a_version_under_a_waiver_stays(lab: Lab) -> None:
    lab.run()
    failed = lab.attempt(TRAINING, content="w", wrong=1).attempt
    waive(lab.bench(), Waiver("labels_agree", failed.key, "Ann", "known", TODAY))
    waived = lab.attempt(TRAINING, content="w", wrong=1).attempt
    assert (waived.key, waived.state) == (failed.key, "published")
    lab.attempt(PROMOTED)
    promote(lab, "bcd")
    assert f"{TRAINING}_{waived.version}" not in expendable_tables(lab, keep=1)


def test_failed_candidates_go_unless_they_are_waived_or_the_latest(lab: Lab) -> None:
    waived = lab.attempt("crm_leads", content="b", leads=9).attempt
    waive(lab.bench(), Waiver("leads_enough", waived.key, "Ann", "pilot", TODAY))
    failed = lab.attempt("crm_leads", content="c", leads=8).attempt
    latest = lab.attempt("crm_leads", content="d", leads=7).attempt
    assert expendable_tables(lab) == {f"candidate__crm_leads__{failed.key}": "a candidate that was not published"}
    collect(lab.bench(), expendable(lab.bench(), lab.settings, 3))
    assert lab.attempt("crm_leads", content="b", leads=9).recognised
    assert lab.content("crm_leads") == "b"
    # A person may still decide about the latest one: it is published exactly as it was judged.
    waive(lab.bench(), Waiver("leads_enough", latest.key, "Ann", "pilot", TODAY))
    lab.built.clear()
    assert lab.attempt("crm_leads", content="d", leads=7).recognised
    assert (lab.built, lab.content("crm_leads")) == ([], "d")


def test_staging_that_a_training_set_is_still_to_be_made_from_stays(lab: Lab) -> None:
    promote(lab, "ab")
    staged = lab.attempt(STAGING, content="c").attempt
    lab.attempt(TRAINING, content="c", wrong=1)
    assert f"{STAGING}_{staged.version}" not in expendable_tables(lab, keep=1)


def test_tables_of_a_withdrawn_snapshot_go_when_no_view_reads_them_any_more(lab: Lab) -> None:
    lab.run()
    lab.warehouse.create_view(f"LeadScoring.snapshot_reps_{KEY}_raw", "SELECT 1 AS one")
    assert expendable_tables(lab) == {}
    withdraw(lab.bench(), FILE, "")
    assert set(expendable_tables(lab)) == {
        f"snapshot_reps_{KEY}",
        f"snapshot_reps_{KEY}_raw",
        f"snapshot_firms_{KEY}",
    }
    view = lab.bench().ledger.serving("LeadScoring.v_discovery_reps_all_vintages")
    view.facts["rows_by_table"] = {f"snapshot_reps_{KEY}": 1}
    bench = lab.bench()
    bench.record("judged", view, {"figures": {}, "facts": view.facts, "hashes": {}})
    bench.record("published", view, {})
    assert set(expendable_tables(lab)) == {f"snapshot_firms_{KEY}"}


def test_a_landed_file_goes_when_nothing_is_made_from_it(lab: Lab) -> None:
    first, second = land(lab, "a"), land(lab, "b")
    found = expendable(lab.bench(), lab.settings, 3)
    assert found.files == (first,)
    assert "table" not in "".join(found.lines())
    assert "a.csv  (9 bytes" in "".join(found.lines())
    collect(lab.bench(), found)
    assert (first.exists(), second.exists()) == (False, True)


def test_a_withdrawn_file_stays_while_the_raw_table_reads_it(lab: Lab) -> None:
    first, second = land(lab, "a"), land(lab, "b")
    withdraw(lab.bench(), FILE, "")
    assert expendable(lab.bench(), lab.settings, 3).files == ()
    lab.attempt("snapshot_reps_raw", KEY, "a")
    assert expendable(lab.bench(), lab.settings, 3).files == (second,)
    assert first.exists()


def test_the_file_behind_what_is_served_stays_while_a_correction_fails(lab: Lab) -> None:
    first = land(lab, "a")
    lab.run()
    second = land(lab, "b")
    # The raw table reads the correction; the rep table was made from the first file, and would be again.
    lab.attempt("snapshot_reps", KEY, "b", loss=0.5)
    assert lab.content(f"snapshot_reps_{KEY}") == "a"
    assert expendable(lab.bench(), lab.settings, 1).files == ()
    assert (first.exists(), second.exists()) == (True, True)


def test_the_files_of_the_promoted_version_stay_while_a_correction_does_not_get_there(lab: Lab) -> None:
    """Every snapshot table is made from the correction; the view serves what was made from the first file (R48)."""
    first, other = land(lab, "first"), land(lab, "other")
    work = lab.work(TRAINING)
    told = {"manifest": {"files": [{"sha256": "digest of first"}]}}
    pinned = with_build(work, lambda candidates: {**work.build(candidates), **told})
    for asset, step in STEPS.items():
        for key in (KEY, OTHER_KEY) if step.partitioned else (None,):
            lab.bench().attempt(pinned if asset == TRAINING else lab.work(asset, key))
    land(lab, "b")
    for asset in ("snapshot_reps", "snapshot_firms"):
        lab.attempt(asset, KEY, "b")
    assert expendable(lab.bench(), lab.settings, 1).files == (other,)
    assert first.exists()


def test_the_file_of_a_waived_candidate_stays(lab: Lab) -> None:
    kept = land(lab, "w", rows=0)
    waived = lab.bench().ledger.latest("snapshot_reps_raw", KEY)
    waive(lab.bench(), Waiver("raw_rows", waived.key, "Ann", "empty on purpose", TODAY))
    land(lab, "b")
    assert expendable(lab.bench(), lab.settings, 3).files == ()
    assert kept.exists()


def test_after_it_went_a_withdrawn_correction_has_no_file_to_fall_back_to_and_says_so(lab: Lab) -> None:
    land(lab, "a")
    land(lab, "b")
    collect(lab.bench(), expendable(lab.bench(), lab.settings, 3))
    withdraw(lab.bench(), FILE, "")
    feed, place, store = lab.settings.data / FILE, ("snapshot_reps_raw", KEY), lab.settings.store

    def land_again(path: Path) -> dict[str, object]:
        facts = {"digest": hashlib.sha256(path.read_bytes()).hexdigest(), "stored_as": "a.csv", "bytes": 9}
        (store / "a.csv").write_bytes(path.read_bytes())
        return {**facts, "stored_mtime_ns": (store / "a.csv").stat().st_mtime_ns, "file_name": path.name}

    with pytest.raises(InputError, match=f"There is no {FILE}, and no earlier one"):
        take_in(lab.bench(), place, feed, store, land_again)
    feed.parent.mkdir()
    feed.write_text("RepCRD\na\n")
    assert take_in(lab.bench(), place, feed, store, land_again)["file_name"] == FILE


def test_a_file_that_nobody_knows_goes(lab: Lab) -> None:
    land(lab, "a")
    stray = lab.settings.store / "stray.csv"
    stray.write_text("")
    assert expendable(lab.bench(), lab.settings, 3).files == (stray,)


def test_a_dry_run_deletes_nothing_and_the_command_says_what_it_deletes(lab: Lab) -> None:
    first, last = promote(lab, "ab")
    stray = land(lab, "a").with_name("stray.csv")
    stray.write_text("")
    lab.warehouse.close()
    before = rows(lab)
    command = ["gc", "--home", str(lab.settings.home), "--keep", "1"]

    listed = CliRunner().invoke(cli, [*command, "--dry-run"])
    assert listed.exit_code == 0
    assert rows(lab) == before
    assert stray.exists()

    done = CliRunner().invoke(cli, command)
    gone = {f"LeadScoring.{TRAINING}_{first}", f"LeadScoring.{STAGING}_{first}"}
    assert set(rows(lab)) == set(before) - gone
    assert not stray.exists()
    for line in [*(f"table  {name}  (" for name in gone), "file   stray.csv  ("]:
        assert line in listed.output
        assert line in done.output
    assert rows(lab)[f"LeadScoring.{TRAINING}_{last}"] == before[f"LeadScoring.{TRAINING}_{last}"]
    lab.warehouse = DuckDBWarehouse(lab.settings.warehouse_file)
    assert expendable_tables(lab, keep=1) == {}


def rows(lab: Lab) -> dict[str, list[tuple[object, ...]]]:
    """Every table and view with all its rows, as a reader of the file sees them."""
    with duckdb.connect(str(lab.settings.warehouse_file), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{lab.settings.home}'")
        names = connection.execute("SELECT table_schema || '.' || table_name FROM information_schema.tables").fetchall()
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for (name,) in names}


def test_compacting_keeps_all_rows_and_raw_views_readable(lab: Lab) -> None:
    lab.run()
    path = land(lab, "a").relative_to(lab.settings.home).as_posix()
    lab.warehouse.expose_file(f"LeadScoring.snapshot_reps_{KEY}_raw", FileTable(path, ["RepCRD"]))
    lab.warehouse.close()
    # A hole in the middle of the file: DuckDB itself gives back what is free at its end.
    for statement in (
        "CREATE TABLE LeadScoring.big AS SELECT random() AS noise FROM range(500000)",
        "CREATE TABLE LeadScoring.after AS SELECT random() AS noise FROM range(1000)",
        "DROP TABLE LeadScoring.big",
    ):
        with duckdb.connect(str(lab.settings.warehouse_file)) as connection:
            connection.execute(statement)
    before, size = rows(lab), lab.settings.warehouse_file.stat().st_size

    said = compact(lab.settings, lambda line: None)

    assert lab.settings.warehouse_file.stat().st_size < size - 3_000_000
    assert f"{size:,} bytes before" in said
    after = rows(lab)
    assert after == before
    assert after[f"LeadScoring.snapshot_reps_{KEY}_raw"] == [("a",)]
    assert len(after["LeadScoring.attempt_ledger"]) > 30
    assert list(lab.settings.home.glob("*.compact*")) == []
    lab.warehouse = DuckDBWarehouse(lab.settings.warehouse_file)
    lab.built.clear()
    lab.run()
    assert lab.built == []


def test_there_is_nothing_to_compact_before_the_first_run(lab: Lab, tmp_path: Path) -> None:
    settings = replace(lab.settings, home=tmp_path / "other")
    assert compact(settings, lambda line: None) == "Nothing to compact."
    assert not settings.home.exists()
