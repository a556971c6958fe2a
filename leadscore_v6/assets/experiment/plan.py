"""The test as step 5.2 planned it: what every step of 5.3 begins with.

Belongs here: the plan in force, and reading the experiment's tables. Does not belong here: where the test stands
(progress.py), statistics (experiments/), building tables (the steps' own modules).

"Today" of the experiment is the day of the CRM extract, never the clock's (R47). A plan freezes the settings and the
model (R58): what the steps of 5.3 use is what stands in the plan, and a configuration that says otherwise is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import pandas as pd

from leadscore_v6.assets.code import code_digest
from leadscore_v6.assets.tables import contract_of
from leadscore_v6.contracts import load_document
from leadscore_v6.errors import UsageError
from leadscore_v6.experiments.power import WEEK
from leadscore_v6.experiments.settings import EXPERIMENT_FILE, ExperimentSettings
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.programme import plan_in_force, stop_of
from leadscore_v6.paths import config_root
from leadscore_v6.warehouse.protocol import Params, Warehouse
from leadscore_v6.warehouse.sql import render

POWER, ASSIGNMENTS, QUEUE = "ab_test_power_analysis_v6", "ab_test_assignments_v6", "ab_test_queue_v6"
DAILY, INTERIM, FINAL = "ab_test_daily_metrics_v6", "ab_test_interim_analysis_v6", "ab_test_final_analysis_v6"
# In which order people read the rows: treatment before control.
_ORDER = {
    ASSIGNMENTS: ["fingerprint", "lead_id"],
    QUEUE: ["queue_date", "arm", "position"],
    DAILY: ["day"],
}
# What decides what the experiment's steps build, besides the SQL and the plan.
_PATH = ("experiments/*.py", "assets/experiment/*.py", "assets/tables.py")


@dataclass(frozen=True)
class Plan:
    """A planned test. `dials` are first dials of both arms; `model_digest` is of the calibrated model's manifest."""

    attempt: str
    settings: ExperimentSettings
    started_on: date
    dials: int
    model_version: str
    model_digest: str

    @property
    def fingerprint(self) -> str:
        """Which rows of the assignments and queues are this test's."""
        return self.settings.assignment.fingerprint

    @property
    def enrols_until(self) -> date:
        """The last day of the longest enrolment."""
        return self.started_on + timedelta(days=WEEK * self.settings.design.max_enrolment_weeks - 1)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for the ledger."""
        return {
            "settings": self.settings.as_dict(),
            "fingerprint": self.fingerprint,
            "started_on": self.started_on.isoformat(),
            "dials": self.dials,
            "model_version": self.model_version,
            "model_digest": self.model_digest,
        }


def plan_of(attempt: Attempt) -> Plan:
    """The plan that a published power analysis froze."""
    facts = attempt.facts["plan"]
    return Plan(
        attempt=attempt.key,
        settings=ExperimentSettings.of(facts["settings"]),
        started_on=date.fromisoformat(facts["started_on"]),
        dials=int(facts["dials"]),
        model_version=facts["model_version"],
        model_digest=facts["model_digest"],
    )


def current_plan(ledger: Ledger) -> Plan | None:
    """The plan in force; None before the first one was published."""
    attempt = plan_in_force(ledger)
    return plan_of(attempt) if attempt is not None else None


def running_plan(ledger: Ledger) -> Plan:
    """The plan in force, held against the configuration.

    Raises UsageError where none is, where its test was stopped, or where they differ.
    """
    plan = current_plan(ledger)
    if plan is None:
        raise UsageError("No test is planned: `leadscore experiment plan` first.")
    end = stop_of(ledger, plan.attempt)
    if end is not None:
        raise UsageError(
            f"The test that was planned for {plan.started_on} was {end}: nothing more of it is assigned, queued or "
            "read.\n"
            "  what to do: `leadscore experiment plan` plans the next one, under a salt of its own."
        )
    require_as_planned(plan, experiment_settings())
    return plan


def experiment_settings() -> ExperimentSettings:
    """`config/v6_experiment.yaml`, checked. Raises InputError with file and line, UsageError on what cannot be."""
    return ExperimentSettings.of(load_document(config_root() / EXPERIMENT_FILE, "experiment"))


def require_as_planned(plan: Plan, settings: ExperimentSettings) -> None:
    """Raises UsageError naming every setting that was changed since the test was planned (R28)."""
    planned, now = plan.settings.as_dict(), settings.as_dict()
    # The capacity that was planned with was measured where it could be; how old dials may be is about the CRM's export.
    for name in ("capacity_share", "max_dial_age_days"):
        planned["design"].pop(name)
        now["design"].pop(name)
    changed = [
        f"  - {section}.{name}: planned {planned[section][name]!r}, now {now[section][name]!r}"
        for section in planned
        for name in planned[section]
        if planned[section][name] != now[section][name]
    ]
    if changed:
        raise UsageError(
            f"{EXPERIMENT_FILE} was changed under the test that was planned for {plan.started_on}:\n"
            + "\n".join(changed)
            + "\n  what to do: put them back as they were. A changed design is for the next test, with its own salt."
        )


def require_started(plan: Plan, as_of: date) -> date:
    """`as_of`, the day of the CRM extract. Raises UsageError before the test's first day."""
    if as_of < plan.started_on:
        raise UsageError(
            f"The test starts on {plan.started_on}, and the CRM extract is of {as_of}.\n"
            "  what to do: land a newer Lead.csv (`leadscore experiment assign --data DIR`)."
        )
    return as_of


# --- what there is to read ------------------------------------------------------------------------------------------


def table(warehouse: Warehouse, asset: str) -> str:
    """Full name of a step's table."""
    return f"{warehouse.dataset}.{asset}"


def text(warehouse: Warehouse, name: str, **tables: str) -> str:
    """A text of `sql/`; `tables` are the steps' names by template variable."""
    lists = {}
    folder = name.partition("/")[0]
    if name.endswith("/query.sql"):
        lists["contract_columns"] = contract_of(folder).names
    return render(name, {variable: table(warehouse, asset) for variable, asset in tables.items()}, lists)


def rows(warehouse: Warehouse, sql: str, params: Params, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows with these columns, whether or not there are any."""
    return warehouse.frame(sql, params).reindex(columns=list(columns))


def whole_table(warehouse: Warehouse, asset: str, variable: str) -> pd.DataFrame:
    """All rows of a table of the experiment as it is served; none before it was first published."""
    columns = contract_of(asset).names
    if not warehouse.exists(table(warehouse, asset)):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    found = rows(warehouse, text(warehouse, f"{asset}/query.sql", **{variable: asset}), {}, columns)
    return found.sort_values(_ORDER[asset], ascending=[name != "arm" for name in _ORDER[asset]], ignore_index=True)


def assignments_of(warehouse: Warehouse, plan: Plan) -> pd.DataFrame:
    """The test's assignments."""
    found = whole_table(warehouse, ASSIGNMENTS, "assignments")
    return found[found["fingerprint"] == plan.fingerprint].reset_index(drop=True)


@lru_cache(maxsize=1)
def experiment_code_hash() -> str:
    """Digest of the code that decides what the experiment's steps build (R38)."""
    return code_digest(_PATH)


def inputs_of(plan: Plan, as_of: date, *names: str) -> Mapping[str, Any]:
    """What decides a step of 5.3 besides its parents (R38); `names` are texts of `sql/`."""
    from leadscore_v6.paths import sql_root

    texts = {name: (sql_root() / name).read_text(encoding="utf-8") for name in names}
    return {"code": experiment_code_hash(), "plan": plan.as_dict(), "as_of": as_of, "sql": texts}
