"""Where things are: the home folder, the engine, the datasets. Read from the environment, once, at the edge.

Belongs here: names and paths of the fixed interface (`LEADSCORE_HOME`, `LEADSCORE_WAREHOUSE`, …).
Does not belong here: thresholds and contracts (config/), or run parameters such as `as_of`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadscore_v6.errors import UsageError
from leadscore_v6.locations import Location, location

ENGINES = ("duckdb", "bigquery")
# DuckDB splits its search path at commas, finds patterns in the names of files, cuts names at "?" and turns "\\" round;
# Dagster gives the names of its SQLite files to a URL, which decodes them.
_UNUSABLE = re.compile(r"[,?*\[\\\n]|%[0-9A-Fa-f]{2}")
# Names that both engines take; DuckDB has schemas of its own by the others.
_DATASET = (r"(?!(?i:information_schema|pg_catalog)$)[A-Za-z_][A-Za-z0-9_]*", "a name of letters, digits and _")
_DATASETS = {"LEADSCORE_DATASET": "LeadScoring", "LEADSCORE_CRM_DATASET": "SavvyGTMData"}
_MEMORY = (r"[0-9]+(\.[0-9]+)? ?[KMGTkmgt]i?[Bb]", "an amount such as 3GB or 500MB")
_PROJECT = (r"[a-z][a-z0-9-]{0,62}", "a project's id")
_LOCATION = (r"[A-Za-z][A-Za-z0-9-]{0,62}", "a location such as US or europe-west3")
_GIB = 1 << 30


@dataclass(frozen=True)
class Settings:
    """The fixed interface of `architecture.md`, resolved."""

    home: Path
    data: Location
    engine: str = "duckdb"
    project: str | None = None
    dataset: str = "LeadScoring"
    crm_dataset: str = "SavvyGTMData"
    threads: int | None = None
    memory_limit: str = "3GB"
    lease_wait_seconds: float = 60.0
    artifacts_at: Location | None = None
    location: str | None = None
    emulator: str | None = None
    max_bytes_billed: int = 50 * _GIB
    retry_seconds: float = 120.0

    @property
    def warehouse_file(self) -> Path:
        """The embedded warehouse."""
        return self.home / "warehouse.duckdb"

    @property
    def warehouse(self) -> str:
        """The warehouse, as a person finds it."""
        if self.engine == "bigquery":
            return f"{self.project}.{self.dataset}  (BigQuery{', the emulator' if self.emulator else ''})"
        return f"{self.warehouse_file}  (DuckDB)"

    @property
    def leads_in_folder(self) -> bool:
        """Whether the leads come as `Lead.csv` beside the feed; with BigQuery they are the CRM's table (R49)."""
        return self.engine == "duckdb"

    @property
    def artifacts(self) -> Location:
        """Reports and other files for people, by the plan's names: `LEADSCORE_ARTIFACTS`, else the home's."""
        return self.artifacts_at or self.home / "artifacts"

    @property
    def model_folders(self) -> Path:
        """Folders of models, which are published whole by a rename: on this machine, wherever the reports go."""
        return self.home / "artifacts"

    @property
    def landing(self) -> Path:
        """The inbox that the sensor watches unless `LEADSCORE_DATA` names another folder."""
        return self.home / "landing"

    @property
    def store(self) -> Path:
        """Landed files by SHA-256; the raw views read these, so nothing here is ever changed."""
        return self.landing / "by_sha256"

    @property
    def crm_spool(self) -> Path:
        """Where the CRM's table is written out before it is landed, when the leads are no file (R49)."""
        return self.landing / "crm"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage."""
        return self.home / "dagster"

    @property
    def outbox(self) -> Path:
        """What waits to be delivered to people or other systems."""
        return self.home / "outbox"

    @property
    def ledger_mirror(self) -> Path:
        """The ledger's lines as last committed, for readers while a run holds the warehouse (R44)."""
        return self.home / "ledger.jsonl"


def from_environment(
    env: Mapping[str, str] | None = None, home: Path | None = None, data: str | Path | None = None
) -> Settings:
    """Settings from `LEADSCORE_*`; `home` and `data` win over the environment. Raises UsageError on a bad value.

    `data` and `LEADSCORE_ARTIFACTS` may name a folder in a bucket (`gs://bucket/prefix`).
    """
    env = os.environ if env is None else env
    engine = env.get("LEADSCORE_WAREHOUSE", "duckdb")
    if engine not in ENGINES:
        raise UsageError(f"LEADSCORE_WAREHOUSE is {engine!r}; it can be {' or '.join(ENGINES)}.")
    home = Path(home or env.get("LEADSCORE_HOME") or ".leadscore").absolute()
    unusable = _UNUSABLE.search(str(home))
    if unusable is not None:
        raise UsageError(
            f"The home {home} has {unusable[0]!r} in its path, which DuckDB or SQLite would take for something else. "
            "Name another with --home or LEADSCORE_HOME."
        )
    named, artifacts = data or env.get("LEADSCORE_DATA"), env.get("LEADSCORE_ARTIFACTS")
    datasets = {name: _matching(env, name, given, *_DATASET) for name, given in _DATASETS.items()}
    return Settings(
        home=home,
        data=location(named) if named else home / "landing",
        engine=engine,
        project=_optional(env, "LEADSCORE_GCP_PROJECT", *_PROJECT),
        dataset=datasets["LEADSCORE_DATASET"],
        crm_dataset=datasets["LEADSCORE_CRM_DATASET"],
        threads=_positive(env, "LEADSCORE_THREADS"),
        memory_limit=_matching(env, "LEADSCORE_MEMORY_LIMIT", "3GB", *_MEMORY),
        lease_wait_seconds=float(_positive(env, "LEADSCORE_LEASE_WAIT_SECONDS", zero_allowed=0) or 0)
        if "LEADSCORE_LEASE_WAIT_SECONDS" in env
        else 60.0,
        artifacts_at=location(artifacts) if artifacts else None,
        location=_optional(env, "LEADSCORE_LOCATION", *_LOCATION),
        emulator=env.get("BIGQUERY_EMULATOR_HOST") or None,
        max_bytes_billed=_positive(env, "LEADSCORE_MAX_BYTES_BILLED") or 50 * _GIB,
        retry_seconds=float(_positive(env, "LEADSCORE_RETRY_SECONDS") or 120),
    )


def _optional(env: Mapping[str, str], name: str, form: str, means: str) -> str | None:
    return _matching(env, name, "", form, means) if env.get(name) else None


def _matching(env: Mapping[str, str], name: str, default: str, form: str, means: str) -> str:
    text = env.get(name, default)
    if re.fullmatch(form, text) is None:
        raise UsageError(f"{name} is {text!r}; it must be {means}.")
    return text


def _positive(env: Mapping[str, str], name: str, zero_allowed: int = 1) -> int | None:
    text = env.get(name)
    if text is None:
        return None
    if not text.isdigit() or int(text) < zero_allowed:
        raise UsageError(f"{name} is {text!r}; it must be a whole number, {zero_allowed} or more.")
    return int(text)
