"""Which checks are made, in which order: the machine, the inputs, the warehouse in use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from leadscore_v6.doctor import cloud, embedded, machine
from leadscore_v6.doctor.champion import champion_whole, known_ledger
from leadscore_v6.doctor.finding import MISSING, Finding, unchecked
from leadscore_v6.doctor.inputs import Inbox
from leadscore_v6.locations import is_local
from leadscore_v6.settings import Settings


def examine(settings: Settings, today: date) -> Iterator[Finding]:
    """Every check that these settings call for, one after the other; `today` is the day that files are received (R48).

    Nothing is made or changed. What needs Google is asked for only where the engine or a folder is there, and a check
    that needs what another one found missing says so.
    """
    ledger = known_ledger(settings) if settings.engine == "duckdb" else None
    yield from machine.python_and_libraries(settings)
    yield machine.home(settings)
    yield machine.unfinished(settings)
    if isinstance(settings.artifacts, Path):
        yield machine.local_artifacts(settings.artifacts)
    needs_google = settings.engine == "bigquery" or not (is_local(settings.data) and is_local(settings.artifacts))
    google = list(cloud.google(settings)) if needs_google else []
    # First who we are: without credentials a bucket would only be tried in vain, once more.
    if is_local(settings.data) or all(finding.state != MISSING for finding in google[:1]):
        inbox = Inbox(settings, today)
        yield machine.disk(settings, inbox.bytes_to_land())
        yield from inbox.findings(ledger, leads_from_folder=settings.engine == "duckdb")
    else:
        yield machine.disk(settings, 0)
        yield unchecked("input folder", "credentials")
    if settings.engine == "duckdb":
        yield from embedded.warehouse(settings)
        yield from champion_whole(ledger, settings)
    yield from google
