"""The guard: a step starts only when every step before it holds, by its latest attempt and today's thresholds."""

from __future__ import annotations

import pytest

from leadscore_v6.errors import GateBlocked, InputError, UsageError
from leadscore_v6.gates.decisions import withdraw
from leadscore_v6.gates.guard import find_obstacles, guard
from leadscore_v6.gates.steps import STEPS, ancestors
from tests.gates.conftest import KEY, OTHER_KEY, Lab, with_build

PROMOTED, STAGING, FIRMS = "v_latest_training_dataset_v6", "step_3_1_staging_join_v6", "snapshot_firms"


def obstacles(lab: Lab, asset: str, partition: str | None = None) -> list[str]:
    return list(map(str, find_obstacles(lab.bench().ledger, asset, partition)))


def test_when_everything_holds_everything_may_start(lab: Lab) -> None:
    lab.run()
    ledger = lab.bench().ledger
    built = {PROMOTED, *(step.asset for step in ancestors(PROMOTED))}
    may_start = {asset for asset, step in STEPS.items() if built >= set(step.before)}
    assert may_start >= {*built, "trained_model"}
    for asset in may_start:
        guard(ledger, asset, KEY if STEPS[asset].partitioned else None)


def test_a_step_that_was_never_built_counts_as_failed(lab: Lab) -> None:
    lab.attempt("snapshot_reps_raw", KEY)
    assert obstacles(lab, FIRMS, KEY) == [
        f"snapshot_reps[{KEY}]: never built; a gate that was never judged counts as failed"
    ]
    with pytest.raises(GateBlocked, match=f"snapshot_reps\\[{KEY}\\]: never built"):
        guard(lab.bench().ledger, FIRMS, KEY)


def test_without_a_snapshot_there_is_nothing_to_make_a_set_from(lab: Lab) -> None:
    lab.attempt("crm_leads")
    with pytest.raises(UsageError, match="at least one snapshot"):
        guard(lab.bench().ledger, STAGING, None)


def test_a_failure_blocks_to_the_far_end_and_says_what_failed(lab: Lab) -> None:
    lab.run()
    failed = lab.attempt("snapshot_reps", KEY, "b", loss=0.5).attempt
    told = f"snapshot_reps[{KEY}], attempt {failed.key}: reps_losses (step 1.5): loss 0.5; must be <= 0.01"
    following = ["snapshot_schemas", "v_discovery_reps_all_vintages", STAGING, "step_3_3_training_dataset_v6", PROMOTED]
    for asset in following:
        assert obstacles(lab, asset) == [told]
    assert obstacles(lab, FIRMS, KEY) == [told]
    # Not before it, not beside it.
    assert obstacles(lab, "snapshot_reps", KEY) == obstacles(lab, FIRMS, OTHER_KEY) == obstacles(lab, "crm_leads") == []


def test_the_latest_attempt_counts_although_an_older_table_is_served(lab: Lab) -> None:
    lab.run()
    assert lab.content(f"snapshot_reps_{KEY}") == "a"
    lab.attempt("snapshot_reps", KEY, "b", loss=0.5)
    assert lab.content(f"snapshot_reps_{KEY}") == "a"
    assert len(obstacles(lab, PROMOTED)) == 1
    # The file of before is put back: what it gave is served still, and is the latest attempt again.
    assert lab.attempt("snapshot_reps", KEY, "a").recognised
    assert obstacles(lab, PROMOTED) == []


def test_every_registered_snapshot_counts_for_a_fan_in(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps_raw", "20240630")
    assert obstacles(lab, "snapshot_schemas") == [
        f"{asset}[20240630]: never built; a gate that was never judged counts as failed"
        for asset in ("snapshot_reps", FIRMS)
    ]


def test_an_unfinished_and_a_refused_attempt_block(lab: Lab) -> None:
    lab.run()
    work = lab.work("snapshot_reps", KEY, "b")

    def killed(candidates: object) -> dict[str, object]:
        raise KeyboardInterrupt

    def unreadable(candidates: object) -> dict[str, object]:
        raise InputError("A record has 5 fields where the header has 4", row=7)

    with pytest.raises(KeyboardInterrupt):
        lab.bench().attempt(with_build(work, killed))
    assert [line.split(": ", 1)[1] for line in obstacles(lab, PROMOTED)] == ["did not end; run it again"]
    with pytest.raises(InputError):
        lab.bench().attempt(with_build(work, unreadable))
    (told,) = obstacles(lab, PROMOTED)
    assert told.endswith("its input was refused: A record has 5 fields where the header has 4 (row 7)")


def test_a_stricter_threshold_blocks_what_was_published_and_a_milder_one_lets_it_go(lab: Lab) -> None:
    lab.run()
    lab.change_gates("value: 0.01}", "value: 0.0005}")
    told = obstacles(lab, PROMOTED)
    assert [line.split(": ", 1)[1] for line in told] == [
        "reps_losses (step 1.5): loss 0.001; must be <= 0.0005",
    ] * 2
    lab.change_gates("value: 0.0005}", "value: 0.001}")
    assert obstacles(lab, PROMOTED) == []


def test_a_milder_threshold_does_not_publish_by_itself(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps", KEY, "b", loss=0.5)
    lab.change_gates("value: 0.01}", "value: 0.6}")
    (told,) = obstacles(lab, PROMOTED)
    assert "its gates hold now, and it is not published yet; run it again" in told
    lab.built.clear()
    assert lab.attempt("snapshot_reps", KEY, "b", loss=0.5).recognised
    assert lab.built == []
    assert lab.content(f"snapshot_reps_{KEY}") == "b"
    assert all("another content since" in told for told in obstacles(lab, PROMOTED))
    lab.run(snapshot_reps="b")
    assert obstacles(lab, PROMOTED) == []


def test_a_new_gate_that_nobody_judged_blocks(lab: Lab) -> None:
    lab.run()
    with lab.gates.open("a") as file:
        file.write("  - {name: reps_new, step: '1.5', asset: snapshot_reps, says: N., figure: new, op: '==', value: 0}")
    told = obstacles(lab, FIRMS, KEY)
    assert [line.split(": ", 1)[1] for line in told] == ["reps_new (step 1.5): new not measured; must be == 0"]


def test_a_table_made_from_a_withdrawn_file_is_not_built_upon(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps_raw", KEY, "b")
    withdraw(lab.bench(), f"RIARepDataFeed_{KEY}.csv", "")
    (told,) = obstacles(lab, "snapshot_reps", KEY)
    assert told.endswith("its table was made from another input; run it again")
    lab.attempt("snapshot_reps_raw", KEY, "a")
    assert obstacles(lab, "snapshot_reps", KEY) == []


# --- what was built from something older ------------------------------------------------------------------------


def test_a_step_does_not_start_on_what_was_built_before_a_correction(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps_raw", KEY, "b")
    told = "a step before it has another content since; run it again"
    assert obstacles(lab, FIRMS, OTHER_KEY) == []
    with pytest.raises(GateBlocked, match=told):
        lab.attempt(FIRMS, KEY, "b")
    for step in ("snapshot_schemas", STAGING, PROMOTED):
        with pytest.raises(GateBlocked, match=told):
            lab.attempt(step)
    lab.attempt("snapshot_reps", KEY, "b")
    lab.attempt(FIRMS, KEY, "b")
    with pytest.raises(GateBlocked, match=rf"v_discovery_reps_all_vintages, attempt \w+: {told}"):
        lab.attempt(STAGING, content="b")


def test_a_new_snapshot_must_be_in_the_views_before_anything_is_joined_to_them(lab: Lab) -> None:
    lab.run()
    for asset in ("snapshot_reps_raw", "snapshot_reps", FIRMS):
        lab.attempt(asset, "20240630")
    assert obstacles(lab, "snapshot_schemas") == []
    assert len(obstacles(lab, STAGING)) == 3


def test_a_correction_put_back_leaves_nothing_outdated(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps_raw", KEY, "b")
    lab.attempt("snapshot_reps_raw", KEY, "a")
    assert obstacles(lab, PROMOTED) == []
