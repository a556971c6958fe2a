"""A queue that this world cannot play is refused with file, column and row, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore_v6.errors import InputError
from tests.sample_world.playing import Played

HEADER = "queue_date,arm,position,Id,FA_CRD__c"


def edit(queue: Path, row: int, column: str, value: str) -> None:
    lines = [line.split(",") for line in queue.read_text(encoding="utf-8").splitlines()]
    lines[row - 1][lines[0].index(column)] = value
    queue.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("arm", "treated", r"arm 'treated' is none of treatment, control .*column arm, row 3"),
        ("arm", "", r"arm '' is none of"),
        ("position", "0", r"position '0' is no whole number from 1 on .*row 3"),
        ("position", "2.0", r"position '2.0' is no whole number"),
        ("position", "1", r"position 1 of control is there twice"),
        ("queue_date", "10.11.2025", r"'10.11.2025' is no date"),
        ("queue_date", "2025-11-09", r"one queue is of one day"),
        ("Id", "00Q5e000000zzzzAAA", r"lead 00Q5e000000zzzzAAA is none that arrived in the played weeks"),
        ("FA_CRD__c", "1", r"is of another advisor .*column FA_CRD__c, row 3"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_place(column: str, value: str, said: str, world: Played) -> None:
    queue = world.publish()
    edit(queue, 3, column, value)
    refused(world, queue, said)


def refused(world: Played, queue: Path, said: str) -> None:
    before = world.digests()
    with pytest.raises(InputError, match=said) as stop:
        world.play(queue=queue, weeks=9, snapshots=True)
    assert stop.value.exit_code == 2
    assert str(queue) in str(stop.value)
    assert world.digests() == before


def test_a_lead_twice(world: Played) -> None:
    queue = world.publish()
    second = queue.read_text(encoding="utf-8").splitlines()[1].split(",")
    edit(queue, 3, "Id", second[3])
    refused(world, queue, f"lead {second[3]} is there twice")


def test_a_lead_of_the_history_was_dialled_long_ago(world: Played) -> None:
    queue = world.publish()
    old = world.leads()[0]["Id"]
    edit(queue, 3, "Id", old)
    refused(world, queue, f"lead {old} is none that arrived in the played weeks")


def test_a_lead_that_was_never_contacted(world: Played) -> None:
    queue = world.publish()
    lead = next(key for key, row in world.settled().items() if row["counted"] == "False")
    edit(queue, 3, "Id", lead)
    refused(world, queue, f"lead {lead} never entered contacting, or has no CRD")


def test_the_queue_of_last_week(world: Played) -> None:
    queue = world.publish()
    world.play(queue=queue)
    refused(world, queue, r"was in a queue before: this one has been played \(and [\d,]+ more rows")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file"),
        ("", "cannot be read: it is empty"),
        ("Id,arm\n1,control\n", "lacks queue_date, position, FA_CRD__c"),
        (HEADER + '\n"2025-11-10,control,1,x', "cannot be read"),
        (HEADER + "\n2025-11-10,control,1,x,1,2,3\n", r"7 fields where the header has 5 .*row 2"),
        (HEADER + "\n2025-11-10,control\n", r"2 fields where the header has 5 .*row 2"),
    ],
)
def test_a_file_that_is_no_queue(text: str | None, said: str, world: Played) -> None:
    queue = world.feed.with_name("other.csv")
    if text is not None:
        queue.write_text(text, encoding="utf-8")
    refused(world, queue, said)


def test_an_empty_queue_dials_nobody(world: Played) -> None:
    queue = world.feed.with_name("empty.csv")
    queue.write_text(HEADER + "\n", encoding="utf-8")
    assert world.play(queue=queue).dials == {"model": 0, "own": 0, "usual": 0}


def test_crds_may_come_in_the_crms_forms(world: Played) -> None:
    queue = world.publish()
    lead = {row["Id"]: row["FA_CRD__c"] for row in world.leads()}
    fields = queue.read_text(encoding="utf-8").splitlines()[2].split(",")
    edit(queue, 3, "FA_CRD__c", f" 00{fields[4]}.0 ")
    assert lead[fields[3]]
    assert world.play(queue=queue, adoption=1.0).dials["model"] > 0
