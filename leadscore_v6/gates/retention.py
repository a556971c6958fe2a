"""What may go, and what may not (R56): nothing that the promoted view, a champion, a waiver or a snapshot refers to.

A model that ever was champion stays, with its training set: it may be rolled back to. So does one that won against the
champion and waits for a running test to end (R58).

Belongs here: which tables, model folders and landed files are expendable, removing them, and compacting the embedded
warehouse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.champions import champions, queued
from leadscore_v6.gates.decisions import PROMOTED, TRAINING
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.models import KnownModel, known_models
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.compaction import compact_file

STAGING, SERVING, SHADOW = "step_3_1_staging_join_v6", "serving_advisors_v6", "shadow_scoring"
_PLANNED = "ab_test_power_analysis_v6"
# Staging holds PII (R56): of the versions that stay, only the newest keeps its staging table.
KEPT_STAGING = 1


@dataclass(frozen=True)
class Expendable:
    """Tables and model folders (by full name, with the reason) and landed files that nothing refers to."""

    tables: dict[str, str]
    files: tuple[Path, ...]
    folders: dict[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """A line per thing, for a person."""
        for name, why in self.tables.items():
            yield f"table  {name}  ({why})"
        for name, why in self.folders.items():
            yield f"folder {name}  ({why})"
        for file in self.files:
            yield f"file   {file.name}  ({file.stat().st_size:,} bytes; no registered snapshot or extract uses it)"
        if not self.tables and not self.files and not self.folders:
            yield "Nothing is expendable."


def expendable(bench: Bench, settings: Settings, keep: int) -> Expendable:
    """What is not needed any more, when the `keep` newest versions stay."""
    tables: dict[str, str] = {}
    ledger, dataset = bench.ledger, bench.warehouse.dataset
    needed = _needed_versions(ledger, keep)
    staged = set(sorted(needed, key=_age(ledger))[-KEPT_STAGING:]) | _latest_staging(ledger)
    for asset, versions in ((TRAINING, needed), (STAGING, staged)):
        for name in bench.warehouse.names(dataset):
            version = name.removeprefix(f"{asset}_")
            if version != name and version not in versions:
                tables[f"{dataset}.{name}"] = "an older version" if asset == TRAINING else "staging of an older version"
    # A waiver, given or still to be given, publishes exactly what was judged (R38).
    waivable = {
        name
        for attempt in ledger.attempts.values()
        if attempt.waivers or ledger.latest(*attempt.place) is attempt
        for name in attempt.outputs.values()
    }
    for schema in bench.warehouse.written_datasets:
        for name in bench.warehouse.names(schema):
            full = f"{schema}.{name}"
            if name.startswith("candidate__") and full not in waivable:
                tables[full] = "a candidate that was not published"
    registered = set(ledger.snapshots())
    viewed = {name for attempt in ledger.published().values() for name in attempt.facts.get("rows_by_table", ())}
    for name in bench.warehouse.names(dataset):
        dated = re.fullmatch(r"snapshot_(?:reps|firms)_(\d{8})(?:_raw)?", name)
        if dated and dated.group(1) not in registered and name.removesuffix("_raw") not in viewed:
            tables[f"{dataset}.{name}"] = "its snapshot was withdrawn"
    return Expendable(tables, tuple(_unused_files(ledger, settings)), _unused_folders(bench, keep))


def collect(bench: Bench, found: Expendable) -> None:
    """Remove what `expendable` found."""
    for name in found.tables:
        bench.warehouse.drop(name)
    for name in found.folders:
        bench.folders.drop(name)
    for file in found.files:
        file.unlink()


def compact(settings: Settings, progress: Callable[[str], None]) -> str:
    """Give the space of dropped tables back to the disk; says what that saved."""
    file = settings.warehouse_file
    if settings.engine != "duckdb" or not file.exists():
        return "Nothing to compact."
    progress("compacting …")
    before = file.stat().st_size
    compact_file(file)
    return f"{file.name}: {before:,} bytes before, {file.stat().st_size:,} after."


def _needed_versions(ledger: Ledger, keep: int) -> set[str]:
    built = [
        attempt
        for attempt in ledger.attempts.values()
        if attempt.asset == TRAINING and attempt.state == "published" and attempt.version
    ]
    newest = sorted(built, key=lambda attempt: attempt.seq)[-keep:]
    needed = {attempt.version for attempt in newest if attempt.version}
    for name, attempt in ledger.published().items():
        if name.endswith(PROMOTED):
            needed.add(str(attempt.facts["promoted_version"]))
    needed |= {attempt.version for attempt in built if attempt.waivers and attempt.version}
    tested = [model for model in known_models(ledger) if model.version in _tested_models(ledger)]
    needed |= {str(model.trained.facts["dataset_version"]) for model in tested}
    needed |= _of_those_in_service(ledger)
    return needed


def _unused_folders(bench: Bench, keep: int) -> dict[str, str]:
    """All folders but those of champions, the `keep` newest models, what is served, evidence, and the waived."""
    ledger = bench.ledger
    kept: set[str] = set()
    published = [model for model in known_models(ledger) if model.trained.state == "published"]
    validated = next((model for model in published if model.validated), None)
    tested = [model for model in published if model.version in _tested_models(ledger)]
    for model in [*published[:keep], *([validated] if validated else []), *tested, *_in_service(ledger)]:
        made = [attempt for attempt in (model.trained, model.calibrated, model.backtest) if attempt]
        kept |= {name for attempt in made for name in attempt.outputs}
    # The copy that leads are looked up in is the one behind the table that is served.
    kept |= {name for attempt in ledger.published().values() for name in attempt.outputs if attempt.asset == SERVING}
    for attempt in ledger.attempts.values():
        # A waiver, given or still to be given, publishes exactly what was judged (R38).
        if attempt.waivers or ledger.latest(*attempt.place) is attempt:
            kept |= {*attempt.outputs, *attempt.outputs.values()}
        # Evidence about a model, a few kilobytes, stays as long as the ledger does.
        if attempt.asset == SHADOW and attempt.state == "published":
            kept |= {*attempt.outputs}
    return {
        name: "a candidate that was not published" if "candidate__" in name else "an older model or serving copy"
        for name in bench.folders.names()
        if name not in kept
    }


def _tested_models(ledger: Ledger) -> set[str]:
    """Versions of the models that an experiment was planned with: its queues and its readout stand on them (R56)."""
    planned = (attempt for attempt in ledger.attempts.values() if attempt.asset == _PLANNED)
    return {str(attempt.facts["plan"]["model_version"]) for attempt in planned if attempt.state == "published"}


def _in_service(ledger: Ledger) -> list[KnownModel]:
    """Those that serve, have served, or wait to."""
    waiting = queued(ledger)
    return [*champions(ledger), *(model for model in known_models(ledger) if model.version == waiting)]


def _of_those_in_service(ledger: Ledger) -> set[str]:
    """Training sets that they were made from: drift is measured against them, and R31 decided on them."""
    return {str(model.trained.facts["dataset_version"]) for model in _in_service(ledger)}


def _promoted_files(ledger: Ledger) -> set[str]:
    """Digests in the manifest of what the promoted view serves, or a champion was made from, whatever landed since."""
    versions = {a.facts["promoted_version"] for a in ledger.published().values() if a.asset == PROMOTED}
    versions |= _of_those_in_service(ledger)
    return {
        file["sha256"]
        for attempt in ledger.attempts.values()
        if attempt.asset == TRAINING and attempt.version in versions
        for file in attempt.facts.get("manifest", {}).get("files", ())
    }


def _latest_staging(ledger: Ledger) -> set[str]:
    """The one that a training set may still be made from, when none was yet."""
    latest = ledger.latest(STAGING)
    return {latest.version} if latest and latest.version else set()


def _age(ledger: Ledger) -> Callable[[str], int]:
    order = {a.version: a.seq for a in ledger.attempts.values() if a.asset == TRAINING and a.version}
    return lambda version: order.get(version, 0)


def _unused_files(ledger: Ledger, settings: Settings) -> Iterator[Path]:
    latest = filter(None, (ledger.latest(*place) for place in ledger.landed))
    # Of these a view, or a waived candidate, reads the file until something else is published there; or its table was
    # made from it, and would be again.
    serving = ledger.published().values()
    waived = (attempt for attempt in ledger.attempts.values() if attempt.waivers)
    sources = {attempt.source for attempt in (*latest, *serving, *waived)} | _promoted_files(ledger)
    landed = (known for all_there in ledger.landed.values() for known in all_there)
    used = {known["stored_as"] for known in landed if known["digest"] in sources}
    if settings.store.is_dir():
        yield from sorted(file for file in settings.store.iterdir() if file.is_file() and file.name not in used)
