"""Planted changes: each is found in the files where it would be in life, from its day on, and only there."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world import PlayRequest, WorldSpec, play, write_world
from leadscore_v6.sample_world.drift import Drift, in_force
from tests.sample_world.feeds import Feeds, Row, auc, crd, number, read
from tests.sample_world.playing import Played, day

DAY = date(2025, 11, 18)


@pytest.mark.parametrize(
    ("text", "drift"),
    [
        ("shift", Drift(DAY, "shift", 0.8)),
        ("missingness:0.4", Drift(DAY, "missingness", 0.4)),
        ("base-rate:0.5@2026-01-04", Drift(date(2026, 1, 4), "base-rate", 0.5)),
        ("quiet@2026-01-04", Drift(date(2026, 1, 4), "quiet", 0.0)),
    ],
)
def test_a_drift_is_written_as_kind_strength_day(text: str, drift: Drift) -> None:
    assert Drift.parse(text, DAY) == drift


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("earthquake", "no kind of drift is called 'earthquake'; there are shift, missingness"),
        ("shift:lots", "write KIND"),
        ("shift:nan", "lies between"),
        ("shift@04.01.2026", "write KIND"),
        ("missingness:1.0", "the strength of missingness lies between 0 and 0.95"),
        ("base-rate:0", "lies between 0.05 and 20"),
        ("quiet:1", "the strength of quiet"),
    ],
)
def test_another_text_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Drift.parse(text, DAY)


def test_the_newest_of_each_kind_acts_until_it_is_quiet() -> None:
    first, second, end = date(2025, 12, 1), date(2025, 12, 9), date(2026, 1, 6)
    drifts = [
        Drift(second, "shift", 0.2), Drift(first, "shift", 1.0), Drift(first, "concept", 1.0),
        Drift(end, "shift", 0.5), Drift(end, "quiet", 0.0),
    ]  # fmt: skip
    assert in_force(drifts, date(2025, 11, 30)) == {}
    assert in_force(drifts, first) == {"shift": 1.0, "concept": 1.0}
    assert in_force(drifts, second) == {"shift": 0.2, "concept": 1.0}
    assert in_force(drifts, end) == {"shift": 0.5}


def known(world: Played, feeds: Feeds) -> list[tuple[Row, Row]]:
    """Leads of the played weeks that match, each with its row of the feed."""
    found = [(row, feeds.at(int(row["crd"]), day(row["contact_date"]))) for row in world.settled().values()]
    return [(row, match[1]) for row, match in found if match]


def test_a_shift_moves_those_who_arrive_by_standard_deviations_from_its_day_on(world: Played) -> None:
    """In mid-week, in normal scores among the leads before: the mean moves by the strength."""
    world.play(weeks=2, weekly_leads=250, drifts=("shift:0.8@2025-11-20",))
    feeds = Feeds.of(world.feed)
    years: dict[bool, list[float]] = {False: [], True: []}
    for row, match in known(world, feeds):
        years[row["contact_date"] >= "2025-11-20"].append(number(match["DateBecameRep_NumberOfYears"]))
    before, after = (np.array([y for y in years[late] if not math.isnan(y)]) for late in (False, True))
    rank = (np.searchsorted(np.sort(before), after) + 0.5) / (len(before) + 1)
    scores = [NormalDist().inv_cdf(r) for r in rank]
    assert np.mean(scores) == pytest.approx(0.8, abs=0.2)
    assert len(after) > 100


def test_missingness_comes_with_those_who_arrive_and_then_with_the_next_file(world: Played) -> None:
    world.play(weeks=2, drifts=("missingness:0.6",))
    world.play(weeks=8, snapshots=True)
    feeds = Feeds.of(world.feed)
    blank: dict[str, list[bool]] = {"before": [], "drawn": [], "filed": []}
    for row, match in known(world, feeds):
        when = {"1": "before", "2": "drawn", "3": "drawn"}.get(row["week"], "filed")
        if when != "filed" or row["rep_snapshot_at"] == "2026-01-04":
            blank[when].append(match["PriorFirm1_NumberOfYears"] == "")
    share = {when: sum(values) / len(values) for when, values in blank.items()}
    assert share["before"] < 0.3
    assert share["drawn"] > 0.45
    assert share["filed"] > 0.6
    newest, eighth = feeds.rows[date(2026, 1, 4)], feeds.rows[date(2025, 10, 5)]
    missing = [sum(row["PriorFirm1_NumberOfYears"] == "" for row in rows) / len(rows) for rows in (eighth, newest)]
    assert missing[1] == pytest.approx(missing[0] + 0.6 * (1 - missing[0]), abs=0.04)
    assert all(not row["PriorFirm1_FirmCRD"] for row in newest if not row["PriorFirm1_NumberOfYears"])


def test_a_new_category_comes_with_the_next_file(world: Played) -> None:
    world.play(weeks=10, snapshots=True, drifts=("new-category:0.2@2025-12-25",))
    states = {when: Counter(row["Office_State"] for row in rows) for when, rows in Feeds.of(world.feed).rows.items()}
    assert all("GU" not in counts for when, counts in states.items() if when < date(2025, 12, 25))
    newest = states[date(2026, 1, 4)]
    assert newest["GU"] / newest.total() == pytest.approx(0.2, abs=0.03)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Row]]:
    """The same weeks of a larger world under no drift, another concept, and other odds."""
    feed = tmp_path_factory.mktemp("answers") / "feed"
    write_world(feed, WorldSpec(reps=5_000, leads=5_000, quarters=1, seed=5))
    found = {}
    for name, drifts in {"none": (), "quiet": ("quiet",), "concept": ("concept",), "odds": ("base-rate:2",)}.items():
        twin = Played(feed).copy(name)
        play(twin.feed, PlayRequest(weeks=2, weekly_leads=1_800, drifts=drifts))
        found[name] = twin.settled()
    return found


def chances(rows: dict[str, Row]) -> list[float]:
    return [float(row["probability"]) for row in rows.values()]


def test_another_concept_turns_the_old_one_over_and_leaves_the_rate(answers: dict[str, dict[str, Row]]) -> None:
    old, new = chances(answers["none"]), chances(answers["concept"])
    rng = np.random.default_rng(1)
    labels = [int(draw < p) for draw, p in zip(rng.random(len(new)), new, strict=True)]
    assert auc(new, labels) > 0.83
    assert auc(old, labels) < 0.55
    assert np.mean(new) / np.mean(old) == pytest.approx(1.0, abs=0.25)


def test_a_base_rate_multiplies_everybodys_odds(answers: dict[str, dict[str, Row]]) -> None:
    old, new = chances(answers["none"]), chances(answers["odds"])
    for before, after in zip(old, new, strict=True):
        assert after / (1 - after) == pytest.approx(2 * before / (1 - before), rel=1e-9)


def test_drift_of_answers_leaves_who_arrives_and_each_leads_luck(answers: dict[str, dict[str, Row]]) -> None:
    for name in ("concept", "odds"):
        for key, row in answers["none"].items():
            same = {"probability", "days"}
            assert {k: v for k, v in answers[name][key].items() if k not in same} == {
                k: v for k, v in row.items() if k not in same
            }
    converted = [
        {key for key, row in answers[name].items() if row["draw"] < row["probability"]} for name in ("none", "odds")
    ]
    assert converted[0] < converted[1] or len(converted[0] - converted[1]) == 0


def test_quiet_is_nothing(answers: dict[str, dict[str, Row]]) -> None:
    assert answers["quiet"] == answers["none"]


def test_a_drift_stays_until_it_is_ended_and_cannot_change_the_past(world: Played) -> None:
    world.play(drifts=("base-rate:10",))
    world.play()
    world.play(drifts=("quiet",))
    mean: dict[str, float] = {}
    for week in ("1", "2", "3", "4"):
        mean[week] = float(np.mean([float(r["probability"]) for r in world.settled().values() if r["week"] == week]))
    assert min(mean["2"], mean["3"]) > 3 * max(mean["1"], mean["4"])
    before = world.digests()
    with pytest.raises(UsageError, match="2025-12-02 is the first day"):
        world.play(drifts=("shift@2025-12-01",))
    with pytest.raises(UsageError, match="no kind of drift"):
        world.play(drifts=("shfit",))
    assert world.digests() == before


def test_a_drift_is_no_secret_to_the_truth_folder_alone(world: Played) -> None:
    world.play(drifts=("shift:0.5@2025-11-12",))
    assert '"shift"' in (world.truth / "played.json").read_text(encoding="utf-8")
    files: list[Path] = list(world.feed.iterdir())
    assert not any("shift" in path.read_text(encoding="utf-8") for path in files)
    assert all(crd(row["FA_CRD__c"]) for row in read(world.feed / "Dials.csv"))
