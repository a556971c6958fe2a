"""What a person may decide against or after a gate: waive it once, withdraw an input, roll the promoted view back.

Belongs here: the rules of these decisions. Each is written to the ledger with who and why; none changes a figure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.extract import LEADS
from leadscore_v6.gates.ledger import Attempt, Ledger, Place
from leadscore_v6.warehouse.landing import CRM_FILES

PROMOTED = "v_latest_training_dataset_v6"
TRAINING = "step_3_3_training_dataset_v6"


@dataclass(frozen=True)
class Waiver:
    """One gate of one attempt, waved through by a person until a day (R32)."""

    gate: str
    attempt: str
    by: str
    reason: str
    expires: date


def waive(bench: Bench, waiver: Waiver) -> Attempt:
    """Record a waiver; the next run publishes exactly what was judged.

    Raises UsageError: no such gate or attempt, a gate of another asset, one that did not fail, one that no human may
    waive (R38), a name or reason left empty, an expiry that has passed.
    """
    gate = bench.ledger.gates[waiver.gate]
    attempt = bench.ledger.attempts.get(waiver.attempt)
    if attempt is None:
        raise UsageError(f"There is no attempt {waiver.attempt!r}; `leadscore status` shows the keys.")
    if gate.asset != attempt.asset:
        raise UsageError(f"{gate.name} is a gate of {gate.asset}; attempt {attempt.key} is one at {attempt.asset}.")
    if not gate.waivable:
        raise UsageError(f"{gate.name} cannot be waived by anyone: {gate.says} Mend the data, or withdraw the file.")
    if not any(verdict.gate.name == gate.name and verdict.blocks for verdict in bench.ledger.verdicts(attempt)):
        raise UsageError(f"{gate.name} stops nothing in attempt {attempt.key}; there is nothing to waive.")
    if not waiver.by.strip() or not waiver.reason.strip():
        raise UsageError("A waiver needs a name (--by) and a reason (--reason).")
    if waiver.expires < bench.ledger.today:
        raise UsageError(f"The waiver would have expired on {waiver.expires} already.")
    payload = {
        "gate": gate.name,
        "by": waiver.by.strip(),
        "reason": waiver.reason.strip(),
        "expires": waiver.expires.isoformat(),
    }
    bench.record("waived", attempt, payload)
    return attempt


@dataclass(frozen=True)
class InputChange:
    """What a withdrawal did, or its undoing: to which input, to which attempts, and what the next run builds from."""

    file: str
    attempts: tuple[str, ...]
    serves: str


def withdraw(bench: Bench, file_name: str, reason: str, sha256: str = "") -> InputChange:
    """Take an input of that name back: attempts made from it no longer count (R38, R53).

    It is about one content at one place: under another date the same file is another input. Without `sha256` (or its
    first digits) it is the newest one that is in use. What was landed before it serves again at the next run; a
    snapshot without another file is no longer registered. Raises UsageError: no such input is in use; or the newest was
    withdrawn already, so that a command given twice does not take one file more.
    """
    place = _place(file_name)
    ledger = bench.ledger
    in_use = [attempt for attempt in ledger.attempts.values() if attempt.place == place and not attempt.withdrawn]
    if sha256:
        named = [attempt for attempt in in_use if attempt.source and attempt.source.startswith(sha256)]
        if len({attempt.source for attempt in named}) != 1:
            newest_of_each = {one.source: f"{_input(ledger, one)}{_of_day(one)}" for one in in_use if one.source}
            there = "".join(f"\n  {told}" for told in newest_of_each.values()) or " none"
            raise UsageError(f"--sha256 {sha256} is not one {file_name} that is in use; those in use:{there}")
        target = named[-1]
    else:
        target = _newest(ledger, place, file_name)
    digest = target.source
    attempts = [
        attempt
        for attempt in ledger.attempts.values()
        if attempt.partition == place[1]
        and not attempt.withdrawn
        and (attempt is target if digest is None else attempt.source == digest)
    ]
    payload = {
        "file_name": file_name,
        "digest": digest,
        "fingerprint": target.facts.get("fingerprint") if digest is None else None,
        "reason": reason,
        "attempts": [attempt.key for attempt in attempts],
    }
    told = _input(ledger, target)
    bench.record("withdrawn", Attempt("", *place, None, target.content_key), payload)
    return _change(bench, place, told, attempts)


def undo_withdrawal(bench: Bench, file_name: str) -> InputChange:
    """Take back the newest withdrawal of that name: its attempts count again. Raises UsageError if none is in force."""
    place = _place(file_name)
    ledger = bench.ledger
    in_force = [taken for taken in ledger.withdrawals if taken.place == place]
    if not in_force:
        raise UsageError(f"No {file_name!r} is withdrawn; there is nothing to undo.")
    attempts = [ledger.attempts[key] for key in in_force[-1].attempts]
    payload = {"withdrawal": in_force[-1].seq, "attempts": list(in_force[-1].attempts)}
    told = _input(ledger, attempts[0])
    bench.record("restored", Attempt("", *place, None, ""), payload)
    return _change(bench, place, told, attempts)


def _newest(ledger: Ledger, place: Place, file_name: str) -> Attempt:
    latest = ledger.latest(*place)
    withdrawn = [taken for taken in ledger.withdrawals if taken.place == place]
    before = f" It was withdrawn on {withdrawn[-1].at:%Y-%m-%d %H:%M}; --undo takes that back." if withdrawn else ""
    if latest is None:
        raise UsageError(f"No input {file_name!r} is in use; `leadscore status` lists what is.{before}")
    if withdrawn and withdrawn[-1].seq > latest.seq:
        raise UsageError(
            f"The newest {file_name} is withdrawn already.{before} What serves in its place is "
            f"{_input(ledger, latest)}; to withdraw that too: --sha256 {(latest.source or '')[:12]}."
        )
    return latest


def _input(ledger: Ledger, attempt: Attempt) -> str:
    landed = (facts for facts in ledger.landed.get(attempt.place, []) if facts["digest"] == attempt.source)
    return _told(attempt.source, next((facts["at"] for facts in landed), attempt.started_at))


def _of_day(attempt: Attempt) -> str:
    """The day that an extract of the CRM is of; empty of what has none, or could not tell it."""
    day = attempt.facts.get("crm_extracted_at")
    return f", an extract of {day}" if day else ""


def _told(digest: str | None, at: datetime | None) -> str:
    """An input as a person knows it again: by its content, and when it came."""
    if digest is None:
        return f"the file that was refused on {at:%Y-%m-%d %H:%M}"
    return f"the file landed on {at:%Y-%m-%d %H:%M} (SHA-256 {digest[:12]}…)"


def _change(bench: Bench, place: Place, told: str, attempts: Sequence[Attempt]) -> InputChange:
    latest, landed = bench.ledger.latest(*place), bench.ledger.usable(place)
    if latest is not None:
        left = (landed[-1]["digest"], landed[-1]["at"]) if landed else (latest.source, latest.started_at)
        how = " `leadscore score` is such a run." if place == (LEADS, None) else ""
        serves = f"Unless another one is delivered, the next run builds from {_told(*left)}.{how}"
    elif place[1] is None:
        serves = "No earlier one is left: the next run needs another one."
    else:
        serves = f"No earlier one is left: the snapshot {place[1]} is no longer registered."
    return InputChange(told, tuple(f"{attempt.asset} {attempt.key}" for attempt in attempts), serves)


def rollback(bench: Bench, version: str, by: str) -> tuple[str, str]:
    """Let the promoted view serve an earlier version that was promoted before; returns (from, to).

    It stays there until a version is built that is newer than the one rolled back from. Raises UsageError if that
    version was never promoted, is gone, or is served already.
    """
    ledger = bench.ledger
    served = ledger.serving(f"{bench.warehouse.dataset}.{PROMOTED}")
    known = {
        attempt.facts.get("promoted_version"): attempt
        for attempt in ledger.attempts.values()
        if attempt.asset == PROMOTED and attempt.state == "published"
    }
    target = known.get(version)
    if served is None or target is None:
        there = ", ".join(sorted(str(name) for name in known)) or "none"
        raise UsageError(f"Version {version!r} was never promoted; promoted so far: {there}.")
    before = str(served.facts["promoted_version"])
    if target.key == served.key:
        raise UsageError(f"Version {version} is what the view serves already.")
    table = f"{bench.warehouse.dataset}.{TRAINING}_{version}"
    if not bench.warehouse.exists(table):
        raise UsageError(f"The table of version {version} is gone; build it again with `leadscore run --rebuild`.")

    def serve() -> None:
        bench.warehouse.create_view(f"{bench.warehouse.dataset}.{PROMOTED}", f"SELECT * FROM `{table}`")

    bench.record("rolled_back", target, {"from": before, "to": version, "by": by}, serve)
    return before, version


def rolled_back_from(ledger: Ledger, version: str | None) -> str | None:
    """The version that is served instead, if the last decisions about the view were to roll `version` back.

    Decisions in a row count together: back from 3 to 2, then from 2 to 1, leaves neither 3 nor 2 to be served.
    """
    latest = ledger.latest(PROMOTED)
    if not ledger.rollbacks or latest is None or latest.key != ledger.rollbacks[-1]["attempt"]:
        return None
    decisions = [json.loads(line["payload"]) for line in reversed(ledger.rollbacks)]
    served = to = str(decisions[0]["to"])
    for decision in decisions:
        if decision["to"] != to or served == version:
            break
        if decision["from"] == version:
            return served
        to = decision["from"]
    return None


def taken_back(ledger: Ledger) -> dict[str, tuple[datetime, str]]:
    """Versions of the training set that a person rolled the view back from, and not to since: (when, by whom).

    Unlike what is served, this does not end when a newer version is promoted: what was made from them stays so.
    """
    found: dict[str, tuple[datetime, str]] = {}
    for line in ledger.rollbacks:
        decision = json.loads(line["payload"])
        found[str(decision["from"])] = (line["at"], str(decision["by"]))
        found.pop(str(decision["to"]), None)
    return found


def _place(file_name: str) -> Place:
    if file_name in CRM_FILES:
        return (CRM_FILES[file_name], None)
    named = re.fullmatch(r"RIARepDataFeed_([0-9]{8})\.csv", file_name)
    if named is None:
        raise UsageError(
            f"{file_name!r} is no input's name; it is RIARepDataFeed_YYYYMMDD.csv or {', '.join(CRM_FILES)}."
        )
    return ("snapshot_reps_raw", named[1])
