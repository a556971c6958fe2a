"""The test as step 5.2 planned it, and where it stands: what every step of 5.3 begins with.

Belongs here: reading the plan, the protocol and the records of a test out of ledger and warehouse. Does not belong
here: statistics (experiments/), building tables (steps.py).

"Today" of the experiment is the day of the CRM extract, never the clock's (R47). A plan freezes the settings and the
model (R58): what the steps of 5.3 use is what stands in the plan, and a configuration that says otherwise is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from leadscore_v6.assets.code import code_digest
from leadscore_v6.contracts import contract, load_document
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.daily import Records
from leadscore_v6.experiments.looks import Look, Protocol
from leadscore_v6.experiments.power import WEEK
from leadscore_v6.experiments.settings import EXPERIMENT_FILE, ExperimentSettings
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.paths import config_root
from leadscore_v6.warehouse.protocol import Params, Warehouse
from leadscore_v6.warehouse.sql import render

POWER, ASSIGNMENTS, QUEUE = "ab_test_power_analysis_v6", "ab_test_assignments_v6", "ab_test_queue_v6"
DAILY, INTERIM, FINAL = "ab_test_daily_metrics_v6", "ab_test_interim_analysis_v6", "ab_test_final_analysis_v6"
CONTRACTS = {
    POWER: "ab_test_power",
    ASSIGNMENTS: "ab_test_assignments",
    QUEUE: "ab_test_queue",
    DAILY: "ab_test_daily_metrics",
}
# In which order people read the rows: treatment before control.
_ORDER = {
    ASSIGNMENTS: ["fingerprint", "lead_id"],
    QUEUE: ["queue_date", "arm", "position"],
    DAILY: ["day"],
}
# What decides what the experiment's steps build, besides the SQL and the plan.
_PATH = ("experiments/*.py", "assets/experiment/*.py")


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
    known = [one for one in ledger.attempts.values() if one.asset == POWER and one.state == "published"]
    return plan_of(max(known, key=lambda one: one.seq)) if known else None


def running_plan(ledger: Ledger) -> Plan:
    """The plan in force, held against the configuration. Raises UsageError where none is, or where they differ."""
    plan = current_plan(ledger)
    if plan is None:
        raise UsageError("No test is planned: `leadscore experiment plan` first.")
    require_as_planned(plan, experiment_settings())
    return plan


def experiment_settings() -> ExperimentSettings:
    """`config/v6_experiment.yaml`, checked. Raises InputError with file and line, UsageError on what cannot be."""
    return ExperimentSettings.of(load_document(config_root() / EXPERIMENT_FILE, "experiment"))


def require_as_planned(plan: Plan, settings: ExperimentSettings) -> None:
    """Raises UsageError naming every setting that was changed since the test was planned (R28)."""
    planned, now = plan.settings.as_dict(), settings.as_dict()
    # The capacity that was planned with was measured where it could be.
    planned["design"].pop("capacity_share")
    now["design"].pop("capacity_share")
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


def is_concluded(ledger: Ledger, plan: Plan) -> bool:
    """Whether the arms were compared in the final analysis, well or not."""
    return look_attempt(ledger, plan, FINAL) is not None


# --- what there is to read ------------------------------------------------------------------------------------------


def extract_day(ledger: Ledger) -> date:
    """The day of the CRM extract: today, to the experiment (R47)."""
    leads = ledger.latest("crm_leads")
    assert leads is not None, "the guard has passed"
    return date.fromisoformat(leads.facts["crm_extracted_at"])


def table(warehouse: Warehouse, asset: str) -> str:
    """Full name of a step's table."""
    return f"{warehouse.dataset}.{asset}"


def text(warehouse: Warehouse, name: str, **tables: str) -> str:
    """A text of `sql/`; `tables` are the steps' names by template variable."""
    lists = {}
    folder = name.partition("/")[0]
    if name.endswith("/query.sql"):
        lists["contract_columns"] = contract(CONTRACTS[folder]).names
    return render(name, {variable: table(warehouse, asset) for variable, asset in tables.items()}, lists)


def rows(warehouse: Warehouse, sql: str, params: Params, columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows with these columns, whether or not there are any."""
    return warehouse.frame(sql, params).reindex(columns=list(columns))


def whole_table(warehouse: Warehouse, asset: str, variable: str) -> pd.DataFrame:
    """All rows of a table of the experiment as it is served; none before it was first published."""
    columns = contract(CONTRACTS[asset]).names
    if not warehouse.exists(table(warehouse, asset)):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    found = rows(warehouse, text(warehouse, f"{asset}/query.sql", **{variable: asset}), {}, columns)
    return found.sort_values(_ORDER[asset], ascending=[name != "arm" for name in _ORDER[asset]], ignore_index=True)


def assignments_of(warehouse: Warehouse, plan: Plan) -> pd.DataFrame:
    """The test's assignments."""
    found = whole_table(warehouse, ASSIGNMENTS, "assignments")
    return found[found["fingerprint"] == plan.fingerprint].reset_index(drop=True)


def records_of(warehouse: Warehouse, plan: Plan, as_of: date) -> Records:
    """What the test's cohort is made from, as of that day."""
    since = {"first_day": plan.started_on, "as_of": as_of}
    dials = text(warehouse, f"{DAILY}/dials.sql", crm_dials="crm_dials")
    outcomes = text(warehouse, f"{DAILY}/outcomes.sql", leads="crm_leads")
    return Records(
        assignments_of(warehouse, plan),
        rows(warehouse, dials, since, ("lead_id", "dialled_on", "queue")),
        rows(warehouse, outcomes, since, ("lead_id", "converted_on")),
    )


def require_dials(ledger: Ledger) -> None:
    """Raises InputError where the CRM logs no dials: the test counts outcomes per dial (R28, R50)."""
    dials = ledger.latest("crm_dials")
    assert dials is not None, "the guard has passed"
    if not dials.facts.get("rows"):
        raise InputError(
            "The test is read per dial, and no dial was landed",
            file="Dials.csv",
            remedy="export the CRM's dials beside Lead.csv (Id, FA_CRD__c, associate, dialled_at, queue); "
            "sga_adoption_tracking_plan_v6.md says what each column must hold.",
        )


def protocol_of(ledger: Ledger, plan: Plan, records: Records, as_of: date) -> Protocol:
    """What was planned, and what happened since: enrolment closed or not, looks taken."""
    taken = looks_taken(ledger, plan)
    return Protocol(plan.dials, plan.started_on, _closed_on(ledger, plan, records, as_of), taken)


def looks_taken(ledger: Ledger, plan: Plan) -> tuple[Look, ...]:
    """Looks at this test that were taken before the final one: their arms were compared, whatever the gates said."""
    interim = look_attempt(ledger, plan, INTERIM)
    if interim is None:
        return ()
    look = interim.facts["look"]
    return (Look(**{**look, "as_of": date.fromisoformat(look["as_of"])}),)


def look_attempt(ledger: Ledger, plan: Plan, asset: str) -> Attempt | None:
    """The first attempt at a look of this test at which the arms were compared, whatever its gates said.

    A later one would be another look. One that was not decision-ready compared nothing, and is none.
    """
    compared = [
        one
        for one in ledger.attempts.values()
        if one.asset == asset and one.facts.get("plan") == plan.attempt and one.facts.get("look")
    ]
    return min(compared, key=lambda one: one.seq, default=None)


def _closed_on(ledger: Ledger, plan: Plan, records: Records, as_of: date) -> date | None:
    """The day on which enrolment ended: the planned dials are made, the longest enrolment is over, or a look said so.

    None while it goes on.
    """
    ends = [plan.enrols_until]
    assigned = set(records.assignments["lead_id"])
    of_test = records.dials[records.dials["lead_id"].isin(assigned)]
    first = np.sort(days(of_test.drop_duplicates("lead_id")["dialled_on"]).to_numpy())
    if len(first) >= plan.dials:
        ends.append(pd.Timestamp(first[plan.dials - 1]).date())
    interim = look_attempt(ledger, plan, INTERIM)
    if interim is not None and interim.facts["decision"]["verdict"] in ("go", "no-go"):
        ends.append(date.fromisoformat(interim.facts["as_of"]))
    return min(ends) if min(ends) <= as_of else None


def days(values: pd.Series) -> pd.Series:
    """Midnights without a zone, as a DATE column of either engine."""
    return pd.to_datetime(values, utc=True).dt.tz_localize(None).dt.normalize()


@lru_cache(maxsize=1)
def experiment_code_hash() -> str:
    """Digest of the code that decides what the experiment's steps build (R38)."""
    return code_digest(_PATH)


def inputs_of(plan: Plan, as_of: date, *names: str) -> Mapping[str, Any]:
    """What decides a step of 5.3 besides its parents (R38); `names` are texts of `sql/`."""
    from leadscore_v6.paths import sql_root

    texts = {name: (sql_root() / name).read_text(encoding="utf-8") for name in names}
    return {"code": experiment_code_hash(), "plan": plan.as_dict(), "as_of": as_of, "sql": texts}
