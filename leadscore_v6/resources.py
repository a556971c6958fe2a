"""What a run needs: the bench (lease, warehouse, ledger) and the options a person may set.

Belongs here: Dagster resources. Does not belong here: reading the environment (settings.py), or any rule of a step.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import Field, PrivateAttr

from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.bench import open_bench
from leadscore_v6.settings import Settings, from_environment


class WarehouseResource(dg.ConfigurableResource):
    """One run's hold on the warehouse. Its lease is taken when the run starts and given back when it ends (R44)."""

    _settings: Settings | None = PrivateAttr(default=None)
    _bench: Bench | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WarehouseResource"]:
        """Open for the run; the settings come from the environment of the process that runs it."""
        self._settings = from_environment()
        run_id = context.run.run_id if context.run else "no run"
        progress = context.log.info if context.log else print
        with open_bench(self._settings, run_id, progress) as bench:
            self._bench = bench
            yield self
        self._bench = None

    @property
    def settings(self) -> Settings:
        """Where things are."""
        assert self._settings is not None, "used outside a run"
        return self._settings

    @property
    def bench(self) -> Bench:
        """Where attempts are carried out."""
        assert self._bench is not None, "used outside a run"
        return self._bench

    @property
    def artifacts(self) -> ArtifactStore:
        """Where reports go."""
        return ArtifactStore(self.settings.artifacts)


class RunOptions(dg.ConfigurableResource):
    """What a person may set for a run; all of it is stored with what the run builds."""

    as_of: str = Field(
        default="",
        description="YYYY-MM-DD: nothing later is known (R9). Empty: the date of the CRM extract (R47).",
    )
    crm_extracted_at: str = Field(
        default="",
        description="YYYY-MM-DD: when Lead.csv was extracted. Empty: the last timestamp in it (R47).",
    )
    rebuild: bool = Field(
        default=False,
        description="Build again what is already there for the same content; versions get a new name (R39).",
    )
    entry_lag_days: int = Field(
        default=0,
        description="Days by which the CRM may be late with a scheduled call; leads mature that much later (R10).",
    )
