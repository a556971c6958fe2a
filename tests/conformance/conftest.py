"""Both engines, each with a home of its own; for BigQuery the emulator behind the proxy, and a project per home."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leadscore_v6.settings import Settings
from leadscore_v6.warehouse import bigquery_lease
from leadscore_v6.warehouse.bigquery_client import connect, settle
from leadscore_v6.warehouse.bigquery_jobs import Jobs
from leadscore_v6.warehouse.engines import open_for_writing, open_lease
from leadscore_v6.warehouse.landing import CRM_FILES
from leadscore_v6.warehouse.protocol import Warehouse
from tests.conformance.emulator import emulator
from tests.conformance.proxy import Proxy, proxy

if TYPE_CHECKING:
    from tests.conformance.both import Both
    from tests.e2e.model_world import Modelled

ENGINES = ("duckdb", "bigquery")
TIMES = ("Stage_Entered_Contacting__c", "Stage_Entered_Call_Scheduled__c", "dialled_at")
_serial = itertools.count(1)
MakeSettings = Callable[[str, Path], Settings]


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The emulator, behind a proxy that breaks nothing unless a test says so."""
    with emulator(tmp_path_factory.mktemp("emulator")) as address, proxy(address) as made:
        yield made


@pytest.fixture(scope="session")
def settings_of(wire: Proxy) -> MakeSettings:
    """Settings of an engine with an empty warehouse of its own."""

    def made(engine: str, home: Path) -> Settings:
        settings = Settings(home=home, data=home.parent / "feed", engine=engine, lease_wait_seconds=1)
        if engine == "bigquery":
            project = f"project-{next(_serial)}"
            settings = replace(settings, project=project, emulator=wire.address, retry_seconds=60)
        return settings

    return made


@pytest.fixture(params=ENGINES)
def settings(request: pytest.FixtureRequest, settings_of: MakeSettings, tmp_path: Path) -> Settings:
    """Each engine in turn."""
    return settings_of(request.param, tmp_path / "home")


@pytest.fixture
def cloud(settings_of: MakeSettings, tmp_path: Path, wire: Proxy) -> Iterator[Settings]:
    """BigQuery alone; faults that a test leaves over end with it."""
    yield settings_of("bigquery", tmp_path / "home")
    wire.faults.clear()


@pytest.fixture(scope="session")
def both(modelled: Modelled, settings_of: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """One world with a backtested model of each engine's own; what comes after goes on from there."""
    from tests.conformance.both import Both

    folder = tmp_path_factory.mktemp("both")
    made = Both(modelled, *(settings_of(engine, folder / engine / "home") for engine in ENGINES))
    made.cloud.do("train")
    return made


@contextmanager
def writing(settings: Settings) -> Iterator[Warehouse]:
    """The warehouse as a run has it: leased, open for writing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        held.enter_context(open_lease(settings, lambda line: None))
        yield held.enter_context(open_for_writing(settings, lambda line: None))


@contextmanager
def as_another_process() -> Iterator[None]:
    """What this process holds is unknown inside, as it is to another one."""
    held, bigquery_lease._rows = bigquery_lease._rows, {}
    try:
        yield
    finally:
        bigquery_lease._rows = held


def bring_crm(settings: Settings, folder: Path) -> None:
    """The folder's CRM files, those that are there, as the CRM's own tables, typed as a synchronised CRM has them.

    Times are TIMESTAMP, all else is text.
    """
    jobs = connect(settings)
    settle(jobs, settings, create=True)
    jobs.client.create_dataset(settings.crm_dataset, exists_ok=True, retry=jobs.retry)
    for name in CRM_FILES:
        if (folder / name).exists():
            _bring(jobs, f"{settings.crm_dataset}.{Path(name).stem}", folder / name)


def _bring(jobs: Jobs, table: str, file: Path) -> None:
    with file.open(encoding="utf-8", newline="") as content:
        names = next(csv.reader(content))
    jobs.load(file, f"{jobs.client.project}.{table}_text", names)
    columns = ", ".join(f"CAST(`{name}` AS TIMESTAMP) AS `{name}`" if name in TIMES else f"`{name}`" for name in names)
    jobs.statement(f"CREATE OR REPLACE TABLE `{table}` AS SELECT {columns} FROM `{table}_text`")


def variables(settings: Settings) -> dict[str, str]:
    """The environment by which a process of its own finds the same warehouse."""
    found = {"LEADSCORE_WAREHOUSE": settings.engine, "LEADSCORE_LEASE_WAIT_SECONDS": "1"}
    if settings.engine == "bigquery":
        found |= {
            "LEADSCORE_GCP_PROJECT": str(settings.project),
            "BIGQUERY_EMULATOR_HOST": str(settings.emulator),
            "LEADSCORE_RETRY_SECONDS": "60",
        }
    return found
