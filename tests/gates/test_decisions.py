"""What a person may decide, and what not: waivers, withdrawals, rollbacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates.decisions import Waiver, rollback, rolled_back_from, undo_withdrawal, waive, withdraw
from leadscore_v6.gates.guard import find_obstacles
from leadscore_v6.gates.ledger import Attempt
from leadscore_v6.warehouse.protocol import Warehouse
from tests.gates.conftest import KEY, OTHER_KEY, PROMOTED, STAGING, TODAY, TRAINING, Lab

FILE = f"RIARepDataFeed_{KEY}.csv"

# --- waive ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"gate": "leads_enoug"}, "no gate named 'leads_enoug'. Did you mean leads_enough"),
        ({"gate": "raw_rows"}, "raw_rows is a gate of snapshot_reps_raw"),
        ({"gate": "leads_complete"}, "leads_complete cannot be waived by anyone"),
        ({"gate": "leads_fresh"}, "leads_fresh stops nothing"),
        ({"attempt": "0123456789ab"}, "no attempt '0123456789ab'"),
        ({"by": " "}, "needs a name"),
        ({"reason": ""}, "needs a name .* and a reason"),
        ({"expires": TODAY - timedelta(days=1)}, "expired on 2026-01-04 already"),
    ],
)
def test_what_cannot_be_waived(lab: Lab, changed: dict[str, object], says: str) -> None:
    failed = lab.attempt("crm_leads", leads=9, lost=1, age=30).attempt
    waiver = Waiver("leads_enough", failed.key, "Ann", "pilot", TODAY)
    with pytest.raises(UsageError, match=says):
        waive(lab.bench(), replace(waiver, **changed))
    assert lab.bench().ledger.attempts[failed.key].waivers == {}


def test_a_gate_that_passed_needs_no_waiver(lab: Lab) -> None:
    passed = lab.attempt("crm_leads").attempt
    with pytest.raises(UsageError, match="there is nothing to waive"):
        waive(lab.bench(), Waiver("leads_enough", passed.key, "Ann", "pilot", TODAY))


def test_a_waiver_holds_until_its_last_day_then_the_gate_holds_again(lab: Lab) -> None:
    lab.run()
    failed = lab.attempt("snapshot_reps", KEY, "b", loss=0.5).attempt
    waive(lab.bench(), Waiver("reps_losses", failed.key, " Ann ", " known loss ", TODAY + timedelta(days=7)))
    lab.run(snapshot_reps="b")
    assert lab.content(f"snapshot_reps_{KEY}") == "b"
    (kept,) = lab.bench().ledger.attempts[failed.key].waivers.values()
    assert (kept["by"], kept["reason"], kept["expires"]) == ("Ann", "known loss", "2026-01-12")
    assert find_obstacles(lab.bench().ledger, PROMOTED, None) == []
    lab.today = TODAY + timedelta(days=8)
    (obstacle,) = find_obstacles(lab.bench().ledger, PROMOTED, None)
    assert "reps_losses" in str(obstacle)
    with pytest.raises(GateBlocked, match="reps_losses"):
        lab.bench().attempt(lab.work(STAGING), rebuild=True)
    # Who reads the promoted view is not affected.
    assert lab.content(PROMOTED) == "a"


def test_a_waiver_is_for_one_attempt(lab: Lab) -> None:
    failed = lab.attempt("crm_leads", content="b", leads=9).attempt
    waive(lab.bench(), Waiver("leads_enough", failed.key, "Ann", "pilot", TODAY))
    assert [verdict.gate.name for verdict in lab.attempt("crm_leads", content="c", leads=9).blocking] == [
        "leads_enough"
    ]
    rebuilt = lab.bench().attempt(lab.work("crm_leads", content="b", leads=9), rebuild=True)
    assert [verdict.gate.name for verdict in rebuilt.blocking] == ["leads_enough"]


# --- withdraw -------------------------------------------------------------------------------------------------------


def test_a_bad_correction_withdrawn_the_earlier_file_serves_again(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps_raw", KEY, "b")
    lab.attempt("snapshot_reps", KEY, "b", loss=0.5)
    assert [found.asset for found in find_obstacles(lab.bench().ledger, PROMOTED, None)] == ["snapshot_reps"]
    set_aside = withdraw(lab.bench(), FILE, "columns shifted")
    # What was published from it, and what failed.
    assert [line.split()[0] for line in set_aside.attempts] == ["snapshot_reps_raw", "snapshot_reps"]
    ledger = lab.bench().ledger
    assert ledger.snapshots() == [KEY, OTHER_KEY]
    assert ledger.latest("snapshot_reps_raw", KEY).source == "digest of a"
    assert lab.content(f"snapshot_reps_raw_{KEY}") == "b"
    lab.run()
    assert lab.content(f"snapshot_reps_raw_{KEY}") == "a"
    assert find_obstacles(lab.bench().ledger, PROMOTED, None) == []
    assert lab.bench().ledger.withdrawals[0].reason == "columns shifted"


def test_without_another_file_the_snapshot_is_no_longer_registered(lab: Lab) -> None:
    lab.run()
    withdraw(lab.bench(), FILE, "")
    ledger = lab.bench().ledger
    assert ledger.snapshots() == [OTHER_KEY]
    assert not any(found.partition == KEY for found in find_obstacles(ledger, PROMOTED, None))
    with pytest.raises(UsageError, match=f"No input '{FILE}' is in use"):
        withdraw(lab.bench(), FILE, "")


def landed(lab: Lab, content: str) -> None:
    """A file that was landed, and whose raw table was published."""
    facts = {"digest": f"digest of {content}", "fingerprint": content}
    lab.bench().record("landed", Attempt("", "snapshot_reps_raw", KEY, None, ""), facts)
    lab.attempt("snapshot_reps_raw", KEY, content)


def test_it_is_said_which_file_was_taken_back_and_what_serves_instead(lab: Lab) -> None:
    for content in "ab":
        landed(lab, content)
        lab.today += timedelta(days=1)
    change = withdraw(lab.bench(), FILE, "")
    assert change.file == "the file landed on 2026-01-06 10:30 (SHA-256 digest of b…)"
    assert "builds from the file landed on 2026-01-05 10:30 (SHA-256 digest of a…)" in change.serves
    assert "no longer registered" in withdraw(lab.bench(), FILE, "", "digest of a").serves


def test_a_command_given_twice_takes_one_file_back(lab: Lab) -> None:
    for content in "ab":
        landed(lab, content)
    withdraw(lab.bench(), FILE, "")
    with pytest.raises(UsageError, match=r"withdrawn already.*--undo.*landed on .*digest of a.*--sha256 digest of a"):
        withdraw(lab.bench(), FILE, "")
    assert lab.bench().ledger.latest("snapshot_reps_raw", KEY).source == "digest of a"
    with pytest.raises(UsageError, match=r"in use; those in use:\n  the file landed on 2026-01-0\d .*digest of a…"):
        withdraw(lab.bench(), FILE, "", "digest of b")
    withdraw(lab.bench(), FILE, "", "digest of a")
    assert lab.bench().ledger.snapshots() == []


def test_a_withdrawal_is_undone(lab: Lab) -> None:
    lab.run()
    lab.attempt("snapshot_reps", KEY, "b", loss=0.5)
    before = lab.bench().ledger
    set_aside = withdraw(lab.bench(), FILE, "by mistake")
    change = undo_withdrawal(lab.bench(), FILE)
    assert change.attempts == set_aside.attempts
    ledger = lab.bench().ledger
    assert ledger.withdrawals == []
    assert ledger.snapshots() == before.snapshots()
    assert ledger.latest("snapshot_reps_raw", KEY).source == "digest of a"
    # What was set aside counts again as it was: the good with the bad.
    assert [found.asset for found in find_obstacles(ledger, PROMOTED, None)] == ["snapshot_reps"]
    with pytest.raises(UsageError, match=f"No '{FILE}' is withdrawn"):
        undo_withdrawal(lab.bench(), FILE)


def test_withdrawals_are_undone_newest_first(lab: Lab) -> None:
    for content in "ab":
        landed(lab, content)
    withdraw(lab.bench(), FILE, "")
    withdraw(lab.bench(), FILE, "", "digest of a")
    assert "digest of a" in undo_withdrawal(lab.bench(), FILE).file
    assert [taken.digest for taken in lab.bench().ledger.withdrawals] == ["digest of b"]
    assert "digest of b" in undo_withdrawal(lab.bench(), FILE).file
    assert lab.bench().ledger.latest("snapshot_reps_raw", KEY).source == "digest of b"


def test_an_extract_is_withdrawn_by_its_name_too(lab: Lab) -> None:
    lab.run()
    lab.attempt("crm_leads", content="b", leads=9)
    withdraw(lab.bench(), "Lead.csv", "")
    assert lab.bench().ledger.latest("crm_leads").source == "digest of a"
    assert find_obstacles(lab.bench().ledger, PROMOTED, None) == []


def test_a_refused_input_is_withdrawn_without_a_digest(lab: Lab) -> None:
    lab.run()
    lab.bench().refuse(("snapshot_reps_raw", KEY), "key", "ragged", {"fingerprint": "1-2-3"})
    assert len(find_obstacles(lab.bench().ledger, PROMOTED, None)) == 1
    withdraw(lab.bench(), FILE, "")
    assert find_obstacles(lab.bench().ledger, PROMOTED, None) == []
    assert lab.bench().ledger.withdrawals[0].fingerprint == "1-2-3"


@pytest.mark.parametrize("name", ["Leads.csv", "RIARepDataFeed_2024Q1.csv", "RIARepDataFeed_2024107.csv", "20240107"])
def test_what_is_no_inputs_name(lab: Lab, name: str) -> None:
    with pytest.raises(UsageError, match="is no input's name"):
        withdraw(lab.bench(), name, "")


# --- rollback -------------------------------------------------------------------------------------------------------


def three_versions(lab: Lab) -> list[str]:
    """Promote contents a, b and c of the training set, each on a day of its own."""
    for content in "abc":
        lab.run(step_3_3_training_dataset_v6=content)
        lab.today += timedelta(days=1)
    return [f"202601{day:02}_1030" for day in (5, 6, 7)]


def served(lab: Lab) -> tuple[str, str]:
    """The version that the ledger names, and what the view gives."""
    return lab.bench().ledger.serving(f"LeadScoring.{PROMOTED}").facts["promoted_version"], lab.content(PROMOTED)


def test_a_rollback_serves_the_earlier_version_at_once_and_keeps_serving_it(lab: Lab) -> None:
    first, _, last = three_versions(lab)
    assert served(lab) == (last, "c")
    assert rollback(lab.bench(), first, "Ann") == (last, first)
    assert served(lab) == (first, "a")
    assert rolled_back_from(lab.bench().ledger, last) == first
    # What the asset does when it runs again: it is taken for what is served.
    pinned = replace(lab.work(PROMOTED), same_as=lab.bench().ledger.latest(PROMOTED).content_key)
    assert lab.bench().attempt(pinned).recognised
    assert served(lab) == (first, "a")
    assert rolled_back_from(lab.bench().ledger, last) == first


def test_building_again_does_not_undo_a_rollback(lab: Lab) -> None:
    first, _, last = three_versions(lab)
    rollback(lab.bench(), first, "Ann")
    pinned = replace(lab.work(PROMOTED), same_as=lab.bench().ledger.latest(PROMOTED).content_key)
    assert lab.bench().attempt(pinned, rebuild=True).recognised
    assert served(lab) == (first, "a")
    assert rolled_back_from(lab.bench().ledger, last) == first


def test_what_was_rolled_back_to_is_not_outdated(lab: Lab) -> None:
    first, _, _ = three_versions(lab)
    ledger = lab.bench().ledger
    earlier = next(a for a in ledger.attempts.values() if a.facts.get("promoted_version") == first)
    assert ledger.outdated(earlier)
    rollback(lab.bench(), first, "Ann")
    ledger = lab.bench().ledger
    assert not ledger.outdated(ledger.latest(PROMOTED))


def test_rollbacks_in_a_row_leave_none_of_the_later_versions_to_be_served(lab: Lab) -> None:
    first, second, last = three_versions(lab)
    rollback(lab.bench(), second, "Ann")
    rollback(lab.bench(), first, "Ann")
    ledger = lab.bench().ledger
    assert served(lab) == (first, "a")
    assert {version: rolled_back_from(ledger, version) for version in (first, second, last)} == {
        first: None,
        second: first,
        last: first,
    }


def test_a_version_built_later_is_served_again(lab: Lab) -> None:
    first, _, _ = three_versions(lab)
    rollback(lab.bench(), first, "Ann")
    lab.attempt(TRAINING, content="d")
    newest = lab.bench().ledger.latest(TRAINING).version
    assert rolled_back_from(lab.bench().ledger, newest) is None
    lab.attempt(PROMOTED)
    assert served(lab) == (newest, "d")


def test_a_rollback_can_be_taken_back(lab: Lab) -> None:
    first, _, last = three_versions(lab)
    rollback(lab.bench(), first, "Ann")
    assert rollback(lab.bench(), last, "Ann") == (first, last)
    assert served(lab) == (last, "c")
    assert rolled_back_from(lab.bench().ledger, last) is None


def test_what_cannot_be_rolled_back_to(lab: Lab) -> None:
    first, _, last = three_versions(lab)
    with pytest.raises(UsageError, match=f"'20250101_0000' was never promoted; promoted so far: {first}, "):
        rollback(lab.bench(), "20250101_0000", "Ann")
    with pytest.raises(UsageError, match=f"{last} is what the view serves already"):
        rollback(lab.bench(), last, "Ann")
    lab.warehouse.drop(f"LeadScoring.{TRAINING}_{first}")
    with pytest.raises(UsageError, match=f"The table of version {first} is gone"):
        rollback(lab.bench(), first, "Ann")
    assert served(lab) == (last, "c")


class NoCommit:
    """A warehouse whose disk is full when a transaction is to be committed."""

    def __init__(self, honest: Warehouse) -> None:
        self._honest, self._depth = honest, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._honest, name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._honest.transaction():
            self._depth += 1
            yield
            self._depth -= 1
            if self._depth == 0:
                raise OSError("No space left on device")


def test_a_rollback_that_is_not_committed_is_told_to_nobody(lab: Lab) -> None:
    first, _, last = three_versions(lab)
    bench, mirror = lab.bench(), lab.settings.ledger_mirror.read_bytes()
    bench.warehouse = cast("Warehouse", NoCommit(lab.warehouse))
    with pytest.raises(OSError, match="No space"):
        rollback(bench, first, "Ann")
    assert lab.settings.ledger_mirror.read_bytes() == mirror
    assert bench.ledger.rollbacks == []
    assert served(lab) == (last, "c")
