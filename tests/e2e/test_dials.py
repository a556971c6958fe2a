"""Dials.csv and Associates.csv (R50): optional, landed and gated like the leads; what is wrong in them stops there."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadscore_v6.gates.guard import find_obstacles
from tests.e2e.process import leadscore
from tests.e2e.sabotage import (
    GATES,
    REBUILD,
    Product,
    Ran,
    Row,
    Sabotage,
    edit,
    one_of_each_asset,
    require_each_is_made_to_fail,
)

ASSETS = ["crm_leads", "crm_associates", "crm_dials"]


def write_dials(feed: Path, dialled: int = 200) -> None:
    """The first leads dialled once each, by two associates."""
    with (feed / "Lead.csv").open(newline="") as file:
        leads = [row for row in csv.DictReader(file) if row["Stage_Entered_Contacting__c"] and row["FA_CRD__c"]]
    with (feed / "Dials.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Id", "FA_CRD__c", "associate", "dialled_at", "queue"])
        for number, lead in enumerate(leads[:dialled]):
            at = lead["Stage_Entered_Contacting__c"]
            writer.writerow([lead["Id"], lead["FA_CRD__c"], f"SGA {number % 2}", at, "usual"])
    (feed / "Associates.csv").write_text("associate,weekly_capacity,active\nSGA 0,40,Yes\nSGA 1,35,No\n")


def land(product: Product) -> Ran:
    return product.materialize(ASSETS, None)


def test_without_the_files_the_tables_are_there_and_empty(product: Product) -> None:
    assert land(product).stops == []
    assert product.rows("LeadScoring.crm_dials") == product.rows("LeadScoring.crm_associates") == []
    facts = product.ledger.latest("crm_dials").facts
    assert (facts["rows"], facts["file_name"]) == (0, "no Dials.csv")


def test_the_files_become_tables_and_are_not_read_again(product: Product, feed: Path) -> None:
    write_dials(feed)
    assert land(product).stops == []
    rows = product.rows("LeadScoring.crm_dials")
    assert len(rows) == 200
    assert {row[5] for row in rows} == {"usual"}
    assert product.rows("LeadScoring.crm_associates") == [("SGA 0", 40, 1), ("SGA 1", 35, 0)]
    first = product.ledger.latest("crm_dials")
    assert land(product).stops == []
    assert product.ledger.latest("crm_dials").key == first.key
    # A newer file is another content; what was built from the leads alone does not mind.
    edit(feed / "Dials.csv", lambda records: records.pop())
    assert land(product).stops == []
    assert product.ledger.latest("crm_dials").key != first.key
    assert find_obstacles(product.ledger, "step_3_1_staging_join_v6", None) == []


def test_a_withdrawn_file_leaves_the_table_empty(product: Product, feed: Path) -> None:
    write_dials(feed)
    land(product)
    done = leadscore("withdraw", "Dials.csv", "--reason", "of another team", "--home", product.settings.home)
    assert done.returncode == 0, done.stderr
    assert land(product).stops == []
    assert product.rows("LeadScoring.crm_dials") == []


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        pytest.param(
            lambda records: records.clear(), "log_begins_later_days", id="no_dial_left", marks=pytest.mark.prove
        ),
        pytest.param(
            lambda records: records[0].update(dialled_at="2019-11-03 09:00:00"),
            "log_begins_earlier_days",
            id="one_wrong_year",
        ),
    ],
)
def test_a_log_that_begins_elsewhere_waits_for_a_person(
    change: Callable[[list[Row]], None], moved: str, product: Product, feed: Path
) -> None:
    """Its first day decides which leads are taken as dialled unseen (3.1), and one dial can move it by years."""
    write_dials(feed)
    land(product)
    edit(feed / "Dials.csv", change)
    ran = land(product)
    assert ran.failed_checks == {"dials_log_begins_as_before"}
    held = product.ledger.latest("crm_dials")
    assert held.figures[moved] > 30
    assert len(product.rows("LeadScoring.crm_dials")) == 200
    names = ("--by", "Ann", "--reason", "the CRM was moved", "--expires", "2099-01-01", "--home", product.settings.home)
    done = leadscore("waive", "dials_log_begins_as_before", "--attempt", held.key, *names)
    assert done.returncode == 0, done.stderr
    assert land(product).stops == []
    # What was let in is what the next one is held against.
    (feed / "Dials.csv").write_text((feed / "Dials.csv").read_text() + "\n")
    assert land(product).stops == []


def every(column: str, value: str, step: int = 20) -> Callable[[list[Row]], None]:
    def change(records: list[Row]) -> None:
        for row in records[::step]:
            row[column] = value

    return change


def a_year_early(records: list[Row]) -> None:
    for row in records[::10]:
        row["dialled_at"] = f"{int(row['dialled_at'][:4]) - 1}{row['dialled_at'][4:]}"


def last_weeks_only(records: list[Row]) -> None:
    records.sort(key=lambda row: row["dialled_at"])
    del records[: len(records) // 2]


def first_again(records: list[Row]) -> None:
    records.append(dict(records[0]))


@dataclass(frozen=True)
class Broken:
    """A gate that fails by what is changed in a file."""

    gate: str
    file: str
    change: Callable[[list[Row]], None]


@dataclass(frozen=True)
class Spoiled:
    """A gate that fails by what is changed in a table after it was built."""

    gate: str
    sabotage: Sabotage


BROKEN = one_of_each_asset(
    [
        Broken("dials_timestamps_parsed", "Dials.csv", every("dialled_at", "last week")),
        Broken("dials_of_known_leads", "Dials.csv", every("Id", "00Q999")),
        Broken("dials_crds_match", "Dials.csv", every("FA_CRD__c", "7")),
        Broken("dials_not_before_contact", "Dials.csv", a_year_early),
        Broken("dials_log_begins_as_before", "Dials.csv", last_weeks_only),
        Broken("dials_no_duplicate", "Dials.csv", first_again),
        Broken("dials_queue_known", "Dials.csv", every("queue", "whim")),
        Broken("dials_by_known_associates", "Dials.csv", every("associate", "SGA 9")),
        Broken("associates_one_row_each", "Associates.csv", first_again),
        Broken("associates_words_known", "Associates.csv", every("active", "sometimes")),
        Broken("associates_capacities_valid", "Associates.csv", every("weekly_capacity", "a lot")),
    ]
)
SABOTAGED = one_of_each_asset(
    [
        Spoiled(
            "dials_match_contract",
            Sabotage("crm_dials", "SELECT *, 'a@b.example' AS Email_PersonalType FROM {honest}"),
        ),
        Spoiled(
            "dials_rows_equal_file", Sabotage("crm_dials", "SELECT * FROM {honest} WHERE associate = 'SGA 0'")
        ),
        Spoiled(
            "associates_rows_equal_file", Sabotage("crm_associates", "SELECT * FROM {honest} WHERE active = 1")
        ),
        Spoiled(
            "associates_match_contract",
            Sabotage("crm_associates", "SELECT * EXCEPT (active), 'x' AS active FROM {honest}"),
        ),
    ]
)


def test_every_gate_of_dials_and_associates_has_a_case() -> None:
    mine = {name for name, gate in GATES.items() if gate["asset"] in ASSETS[1:]}
    require_each_is_made_to_fail([*BROKEN, *SABOTAGED], mine)


@pytest.mark.parametrize("case", BROKEN)
def test_bad_rows_stop_there_and_in_later_runs(case: Broken, product: Product, feed: Path) -> None:
    write_dials(feed)
    land(product)
    published = dict(product.ledger.published())
    edit(feed / case.file, case.change)
    ran = land(product)
    assert case.gate in ran.failed_checks
    assert ran.stops[0].exit_code == 3
    assert GATES[case.gate]["figure"] in ran.stops[0].message
    asset = GATES[case.gate]["asset"]
    assert {name: a.key for name, a in product.ledger.published().items() if a.asset == asset} == {
        name: a.key for name, a in published.items() if a.asset == asset
    }
    later = product.materialize([asset], None)
    assert [stop.exit_code for stop in later.stops] == [3]
    write_dials(feed)
    assert land(product).stops == []


@pytest.mark.parametrize("case", SABOTAGED)
def test_a_spoiled_table_is_not_published(case: Spoiled, product: Product, feed: Path) -> None:
    write_dials(feed)
    with case.sabotage.done_to(product) as warehouse:
        ran = product.materialize(ASSETS, None, REBUILD, warehouse)
    assert case.gate in ran.failed_checks
    # What was judged is recognised, and fails as before.
    assert land(product).failed_checks == ran.failed_checks
    assert product.materialize(ASSETS, None, REBUILD).stops == []


def test_a_missing_column_is_refused_by_name(product: Product, feed: Path) -> None:
    write_dials(feed)
    text = (feed / "Dials.csv").read_text()
    (feed / "Dials.csv").write_text(text.replace("dialled_at", "when", 1))
    (stop,) = land(product).stops
    assert stop.exit_code == 2
    assert "lacks column dialled_at" in stop.message
    assert "Dials.csv" in stop.message
