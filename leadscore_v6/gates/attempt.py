"""One attempt's life: guard, recognise, build a candidate, audit it, judge it, publish it (write-audit-publish).

Belongs here: the order of these, and what is written in the ledger at each. Does not belong here: what a step builds
and measures (assets/ hands that in as a `Work`). An output is a table (`Dataset.table`) or a folder of files
(`artifacts/name`); both are built, judged and published in the same way, each in its own place.

The order of writes is verdict, publication, event; after a crash at any point the last good version is still
served, and the next run starts the same attempt again or finds it done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from leadscore_v6.artifacts.folders import PREFIX, FolderStore
from leadscore_v6.errors import GateBlocked, InputError
from leadscore_v6.gates.guard import find_obstacles, guard
from leadscore_v6.gates.judge import FAIL, Figures, Verdict, plain
from leadscore_v6.gates.ledger import Attempt, Ledger, LedgerStore, verdict_lines
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.warehouse.protocol import Warehouse

# Failed candidates are kept so that a waiver publishes exactly what was judged; this many per place (R38, R56).
KEPT_CANDIDATES = 2
Candidates = Mapping[str, str]


class Shelf(Protocol):
    """Where outputs of one kind are: the warehouse for tables, the folder store for folders."""

    def exists(self, name: str) -> bool:
        """Whether an output of that full name is there, finished."""

    def publish(self, candidate: str, name: str) -> None:
        """Give a judged candidate its public name, atomically."""

    def drop(self, name: str) -> None:
        """Remove an output; nothing happens if it is not there."""


@dataclass(frozen=True)
class Work:
    """What a step hands in.

    inputs: everything that decides the content, by name: digests, rendered SQL, parameters, code (R38).
    outputs: published names of tables and folders; `{version}` stands for the version if the step is a versioned one.
    build: makes every candidate (published name -> candidate name); returns facts for the ledger and the report.
    measure: figures of the candidates, as the gates of the asset name them.
    version: the wished version name, or None: the clock's, or that of the version it is made from. A taken name gets
        `_2`, `_3`…; two steps share a name only if one is made from the other (R39).
    source: digest of the landed file that it is made from, if it is one file (so that `withdraw` finds it).
    same_as: a content key to be taken for, in place of its own: what a person's rollback serves.
    """

    asset: str
    partition: str | None
    inputs: Mapping[str, Any]
    outputs: tuple[str, ...]
    build: Callable[[Candidates], Mapping[str, Any]]
    measure: Callable[[Candidates], Figures]
    version: str | None = None
    source: str | None = None
    same_as: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended, well or not. `recognised`: nothing was built, the same content had been judged before."""

    attempt: Attempt
    verdicts: tuple[Verdict, ...]
    recognised: bool
    waived: frozenset[str] = field(default_factory=frozenset)

    @property
    def blocking(self) -> list[Verdict]:
        """Verdicts that stop what follows; what failed before what could not be judged, which may come of it."""
        blocking = [verdict for verdict in self.verdicts if verdict.blocks and verdict.gate.name not in self.waived]
        return sorted(blocking, key=lambda verdict: verdict.word != FAIL)


@dataclass
class Bench:
    """Where attempts are carried out: the warehouse, its ledger, the run, and the clock that names things (R39)."""

    warehouse: Warehouse
    store: LedgerStore
    ledger: Ledger
    run_id: str
    clock: Callable[[], datetime]
    folders: FolderStore

    def shelf(self, name: str) -> Shelf:
        """Where an output, or a candidate for one, is."""
        return self.folders if name.startswith(PREFIX) else self.warehouse

    def attempt(self, work: Work, *, rebuild: bool = False) -> Outcome:
        """Carry out one attempt. Raises GateBlocked when a step before it does not hold, InputError when refused."""
        guard(self.ledger, work.asset, work.partition)
        content_key = self.content_key(work)
        # What a person rolled back to is served as it is, not built again.
        anew = rebuild and work.same_as is None
        known = None if anew else self.ledger.of_content(work.asset, work.partition, content_key)
        if known is not None and self._usable(known):
            return self._recognise(known)
        attempt = self._start(work, content_key)
        with self.warehouse.labelled(asset=work.asset, run=self.run_id, version=attempt.version or "none"):
            try:
                facts = work.build(attempt.outputs)
                figures = work.measure(attempt.outputs)
            except InputError as error:
                self._write("refused", attempt, {"why": str(error), "facts": {}})
                raise
            # What could not be measured was not: a gate that reads it is "not judgeable".
            unmeasured = {figure: None for gate in self.ledger.gates.of(work.asset) for figure in sorted(gate.figures)}
            attempt.figures, attempt.facts = {**unmeasured, **plain(figures)}, plain(facts)
            self._write("judged", attempt, {"figures": attempt.figures, "facts": attempt.facts}, judged=True)
            return self._conclude(attempt, recognised=False)

    def standing(self, work: Work) -> Attempt | None:
        """What `attempt` would recognise without a line in the ledger: published, judged as today. Writes nothing."""
        if find_obstacles(self.ledger, work.asset, work.partition):
            return None
        known = self.ledger.of_content(work.asset, work.partition, self.content_key(work))
        stands = (
            known is not None
            and known.state == "published"
            and self.ledger.latest(*known.place) is known
            and self._usable(known)
            and not self._judged_by_others(known)
            and not self.outcome(known).blocking
        )
        return known if stands else None

    def content_key(self, work: Work) -> str:
        """SHA-256 over what decides the content: the step's inputs and its parents' latest content (R38)."""
        if work.same_as is not None:
            return work.same_as
        parents = self.ledger.parents_of(work.asset, work.partition)
        text = json.dumps({"inputs": work.inputs, "parents": parents}, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def refuse(
        self,
        place: tuple[str, str | None],
        content_key: str,
        why: str,
        facts: Mapping[str, Any],
        source: str | None = None,
    ) -> None:
        """Record that an input could not be read as the input format; no gate is judged (R54).

        source: its digest, where it was landed before it was refused.
        """
        attempt = Attempt(self._attempt_key(place, content_key), *place, None, content_key)
        self._write("refused", attempt, {"why": why, "facts": plain(facts), "source": source})

    def record(
        self, event: str, attempt: Attempt, payload: Mapping[str, Any], alongside: Callable[[], None] | None = None
    ) -> None:
        """Write one line that is no attempt of its own: landed, waived, withdrawn, restored, rolled_back.

        `alongside` is what the line says was done in the warehouse; both are, or neither is.
        """
        with self.warehouse.transaction():
            if alongside is not None:
                alongside()
            lines = self._append(event, attempt, payload)
        self._commit(lines)

    # -- parts -----------------------------------------------------------------------------------------------------

    def _usable(self, known: Attempt) -> bool:
        """Whether what was built for this content is there, published or as a candidate, and was fully measured."""
        figures = (figure for gate in self.ledger.gates.of(known.asset) for figure in gate.figures)
        if not known.figures.keys() >= set(figures):
            return False  # a gate was added since, and what it judges was not measured
        if known.state == "published":
            return all(self._there(name) and self.ledger.serving(name) is known for name in known.outputs)
        return known.state == "judged" and all(map(self._there, known.outputs.values()))

    def _judged_by_others(self, known: Attempt) -> bool:
        """Whether the gates that it was last judged by are not those of today."""
        return any(known.hashes.get(gate.name) != gate.config_hash for gate in self.ledger.gates.of(known.asset))

    def _there(self, name: str) -> bool:
        return self.shelf(name).exists(name)

    def _recognise(self, known: Attempt) -> Outcome:
        if self.ledger.latest(*known.place) is not known:
            self._write("recognised", known, {})
        if self._judged_by_others(known):
            self._write("rejudged", known, {}, judged=True)
        if known.state == "judged":
            return self._conclude(known, recognised=True)
        return self.outcome(known, recognised=True)

    def _start(self, work: Work, content_key: str) -> Attempt:
        key = self._attempt_key((work.asset, work.partition), content_key)
        known = self.ledger.attempts.get(key)
        version = known.version if known and known.state == "started" else self._allocate(work)
        names = [name.format(version=version) for name in work.outputs]
        outputs = {name: _candidate_name(name, key) for name in names}
        attempt = Attempt(key, work.asset, work.partition, version, content_key, outputs=outputs)
        parents = self.ledger.parents_of(*attempt.place)
        self._write("started", attempt, {"outputs": outputs, "source": work.source, "parents": parents})
        self._drop_old_candidates(attempt)
        return self.ledger.attempts[key]

    def _attempt_key(self, place: tuple[str, str | None], content_key: str) -> str:
        """Twelve digits of the content key; built again on purpose, `_2`, `_3`… A crashed attempt keeps its key."""
        base = hashlib.sha256(f"{place}{content_key}".encode()).hexdigest()[:12]
        key, number = base, 1
        while key in self.ledger.attempts and self.ledger.attempts[key].state not in ("started", "refused"):
            number += 1
            key = f"{base}_{number}"
        return key

    def _allocate(self, work: Work) -> str | None:
        if work.version is None:
            return None
        taken = self.ledger.versions()
        names = {version for _, version in taken}
        name, number = work.version, 1
        # The wished name may be that of the step before: the same build. One with a number is nobody else's.
        while (work.asset, name) in taken or (number > 1 and name in names):
            number += 1
            name = f"{work.version}_{number}"
        return name

    def _conclude(self, attempt: Attempt, *, recognised: bool) -> Outcome:
        outcome = self.outcome(attempt, recognised=recognised)
        if outcome.blocking:
            return outcome

        def publish() -> None:
            for name, candidate in attempt.outputs.items():
                self.shelf(name).publish(candidate, name)

        self.record("published", attempt, {}, publish)
        # A table's candidate is gone by now: it was renamed. A folder's was copied, and kept until this is written.
        for candidate in attempt.outputs.values():
            self.shelf(candidate).drop(candidate)
        return outcome

    def outcome(self, attempt: Attempt, *, recognised: bool = True) -> Outcome:
        """How an attempt stands by today's thresholds and waivers."""
        verdicts = self.ledger.verdicts(attempt)
        waived = frozenset(verdict.gate.name for verdict in verdicts if self.ledger.waived(attempt, verdict.gate.name))
        return Outcome(attempt, tuple(verdicts), recognised, waived)

    def _drop_old_candidates(self, attempt: Attempt) -> None:
        others = [
            other
            for other in self.ledger.attempts.values()
            if other.place == attempt.place
            and other.key != attempt.key
            and other.state != "published"
            # What a person has waived is published as it was judged, however many attempts came after it.
            and not other.waivers
        ]
        others.sort(key=lambda other: other.seq, reverse=True)
        for other in others[KEPT_CANDIDATES - 1 :]:
            for candidate in other.outputs.values():
                self.shelf(candidate).drop(candidate)

    def _write(self, event: str, attempt: Attempt, payload: Mapping[str, Any], *, judged: bool = False) -> None:
        self._commit(self._append(event, attempt, payload, judged=judged))

    def _append(
        self, event: str, attempt: Attempt, payload: Mapping[str, Any], *, judged: bool = False
    ) -> list[dict[str, Any]]:
        at = self.clock()
        line = {
            "seq": self.ledger.seq + 1,
            "at": at,
            "event": event,
            "attempt": attempt.key,
            "asset": attempt.asset,
            "partition_key": attempt.partition,
            "version": attempt.version,
            "content_key": attempt.content_key,
            "run_id": self.run_id,
        }
        verdicts = []
        if judged:
            # Which thresholds were applied goes with the verdicts, so that a changed one is seen (R38).
            hashes = {gate.name: gate.config_hash for gate in self.ledger.gates.of(attempt.asset)}
            payload = {**payload, "hashes": hashes}
            attempt.seq = self.ledger.seq + 1
            verdicts = verdict_lines(attempt, self.ledger.verdicts(attempt), self.run_id, at)
        line["payload"] = json.dumps(payload, sort_keys=True)
        self.store.append([line], verdicts)
        return [line]

    def _commit(self, lines: list[dict[str, Any]]) -> None:
        """Take committed lines into the ledger in memory and its mirror."""
        for line in lines:
            self.ledger.fold(line)
        self.store.reflect(lines)


def require(outcome: Outcome, rows: Sequence[str] = ()) -> None:
    """Raise GateBlocked, naming each gate with its figure, threshold and remedy, unless the attempt was published.

    `rows` say where in the input to look, in words without values (R46, R57).
    """
    if outcome.blocking:
        key, partition = outcome.attempt.key, outcome.attempt.partition
        place = STEPS[outcome.attempt.asset].asset + (f"[{partition}]" if partition else "")
        lines = [line for verdict in outcome.blocking for line in (f"  - {verdict}", *_advised(verdict))]
        waivers = [
            f"or `leadscore waive {verdict.gate.name} --attempt {key}`"
            for verdict in outcome.blocking
            if verdict.gate.waivable
        ]
        # One that nobody may waive is not helped by a waiver of the others.
        ways = ["mend the input and run again", "or `leadscore withdraw FILE`"]
        ways += waivers if len(waivers) == len(outcome.blocking) else []
        raise GateBlocked(
            f"{place}: a gate failed, nothing was published (attempt {key}).\n"
            + "\n".join([*lines, *(f"    {row}" for row in rows)])
            + f"\n  what to do: {', '.join(ways)}.",
            about=[verdict.gate.name for verdict in outcome.blocking],
        )


def _advised(verdict: Verdict) -> list[str]:
    return [f"    {word}: {text}" for word, text in verdict.gate.advice.items()]


def _candidate_name(name: str, key: str) -> str:
    separator = "/" if name.startswith(PREFIX) else "."
    place, own = name.rsplit(separator, 1)
    # A day's candidate is a table of its own.
    return f"{place}{separator}candidate__{own.replace('$', '_')}__{key}"
