"""An extract is held against the one before (R49): leads that it lacks would be nobody's, and be called again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.decisions import withdraw
from leadscore_v6.gates.extract import known_extract_day, why_no_extract
from leadscore_v6.gates.guard import find_obstacles
from tests.e2e.gate_cases import without_the_last
from tests.e2e.process import leadscore
from tests.e2e.production_world import quiet
from tests.e2e.sabotage import REBUILD, Product, Ran, Row, Sabotage, edit

GATE = "leads_of_before_still_there"
LEADS = "LeadScoring.crm_leads"
PLACE = ("crm_leads", None)


def land(product: Product) -> Ran:
    return product.materialize(["crm_leads"], None)


def ids(feed: Path) -> list[str]:
    with (feed / "Lead.csv").open(newline="") as file:
        return [row["Id"] for row in csv.DictReader(file)]


def figures(product: Product) -> dict[str, object]:
    return product.ledger.latest("crm_leads").figures


def take_back(product: Product) -> None:
    with open_bench(product.settings, "test", quiet) as bench:
        withdraw(bench, "Lead.csv", "of another team")


def every_twentieth_left_out(records: list[Row]) -> None:
    del records[::20]


def old_ones_four_times_over(records: list[Row]) -> None:
    """A long history, beside which the last days are next to nothing; in the order of the contacts."""
    records.sort(key=lambda row: row["Stage_Entered_Contacting__c"])
    old = [row for row in records if "" < row["Stage_Entered_Contacting__c"] < "2024-03"]
    records[:0] = [{**row, "Id": f"{row['Id']}{copy}"} for copy in range(3) for row in old]


def more(records: list[Row], first: int, number: int) -> None:
    """New leads, contacted on the extract's last day."""
    newest = max(records, key=lambda row: row["Stage_Entered_Contacting__c"])
    uncalled = {**newest, "Stage_Entered_Call_Scheduled__c": ""}
    records += [{**uncalled, "Id": f"00Q9{first + one:05}"} for one in range(number)]


def test_a_filtered_extract_is_stopped_until_a_person_says_that_they_are_gone(product: Product, feed: Path) -> None:
    whole, before = ids(feed), product.rows(LEADS)
    edit(feed / "Lead.csv", every_twentieth_left_out)
    gone = [lead for lead in whole if lead not in set(ids(feed))]
    ran = land(product)
    assert ran.failed_checks == {GATE}
    (stop,) = ran.stops
    assert stop.exit_code == 3
    assert f"lacks {len(gone)} of {len(whole)} leads of the extract of " in stop.message
    named = stop.message.partition("the newest: Id ")[2].partition(".")[0].split(", ")
    assert len(named) == 5
    assert set(named) <= set(gone)
    assert f"`leadscore waive {GATE} --attempt " in stop.message
    assert "Deliver the whole extract" in stop.report.read_text()
    assert product.rows(LEADS) == before
    assert GATE in str(find_obstacles(product.ledger, "crm_dials", None))
    names = ("--by", "Ann", "--reason", "the CRM has archived them", "--expires", "2999-12-31")
    key = product.ledger.latest("crm_leads").key
    done = leadscore("waive", GATE, "--attempt", key, *names, "--home", product.settings.home)
    assert done.returncode == 0, done.stderr
    assert land(product).stops == []
    assert len(product.rows(LEADS)) == len(whole) - len(gone)
    # What was let in is what the next one is held against.
    edit(feed / "Lead.csv", lambda records: more(records, 0, 5))
    assert land(product).stops == []
    assert (figures(product)["leads_before"], figures(product)["lost_leads"]) == (len(whole) - len(gone), 0)


@pytest.mark.prove
def test_the_newest_leads_are_few_and_are_missed_all_the_same(product: Product, feed: Path) -> None:
    """Of a long extract a cut-off end is a small share: the leads that are being called."""
    edit(feed / "Lead.csv", old_ones_four_times_over)
    assert land(product).stops == []
    edit(feed / "Lead.csv", without_the_last(1))
    ran = land(product)
    assert ran.failed_checks == {GATE}
    told = figures(product)
    assert told["lost_share"] <= 0.01
    assert told["lost_recent_share"] > 0.05


@pytest.mark.prove
def test_after_a_withdrawal_the_one_before_it_is_asked(product: Product, feed: Path) -> None:
    whole = (feed / "Lead.csv").read_bytes()
    number = len(ids(feed))
    edit(feed / "Lead.csv", lambda records: more(records, 0, 100))
    assert land(product).stops == []
    # The wrong one is taken back: what was before it lacks a hundred leads, and serves again.
    take_back(product)
    assert land(product).stops == []
    assert len(product.rows(LEADS)) == number
    assert figures(product)["lost_leads"] == 0
    # Another wrong one, and in its place an extract that was cut off, delivered at once.
    (feed / "Lead.csv").write_bytes(whole)
    edit(feed / "Lead.csv", lambda records: more(records, 500, 100))
    assert land(product).stops == []
    take_back(product)
    (feed / "Lead.csv").write_bytes(whole)
    edit(feed / "Lead.csv", without_the_last(10))
    assert land(product).failed_checks == {GATE}
    assert figures(product)["leads_before"] == number
    assert figures(product)["lost_leads"] == number * 10 // 100
    with product.open_by_hand(read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()]
    assert not [name for name in names if name.endswith("__before")]


def without_a_lead(records: list[Row]) -> None:
    records.clear()


def one_call_in_2062(records: list[Row]) -> None:
    """Somebody mistyped a year."""
    called = next(row for row in reversed(records) if row["Stage_Entered_Call_Scheduled__c"])
    called["Stage_Entered_Call_Scheduled__c"] = "2062-03-01T10:00:00Z"


@pytest.mark.parametrize("spoil", [pytest.param(without_a_lead, marks=pytest.mark.prove), one_call_in_2062])
def test_an_extract_that_cannot_tell_its_day_is_refused_and_nothing_goes_on_with_another(
    product: Product, feed: Path, spoil: Callable[[list[Row]], None]
) -> None:
    before, usable = product.rows(LEADS), product.ledger.usable(PLACE)
    edit(feed / "Lead.csv", spoil)
    for _ in range(2):
        (stop,) = land(product).stops
        assert stop.exit_code == 2
        assert known_extract_day(product.ledger) is None
        assert "The newest Lead.csv was refused: " in why_no_extract(product.ledger)
    # Nor is it among those that a later withdrawal falls back on.
    assert product.ledger.usable(PLACE) == usable
    take_back(product)
    assert land(product).stops == []
    assert product.rows(LEADS) == before


def test_a_day_that_a_person_said_against_the_times_of_an_extract_stays_said(product: Product, feed: Path) -> None:
    edit(feed / "Lead.csv", one_call_in_2062)
    assert [stop.exit_code for stop in land(product).stops] == [2]
    said = {"crm_extracted_at": "2024-05-20"}
    assert product.materialize(["crm_leads"], None, said).stops == []
    # As `leadscore score`, the sensor and the schedules ask for it; delivered once more, it is the same content.
    for _ in range(2):
        assert land(product).stops == []
        assert known_extract_day(product.ledger) == date(2024, 5, 20)
        (feed / "Lead.csv").write_bytes((feed / "Lead.csv").read_bytes())


def test_a_table_without_ids_is_told_as_that(product: Product) -> None:
    with Sabotage("crm_leads", "SELECT * EXCEPT (Id) FROM {honest}").done_to(product) as warehouse:
        ran = product.materialize(["crm_leads"], None, REBUILD, warehouse)
    assert {"leads_match_contract", GATE} <= ran.failed_checks
    assert [stop.exit_code for stop in ran.stops] == [3]
    assert " lacks " not in ran.stops[0].message


def test_the_first_extract_has_none_before_it(product: Product) -> None:
    (verdict,) = [one for one in product.ledger.verdicts(product.ledger.latest("crm_leads")) if one.gate.name == GATE]
    assert verdict.word == "not applicable"
