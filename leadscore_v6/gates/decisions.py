"""What a person may decide against or after a gate: waive it once, withdraw an input, roll the promoted view back.

Belongs here: the rules of these decisions. Each is written to the ledger with who and why; none changes a figure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.ledger import Attempt, Ledger

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


def withdraw(bench: Bench, file_name: str, reason: str) -> list[str]:
    """Take the newest input of that name back: attempts made from it no longer count (R38, R53).

    What was landed before it serves again at the next run; a snapshot without another file is no longer registered.
    Returns a line per attempt that was set aside. Raises UsageError if no such input is in use.
    """
    place = _place(file_name)
    ledger = bench.ledger
    latest = ledger.latest(*place)
    if latest is None:
        raise UsageError(f"No input {file_name!r} is in use; `leadscore status` lists what is.")
    digest = latest.source
    attempts = [
        attempt
        for attempt in ledger.attempts.values()
        if attempt.partition == place[1]
        and not attempt.withdrawn
        and (attempt is latest if digest is None else attempt.source == digest)
    ]
    payload = {
        "file_name": file_name,
        "digest": digest,
        "fingerprint": latest.facts.get("fingerprint") if digest is None else None,
        "reason": reason,
        "attempts": [attempt.key for attempt in attempts],
    }
    bench.record("withdrawn", Attempt("", *place, None, latest.content_key), payload)
    return [f"{attempt.asset} {attempt.key}" for attempt in attempts]


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
    with bench.warehouse.transaction():
        bench.warehouse.create_view(f"{bench.warehouse.dataset}.{PROMOTED}", f"SELECT * FROM `{table}`")
        bench.record("rolled_back", target, {"from": before, "to": version, "by": by})
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


def _place(file_name: str) -> tuple[str, str | None]:
    if file_name == "Lead.csv":
        return ("crm_leads", None)
    key = file_name.removeprefix("RIARepDataFeed_").removesuffix(".csv")
    if file_name != f"RIARepDataFeed_{key}.csv" or not key.isdigit():
        raise UsageError(f"{file_name!r} is no input's name; it is Lead.csv or RIARepDataFeed_YYYYMMDD.csv.")
    return ("snapshot_reps_raw", key)
