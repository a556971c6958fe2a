"""The ledger: what was attempted, what each gate said, what was published, waived, withdrawn or rolled back.

Belongs here: the two append-only tables, and what follows from their lines. Does not belong here: judging
(`judge.py`), refusing (`guard.py`), or building (`attempt.py`).

`attempt_ledger` holds one line per event of an attempt's life; nothing is ever updated, so that a crash can only
lose the newest line, and the next run heals it. `gate_ledger` holds one line per gate and attempt, for people and for
SQL. Time (`at`) names lines and orders nothing: `seq` does (R39).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from leadscore_v6.errors import InputError
from leadscore_v6.gates.judge import Verdict, judge
from leadscore_v6.gates.registry import Registry
from leadscore_v6.gates.steps import DAY, SNAPSHOT, STEPS
from leadscore_v6.warehouse.protocol import Warehouse

ATTEMPT_COLUMNS = {
    "seq": "INT64",
    "at": "TIMESTAMP",
    "event": "STRING",
    "attempt": "STRING",
    "asset": "STRING",
    "partition_key": "STRING",
    "version": "STRING",
    "content_key": "STRING",
    "run_id": "STRING",
    "payload": "STRING",
}
GATE_COLUMNS = {
    "seq": "INT64",
    "at": "TIMESTAMP",
    "attempt": "STRING",
    "asset": "STRING",
    "partition_key": "STRING",
    "version": "STRING",
    "run_id": "STRING",
    "gate": "STRING",
    "step": "STRING",
    "verdict": "STRING",
    "figure": "FLOAT64",
    "companion": "FLOAT64",
    "threshold": "STRING",
    "severity": "STRING",
    "config_hash": "STRING",
}

# Events that make an attempt the latest one of its asset and partition.
_BECOMES_LATEST = {"started", "recognised", "refused", "rolled_back"}
# Decisions about which model serves: no part of an attempt's life (champions.py).
PROMOTED_MODEL, QUEUED_MODEL, MODEL_ROLLED_BACK = "promoted", "promotion_queued", "model_rolled_back"
_ABOUT_MODELS = {PROMOTED_MODEL, QUEUED_MODEL, MODEL_ROLLED_BACK}
# A person ended the A/B test of a plan before its last look, or without one (programme.py).
STOPPED_TEST = "experiment_stopped"
Place = tuple[str, str | None]


@dataclass(frozen=True)
class Withdrawal:
    """An input that a person took back at one place. A file that was refused has no digest: only its fingerprint.

    attempts: keys of those set aside with it. `seq` and `at`: the ledger's line.
    """

    place: Place
    seq: int
    at: datetime
    file_name: str
    digest: str | None
    fingerprint: str | None
    reason: str
    attempts: tuple[str, ...]


@dataclass
class Attempt:
    """One build of one asset (partition), as the ledger's lines tell it (R38).

    began, seq: its first line in the ledger, and its newest. parents: the content that each parent had when it was
    built, by `asset/partition`.
    """

    key: str
    asset: str
    partition: str | None
    version: str | None
    content_key: str
    state: str = "started"
    started_at: datetime | None = None
    seq: int = 0
    began: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    waivers: dict[str, dict[str, str]] = field(default_factory=dict)
    withdrawn: bool = False
    refusal: str | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    source: str | None = None
    parents: dict[str, str | None] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """The asset and partition that it is an attempt at."""
        return (self.asset, self.partition)


class LedgerReader(Protocol):
    """Where the lines come from: the warehouse, or its mirror while a run holds the warehouse."""

    def lines(self) -> Iterable[Mapping[str, Any]]:
        """Lines of `attempt_ledger`, in the order of `seq`."""


class Ledger:
    """What the lines add up to. `today` decides only whether a waiver has expired."""

    def __init__(self, reader: LedgerReader, gates: Registry, today: date) -> None:
        """Read every line there is."""
        self.gates = gates
        self.today = today
        self.seq = 0
        self.newest: Mapping[str, Any] | None = None
        self.attempts: dict[str, Attempt] = {}
        self.landed: dict[Place, list[dict[str, Any]]] = {}
        self.withdrawals: list[Withdrawal] = []
        self.rollbacks: list[Mapping[str, Any]] = []
        self.model_decisions: list[Mapping[str, Any]] = []
        self.tests_stopped: list[Mapping[str, Any]] = []
        self._latest: dict[Place, list[str]] = {}
        self._published: dict[str, str] = {}
        for line in reader.lines():
            self.fold(line)

    # -- what was --------------------------------------------------------------------------------------------------

    def latest(self, asset: str, partition: str | None = None) -> Attempt | None:
        """The latest attempt at an asset (partition) whose input was not withdrawn."""
        for key in reversed(self._latest.get((asset, partition), [])):
            if not self.attempts[key].withdrawn:
                return self.attempts[key]
        return None

    def of_content(self, asset: str, partition: str | None, content_key: str) -> Attempt | None:
        """The newest attempt with that content, whatever became of it."""
        found = [
            attempt
            for attempt in self.attempts.values()
            if attempt.place == (asset, partition) and attempt.content_key == content_key and not attempt.withdrawn
        ]
        return max(found, key=lambda attempt: attempt.seq, default=None)

    def serving(self, name: str) -> Attempt | None:
        """The attempt whose output a published name serves."""
        key = self._published.get(name)
        return self.attempts[key] if key else None

    def published(self) -> dict[str, Attempt]:
        """Every published name and the attempt behind it."""
        return {name: self.attempts[key] for name, key in self._published.items()}

    def versions(self) -> set[tuple[str, str]]:
        """Names that are taken, by asset; a step that was refused built nothing and takes none (R39)."""
        taken = (attempt for attempt in self.attempts.values() if attempt.state != "refused")
        return {(attempt.asset, attempt.version) for attempt in taken if attempt.version}

    def withdrawal(self, place: Place, word: str) -> Withdrawal | None:
        """The withdrawal in force there of the file with that digest or fingerprint."""
        found = (taken for taken in self.withdrawals if taken.place == place)
        return next((taken for taken in found if word in (taken.digest, taken.fingerprint)), None)

    def usable(self, place: Place) -> list[dict[str, Any]]:
        """What was landed there and not withdrawn since, newest last."""
        return [facts for facts in self.landed.get(place, []) if self.withdrawal(place, facts["digest"]) is None]

    def snapshots(self) -> list[str]:
        """Registered snapshot keys, sorted: those with an attempt that was not withdrawn (R12, R48)."""
        keys = {partition for asset, partition in self._latest if asset == "snapshot_reps_raw" and partition}
        return sorted(key for key in keys if self.latest("snapshot_reps_raw", key) is not None)

    def keys(self, asset: str) -> Sequence[str | None]:
        """Keys of the attempts at `asset` that count: registered snapshots, days in order; None where it has no key."""
        if STEPS[asset].partition == DAY:
            return sorted(key for name, key in self._latest if name == asset and key and self.latest(name, key))
        return self.snapshots() if STEPS[asset].partition == SNAPSHOT else [None]

    def keys_asked(self, before: str, asset: str, partition: str | None) -> Sequence[str | None]:
        """Keys of the step `before` that `asset`, at its own key `partition`, is made from."""
        same = STEPS[before].partition == STEPS[asset].partition
        return [partition] if same else self.keys(before)

    def parents_of(self, asset: str, partition: str | None) -> dict[str, str | None]:
        """Content keys of the parents' latest attempts, by `asset/partition`; None where there is none."""
        contents = {}
        for name in STEPS[asset].before:
            for key in self.keys_asked(name, asset, partition):
                latest = self.latest(name, key)
                contents[f"{name}/{key}"] = latest.content_key if latest else None
        return contents

    def outdated(self, attempt: Attempt) -> bool:
        """Whether a parent has another content now than the attempt was made from.

        What a person rolled back to is older on purpose.
        """
        chosen = bool(self.rollbacks) and self.rollbacks[-1]["attempt"] == attempt.key
        return not chosen and attempt.parents != self.parents_of(*attempt.place)

    def verdicts(self, attempt: Attempt) -> list[Verdict]:
        """Every gate of the attempt's asset, judged by today's thresholds on the stored figures."""
        return [judge(gate, attempt.figures) for gate in self.gates.of(attempt.asset)]

    def waived(self, attempt: Attempt, gate: str) -> bool:
        """Whether a waiver covers that gate of that attempt today (R32)."""
        waiver = attempt.waivers.get(gate)
        return waiver is not None and self.today <= date.fromisoformat(waiver["expires"])

    def blocking(self, attempt: Attempt) -> list[Verdict]:
        """Verdicts that stop what follows, waived ones left out."""
        return [
            verdict
            for verdict in self.verdicts(attempt)
            if verdict.blocks and not self.waived(attempt, verdict.gate.name)
        ]

    # -- what is written -------------------------------------------------------------------------------------------

    def fold(self, line: Mapping[str, Any]) -> None:
        """Take one line into account."""
        self.seq, self.newest = max(self.seq, line["seq"]), line
        event, key, asset, partition = line["event"], line["attempt"], line["asset"], line["partition_key"]
        payload = json.loads(line["payload"])
        if event == "landed":
            self.landed.setdefault((asset, partition), []).append({**payload, "at": line["at"]})
            return
        if event in ("withdrawn", "restored"):
            self._withdraw_or_restore(line, payload)
            return
        if event in _ABOUT_MODELS:
            self.model_decisions.append(line)
            return
        if event == STOPPED_TEST:
            self.tests_stopped.append(line)
            return
        if event == "rolled_back":
            self.rollbacks.append(line)
        attempt = self.attempts.get(key)
        if attempt is None or event in ("started", "refused"):
            waivers = attempt.waivers if attempt else {}
            attempt = Attempt(key, asset, partition, line["version"], line["content_key"], waivers=waivers)
            attempt.started_at, attempt.began = line["at"], line["seq"]
            self.attempts[key] = attempt
        attempt.seq = line["seq"]
        if event in _BECOMES_LATEST:
            self._latest.setdefault(attempt.place, []).append(key)
        self._apply(event, attempt, payload)

    def _apply(self, event: str, attempt: Attempt, payload: dict[str, Any]) -> None:
        if event == "started":
            attempt.outputs, attempt.source = payload["outputs"], payload["source"]
            attempt.parents = payload["parents"]
        elif event == "judged":
            attempt.state, attempt.figures, attempt.facts = "judged", payload["figures"], payload["facts"]
            attempt.hashes = payload["hashes"]
        elif event == "rejudged":
            attempt.hashes = payload["hashes"]
        elif event in ("published", "rolled_back"):
            attempt.state = "published"
            for name in attempt.outputs:
                self._published[name] = attempt.key
        elif event == "refused":
            attempt.state, attempt.refusal, attempt.facts = "refused", payload["why"], payload["facts"]
            attempt.source = payload.get("source")
        elif event == "waived":
            attempt.waivers[payload["gate"]] = payload

    def _withdraw_or_restore(self, line: Mapping[str, Any], payload: dict[str, Any]) -> None:
        for key in payload["attempts"]:
            self.attempts[key].withdrawn = line["event"] == "withdrawn"
        if line["event"] == "restored":
            self.withdrawals = [taken for taken in self.withdrawals if taken.seq != payload["withdrawal"]]
            return
        place, attempts = (line["asset"], line["partition_key"]), tuple(payload["attempts"])
        self.withdrawals.append(Withdrawal(place, line["seq"], line["at"], **{**payload, "attempts": attempts}))


@dataclass
class LedgerStore:
    """The ledger's two tables in a warehouse, and the mirror for readers who must not wait (R44)."""

    warehouse: Warehouse
    mirror: Path | None = None

    def __post_init__(self) -> None:
        """Names of the tables."""
        self.attempts = f"{self.warehouse.dataset}.attempt_ledger"
        self.gates = f"{self.warehouse.dataset}.gate_ledger"

    def create(self) -> None:
        """Create both tables unless they exist, and write a mirror anew that does not say what they say."""
        self.warehouse.ensure_table(self.attempts, ATTEMPT_COLUMNS)
        self.warehouse.ensure_table(self.gates, GATE_COLUMNS)
        if self.mirror is not None:
            _mend_mirror(self.mirror, self.lines())

    def lines(self) -> list[dict[str, Any]]:
        """Lines of `attempt_ledger` in the order of `seq`."""
        if not self.warehouse.exists(self.attempts):
            return []
        # Quoted: AT is a word of GoogleSQL's own.
        columns = ", ".join(f"`{column}`" for column in ATTEMPT_COLUMNS)
        return self.warehouse.query(f"SELECT {columns} FROM `{self.attempts}` ORDER BY seq")

    def append(self, lines: Sequence[Mapping[str, Any]], verdicts: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write lines and verdicts together. The mirror follows the commit (`reflect`)."""
        with self.warehouse.transaction():
            # The attempt's line is what counts. Where the two are not one write, the other is made up for (mending.py).
            self.warehouse.insert(self.attempts, lines)
            self.warehouse.insert(self.gates, verdicts)

    def reflect(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append committed lines to the mirror."""
        if self.mirror is not None:
            with self.mirror.open("a", encoding="utf-8") as file:
                file.writelines(_as_json(line) for line in lines)


@dataclass(frozen=True)
class MirrorReader:
    """The ledger's lines from the mirror file."""

    file: Path

    def lines(self) -> Iterator[dict[str, Any]]:
        """Lines in the order of `seq`; a last one cut short by a crash is none. Raises InputError at a damaged one."""
        if not self.file.exists():
            return
        *whole, _cut = self.file.read_bytes().split(b"\n")
        for number, text in enumerate(whole, start=1):
            try:
                line = json.loads(text)
                json.loads(line["payload"])
                yield {**{name: line[name] for name in ATTEMPT_COLUMNS}, "at": datetime.fromisoformat(line["at"])}
            except (ValueError, TypeError, KeyError):
                raise InputError(
                    "The ledger's mirror, which readers use while a run holds the warehouse, is damaged",
                    file=str(self.file),
                    row=number,
                    remedy="wait until that run has ended and ask again; the next run writes the file anew.",
                ) from None


def _mend_mirror(mirror: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """The warehouse is the truth: what the mirror says instead, or whether it can be read at all, does not matter."""
    truth = "".join(map(_as_json, lines)).encode()
    if mirror.exists() and mirror.read_bytes() == truth:
        return
    temporary = mirror.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(truth)
    temporary.replace(mirror)


def _as_json(line: Mapping[str, Any]) -> str:
    return json.dumps({**line, "at": line["at"].isoformat()}, sort_keys=True) + "\n"


def verdict_lines(attempt: Attempt, verdicts: Iterable[Verdict], run_id: str, at: datetime) -> list[dict[str, Any]]:
    """Lines of `gate_ledger` for an attempt's verdicts; `seq` is the attempt's."""
    return [
        {
            "seq": attempt.seq,
            "at": at,
            "attempt": attempt.key,
            "asset": attempt.asset,
            "partition_key": attempt.partition,
            "version": attempt.version,
            "run_id": run_id,
            "gate": verdict.gate.name,
            "step": verdict.gate.step,
            "verdict": verdict.word,
            "figure": None if verdict.figure is None else float(verdict.figure),
            "companion": None if verdict.companion is None else float(verdict.companion),
            "threshold": verdict.gate.threshold,
            "severity": verdict.gate.severity,
            "config_hash": verdict.gate.config_hash,
        }
        for verdict in verdicts
    ]
