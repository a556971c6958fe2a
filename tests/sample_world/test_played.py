"""A world that goes on: who arrives, who is dialled, what comes of it, and that nothing else is told."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world import PlayRequest, WorldSpec, play, write_world
from tests.sample_world.feeds import Feeds, crd, read
from tests.sample_world.playing import CALL, CAPACITY, CONTACT, WEEKLY, Played, day

FIRST = date(2025, 11, 4)  # the history's last contact is of 2025-11-03


def new_leads(before: Played, after: Played) -> list[dict[str, str]]:
    known = {lead["Id"] for lead in before.leads()}
    return [lead for lead in after.leads() if lead["Id"] not in known]


def test_leads_arrive_in_the_seven_days_after_the_history(written_world: Played, first_week: Played) -> None:
    arrived = new_leads(written_world, first_week)
    contacted = [lead for lead in arrived if lead[CONTACT]]
    days = Counter(day(lead[CONTACT]) for lead in contacted)
    assert min(days) == FIRST
    assert max(days) <= FIRST + timedelta(days=6)
    weekend = sum(n for when, n in days.items() if when.weekday() >= 5)
    assert weekend < 0.05 * len(contacted)
    assert sum(bool(crd(lead["FA_CRD__c"])) for lead in contacted) == pytest.approx(WEEKLY, abs=10)
    assert [lead["Id"] for lead in first_week.leads()] == sorted({lead["Id"] for lead in first_week.leads()})
    assert not any(lead[CALL] for lead in arrived)
    assert first_week.dials() == []


def test_what_the_history_promised_comes_to_pass_and_nothing_else_changes(tmp_path: Path) -> None:
    spec = WorldSpec(reps=300, leads=5_000, quarters=1)
    write_world(tmp_path / "feed", spec)
    world = Played(tmp_path / "feed")
    before = world.leads()
    world.play(weeks=8, weekly_leads=20)
    last = spec.last_contact + timedelta(days=8 * 7)
    drawn = {row["Id"]: row["days_to_conversion"] for row in read(world.truth / "truth.csv")}
    after = {lead["Id"]: lead for lead in world.leads()}
    new_calls = 0
    for lead in before:
        now = after[lead["Id"]]
        assert {**now, CALL: ""} == {**lead, CALL: ""}
        assert now[CALL] == lead[CALL] or not lead[CALL]
        if lead[CONTACT] and drawn[lead["Id"]]:
            due = day(lead[CONTACT]) + timedelta(days=int(drawn[lead["Id"]]))
            assert (now[CALL] != "") == (due <= last)
            new_calls += now[CALL] != lead[CALL]
    assert new_calls > 10


def test_without_a_queue_the_leads_of_the_week_before_are_dialled_as_they_came(world: Played) -> None:
    waiting = world.arrived()
    world.play()
    dials = world.dials()
    assert {row["Id"] for row in dials} == {lead["Id"] for lead in waiting[:CAPACITY]}
    assert {row["queue"] for row in dials} == {"usual"}
    assert [row["dialled_at"] for row in dials] == sorted(row["dialled_at"] for row in dials)
    in_order = [row["Id"] for row in dials]
    assert in_order == [lead["Id"] for lead in waiting[:CAPACITY]]
    assert all(FIRST + timedelta(days=7) <= day(row["dialled_at"]) < FIRST + timedelta(days=14) for row in dials)


def test_the_associates_capacities_add_up_to_the_share(world: Played) -> None:
    world.play()
    staff = read(world.feed / "Associates.csv")
    assert len(staff) == 14
    assert sum(int(row["weekly_capacity"]) for row in staff) == CAPACITY == round(0.45 * WEEKLY)
    made = Counter(row["associate"] for row in world.dials())
    assert made == {row["associate"]: int(row["weekly_capacity"]) for row in staff if row["weekly_capacity"] != "0"}


def test_only_dialled_leads_convert_and_only_after_their_dial(world: Played) -> None:
    world.play(weeks=10, adoption=1.0)
    settled, dialled = world.settled(), {row["Id"]: row for row in world.dials()}
    played = {lead["Id"]: lead for lead in world.leads() if lead["Id"] in settled}
    converted = {key: lead for key, lead in played.items() if lead[CALL]}
    assert converted
    assert set(converted) <= set(dialled)
    last = FIRST + timedelta(days=11 * 7 - 1)
    for key, dial in dialled.items():
        days = settled[key]["days"]
        due = days != "" and day(dial["dialled_at"]) + timedelta(days=int(float(days))) <= last
        assert (key in converted) == due
        if due:
            call = played[key][CALL]
            assert (day(call) - day(dial["dialled_at"])).days == float(days)
            assert (call[:10], call[11:19]) > (dial["dialled_at"][:10], dial["dialled_at"][11:19])
            assert day(call) <= last


def test_outcomes_are_drawn_from_the_truth(world: Played) -> None:
    world.play(weeks=8, capacity_share=1.0, weekly_leads=600)
    settled = world.settled()
    rows = [settled[row["Id"]] for row in world.dials()]
    expected = sum(float(row["probability"]) for row in rows)
    within = sum(row["days"] != "" and 0 <= float(row["days"]) <= 30 for row in rows)
    assert within == pytest.approx(expected, abs=4 * expected**0.5)
    for row in rows:
        assert (float(row["draw"]) < float(row["probability"])) == (row["days"] != "" and float(row["days"]) <= 30)


def test_every_file_says_that_it_is_invented(world: Played) -> None:
    world.play()
    for name in ("Lead.csv", "Dials.csv", "Associates.csv"):
        assert {row["Synthetic_Data"] for row in read(world.feed / name)} == {"Yes"}
    assert "2025-11-17" in (world.feed / "README.txt").read_text(encoding="utf-8")


def test_the_truth_is_not_told_to_the_feed(world: Played) -> None:
    world.play(weeks=2, drifts=("base-rate:3",))
    names = {
        name
        for path in world.feed.glob("*.csv")
        for name in path.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    }
    assert not names & {"probability", "draw", "days", "arm", "label", "days_to_conversion"}
    said = "".join(path.read_text(encoding="utf-8") for path in world.feed.iterdir())
    assert not any(word in said for word in ("base-rate", "drift", "treatment"))


def test_the_same_call_from_the_same_state_writes_the_same_bytes(world: Played) -> None:
    queue = world.publish()
    twin = world.copy("twin")
    for one in (world, twin):
        one.play(queue=queue, weeks=2)
    assert world.said() == twin.said()
    assert list(world.digests().values()) == list(twin.digests().values())


def test_weeks_one_by_one_are_the_weeks_at_once(world: Played) -> None:
    twin = world.copy("twin")
    world.play(weeks=3)
    for _ in range(3):
        twin.play()
    assert list(world.digests().values()) == list(twin.digests().values())


@pytest.mark.parametrize("published", [True, False], ids=["by a queue", "as usual"])
def test_a_call_that_was_cut_short_has_not_happened(published: bool, world: Played) -> None:
    """All but the last file were replaced: the same call again ends where it would have."""
    twin, queue = world.copy("twin"), world.publish() if published else None
    memory = (world.truth / "played.json").read_bytes()
    world.play(queue=queue)
    (world.truth / "played.json").write_bytes(memory)
    for one in (world, twin):
        one.play(queue=queue)
    assert world.said() == twin.said()


def test_what_a_lead_is_and_answers_does_not_depend_on_the_queue(world: Played) -> None:
    """R52: another order, another adoption; who is dialled in both has the same outcome, and the same leads arrive."""
    twin = world.copy("twin")
    world.play(queue=world.publish(), adoption=1.0)
    twin.play(queue=twin.publish(lambda lead: lead["Id"][::-1]), adoption=0.5)
    assert world.settled() == twin.settled()
    for one in (world, twin):
        one.play(weeks=12)
    assert world.settled() == twin.settled()
    calls = [{lead["Id"]: lead[CALL] for lead in one.leads()} for one in (world, twin)]
    dialled = [{row["Id"]: row["dialled_at"] for row in one.dials()} for one in (world, twin)]
    both = set(dialled[0]) & set(dialled[1])
    assert set(dialled[0]) ^ set(dialled[1])
    assert {key: bool(calls[0][key]) for key in both} == {key: bool(calls[1][key]) for key in both}
    assert any(calls[0][key] for key in both)


def test_leads_are_looked_up_in_the_newest_snapshot(world: Played) -> None:
    """Of an advisor, as a stranger would find it in the files; a quarter that begins meanwhile gets its file."""
    summary = world.play(weeks=10, snapshots=True)
    assert summary.snapshots == ("RIARepDataFeed_20260104.csv",)
    feeds = Feeds.of(world.feed)
    counts: Counter[str] = Counter()
    for row in world.settled().values():
        found = feeds.at(int(row["crd"]), day(row["contact_date"]))
        assert row["rep_snapshot_at"] == (found[0].isoformat() if found else "")
        counts[row["rep_snapshot_at"]] += 1
    assert counts["2026-01-04"] > 200
    assert 0.94 < 1 - counts[""] / counts.total() < 0.995
    assert sum(n for when, n in counts.items() if when not in {"", "2025-10-05", "2026-01-04"}) > 5  # advisors now gone


@pytest.mark.parametrize("quarters", [2, pytest.param(8, marks=pytest.mark.prove)])
def test_a_further_quarter_changes_no_feed_before_it(quarters: int, tmp_path: Path) -> None:
    """And the feed that a world writes when it is played on is that of a world that had it at once, to the byte."""
    spec = WorldSpec(reps=300, leads=60, quarters=quarters)
    write_world(tmp_path / "played", spec)
    play(tmp_path / "played", PlayRequest(weeks=10, snapshots=True, weekly_leads=10))
    write_world(tmp_path / "whole", replace(spec, quarters=quarters + 1))
    whole = {path.name: path.read_bytes() for path in (tmp_path / "whole").glob("RIA*")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "played").glob("RIA*")} == whole
    assert len(whole) == quarters + 1


def test_a_file_that_comes_late_changes_nothing_but_when_it_is_there(world: Played) -> None:
    """Leads are looked up in it from its own day on: whoever joins it later finds what their outcomes came of."""
    twin = world.copy("twin")
    world.play(weeks=11)
    assert len(list(world.feed.glob("RIA*"))) == 8
    assert "20260104" not in (world.feed / "README.txt").read_text(encoding="utf-8")
    assert world.play(snapshots=True).snapshots == ("RIARepDataFeed_20260104.csv",)
    assert world.play(snapshots=True).snapshots == ()
    twin.play(weeks=13, snapshots=True)
    assert max(row["rep_snapshot_at"] for row in world.settled().values()) == "2026-01-04"
    assert list(world.digests().values()) == list(twin.digests().values())


def test_advisors_come_back_now_and_then(world: Played) -> None:
    world.play(weeks=3)
    times = Counter(row["crd"] for row in world.settled().values())
    again = sum(n - 1 for n in times.values()) / times.total()
    assert again == pytest.approx(0.037, abs=0.025)


def test_a_small_world_does_not_run_out_of_advisors(tmp_path: Path) -> None:
    write_world(tmp_path / "feed", WorldSpec(reps=50, leads=60, quarters=1))
    summary = play(tmp_path / "feed", PlayRequest(weeks=3, weekly_leads=80))
    assert summary.leads >= 240


def test_a_world_that_is_written_anew_was_never_played(world: Played) -> None:
    world.play()
    write_world(world.feed, WorldSpec(reps=80, leads=60, quarters=1))
    assert not (world.feed / "Dials.csv").exists()
    assert not list(world.truth.glob("played*"))
    assert world.play().week == 1


@pytest.mark.parametrize("lost", ["spec.json", "history.csv", None])
def test_a_folder_without_its_truth_is_refused(lost: str | None, world: Played, tmp_path: Path) -> None:
    if lost is None:
        shutil.rmtree(world.truth)
    else:
        (world.truth / lost).unlink()
    before = world.said()
    with pytest.raises(UsageError, match="does not hold the truth of a sample world"):
        world.play()
    assert world.said() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"weeks": 0}, {"adoption": 1.01}, {"adoption": float("nan")}, {"capacity_share": 0.0}, {"capacity_share": 1.5},
        {"weekly_leads": 0}, {"weekly_leads": 10**6},
    ],
)  # fmt: skip
def test_a_request_that_makes_no_week_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        PlayRequest(**wrong)
