"""The queue under capacity: half of it to each arm, in the published order, and what associates do instead."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.sample_world import true_lift
from tests.sample_world.feeds import Row, read
from tests.sample_world.playing import CAPACITY, Played


def offered(queue_file: list[Row], arm: str) -> list[str]:
    rows = sorted((row for row in queue_file if row["arm"] == arm), key=lambda row: int(row["position"]))
    return [row["Id"] for row in rows]


def best_first(world: Played) -> Path:
    """The queue of a model that knows the truth."""
    settled = world.settled()
    return world.publish(lambda lead: -float(settled[lead["Id"]]["probability"]))


def test_each_arm_is_dialled_in_its_order_with_half_of_the_capacity(world: Played) -> None:
    queue = world.publish(lambda lead: lead["Id"][::-1])
    world.play(queue=queue, adoption=1.0)
    dials = world.dials()
    assert len(dials) == CAPACITY
    for arm, word in (("treatment", "model"), ("control", "usual")):
        expected = offered(read(queue), arm)[: CAPACITY // 2]
        assert [row["Id"] for row in dials if row["queue"] == word] == expected
    for row in read(world.feed / "Associates.csv"):
        mine = [dial["queue"] for dial in dials if dial["associate"] == row["associate"]]
        assert Counter(mine) == {word: int(row["weekly_capacity"]) // 2 for word in ("model", "usual")}


def test_an_arm_with_few_leads_does_not_take_the_others_share(world: Played) -> None:
    queue = world.publish()
    lines = queue.read_text().splitlines()
    kept = [line for line in lines[1:] if ",control," in line or int(line.split(",")[2]) <= 3]
    queue.write_text("\n".join([lines[0], *kept]) + "\n")
    world.play(queue=queue, adoption=1.0)
    assert Counter(row["queue"] for row in world.dials()) == {"model": 3, "usual": CAPACITY // 2}


def test_what_is_beyond_the_capacity_is_never_dialled(world: Played) -> None:
    queue = world.publish()
    world.play(queue=queue, adoption=1.0)
    dialled = {row["Id"] for row in world.dials()}
    left = {row["Id"] for row in read(queue)} - dialled
    assert left
    world.play(weeks=5)
    assert not left & {row["Id"] for row in world.dials()}
    assert len({row["Id"] for row in world.dials()}) == len(world.dials()) == 6 * CAPACITY


def test_associates_who_do_not_follow_take_another_lead_of_the_arm(world: Played) -> None:
    own = total = 0
    for _ in range(6):
        queue = world.publish()
        treatment = offered(read(queue), "treatment")
        before = len(world.dials())
        world.play(queue=queue, adoption=0.7)
        dials = [row for row in world.dials() if row["queue"] in {"model", "own"}][-(CAPACITY // 2) :]
        assert len(world.dials()) - before == CAPACITY
        left = list(treatment)
        for dial in dials:  # the next of the list is dialled exactly when the associate follows it
            assert (left[0] == dial["Id"]) == (dial["queue"] == "model")
            left.remove(dial["Id"])
        own += sum(row["queue"] == "own" for row in dials)
        total += len(dials)
    assert own / total == pytest.approx(0.3, abs=4 * (0.21 / total) ** 0.5)


@pytest.mark.parametrize(("adoption", "words"), [(1.0, {"model", "usual"}), (0.0, {"model", "own", "usual"})])
def test_adoption_at_its_ends(adoption: float, words: set[str], world: Played) -> None:
    world.play(queue=world.publish(), adoption=adoption)
    assert {row["queue"] for row in world.dials()} <= words


def test_a_null_world_deals_both_arms_a_random_queue(world: Played) -> None:
    """Positions tell nothing of who is dialled, in either arm, and the best queue is no help."""
    queue = best_first(world)
    twin = world.copy("twin")
    world.play(queue=queue, adoption=1.0)
    twin.play(queue=queue, adoption=1.0, null=True)
    honest, null = true_lift(world.truth), true_lift(twin.truth)
    assert null.treatment < 0.8 * honest.treatment
    assert null.full_adoption == pytest.approx(null.lift)
    for arm in ("treatment", "control"):
        rows = [row for row in twin.queued() if row["arm"] == arm]
        positions = np.array([int(row["position"]) for row in rows if row["dialled"] == "1"])
        n = len(rows)
        spread = np.sqrt((n**2 - 1) / 12 / len(positions) * (n - len(positions)) / (n - 1))
        assert abs(positions.mean() - (n + 1) / 2) < 4 * spread
        assert positions.max() > CAPACITY // 2
    assert Counter(row["queue"] for row in twin.dials()) == {"model": CAPACITY // 2, "usual": CAPACITY // 2}


def test_the_true_lift_is_that_of_the_leads_dialled(world: Played) -> None:
    for _ in range(2):
        world.play(queue=best_first(world), adoption=0.6)
    settled, arm = world.settled(), {row["Id"]: row["arm"] for row in world.queued()}
    chances: dict[str, list[float]] = {"treatment": [], "control": []}
    for dial in world.dials():
        chances[arm[dial["Id"]]].append(float(settled[dial["Id"]]["probability"]))
    lift = true_lift(world.truth)
    assert lift.dials == {name: len(values) for name, values in chances.items()}
    assert lift.treatment == pytest.approx(np.mean(chances["treatment"]), rel=1e-12)
    assert lift.control == pytest.approx(np.mean(chances["control"]), rel=1e-12)
    assert lift.lift == pytest.approx(np.mean(chances["treatment"]) / np.mean(chances["control"]) - 1)
    followed = []
    for week in (2, 3):
        rows = [row for row in world.queued() if row["arm"] == "treatment" and row["week"] == str(week)]
        rows.sort(key=lambda row: int(row["position"]))
        followed += [float(settled[row["Id"]]["probability"]) for row in rows[: CAPACITY // 2]]
    assert lift.full_adoption == pytest.approx(np.mean(followed) / lift.control - 1)
    assert lift.full_adoption > lift.lift


def test_without_an_experiment_there_is_no_lift(written_world: Played, world: Played) -> None:
    with pytest.raises(UsageError, match="knows of no played week"):
        true_lift(written_world.truth)
    world.play()
    with pytest.raises(UsageError, match="no lead of the treatment arm was dialled"):
        true_lift(world.truth)
