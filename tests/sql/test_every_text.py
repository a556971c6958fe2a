"""What holds for every text of `sql/`, whatever it computes."""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatchcase
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml
from sqlglot import exp

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.step import DAY as BY_DAY
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.paths import config_root
from leadscore_v6.warehouse.protocol import DAY_COLUMN
from tests.oracle.catalog import Text, contract, folders, schema, text, texts
from tests.oracle.compare import agree, run_duckdb
from tests.oracle.reference import Output, reference

EVERY = pytest.mark.parametrize(("folder", "file"), texts())
DAY = dt.date(2024, 3, 31)
ANY: dict[str, Any] = {"DATE": DAY, "INT64": 30, "STRING": "00Q", "ARRAY<DATE>": [DAY], "ARRAY<STRING>": ["00Q"]}

# Figures that no SQL measures: the contract is compared by leadscore_v6/contracts, files are read by artifacts/, and
# scores are made again by the model.
MEASURED_ELSEWHERE = {
    "blocks_off",
    "coverage_p",
    "srm_p",
    "srm_dials_p",
    "leads_gone_share",
    "leads_changed_share",
    "leads_early_share",
    "dials_lost_share",
    "log_begins_earlier_days",
    "log_begins_later_days",
    "leads_before",
    "lost_share",
    "lost_recent_share",
    "process_guardrails_harmed",
    "power",
    "enrolment_weeks",
    "dials_available_over_required",
    "contract_violations",
    "columns_not_allowed",
    "auc_drop",
    "auc_drop_low",
    "expected_observed_high",
    "expected_observed_low",
    "features_drifted",
    "max_psi",
    "features_over_points",
    "features_unavailable",
    "files_unverified",
    "latency_mean_ms",
    "leads_judged",
    "lookups_differing",
    "scores_differing",
}


def over_no_rows(made: Text) -> Output:
    """Both engines' answer over empty tables; DuckDB's typed `SUM` binds for INT64 only, so this is R45's lint too."""
    return agree(made.sql, made.catalog, {}, made.bound({name: ANY[kind] for name, kind in made.parameters.items()}))


@EVERY
def test_the_reference_accepts_it(folder: str, file: str) -> None:
    made = text(folder, file)
    reference().analyze(made.sql, made.catalog, made.parameters)


@EVERY
def test_it_uses_every_parameter_it_declares(folder: str, file: str) -> None:
    made = text(folder, file)
    used = {node.name for node in sqlglot.parse_one(made.sql, dialect="bigquery").find_all(exp.Parameter)}
    assert used == set(made.parameters)


@pytest.mark.parametrize("folder", folders())
def test_a_query_gives_its_contract_on_both_engines(folder: str) -> None:
    output = over_no_rows(text(folder, "query.sql"))
    assert dict(zip(output.columns, output.types, strict=True)) == contract(schema(folder)["contract"])
    assert list(output.columns) == list(contract(schema(folder)["contract"]))


@pytest.mark.parametrize("folder", folders())
def test_checks_give_one_row_of_the_declared_figures_even_over_nothing(folder: str) -> None:
    output = over_no_rows(text(folder, "checks.sql"))
    declared = list(schema(folder)["checks"]["figures"])
    assert len(output.rows) == 1
    assert [column for column in output.columns if not any(fnmatchcase(column, name) for name in declared)] == []
    assert [name for name in declared if not any(fnmatchcase(column, name) for column in output.columns)] == []


@pytest.mark.parametrize("asset", sorted({folder.removesuffix("_YYYYMMDD") for folder in folders()}))
def test_every_gate_finds_its_figures(asset: str) -> None:
    folder = next(folder for folder in folders() if folder.removesuffix("_YYYYMMDD") == asset)
    gates = [
        gate for gate in yaml.safe_load((config_root() / "gates.yaml").read_text())["gates"] if gate["asset"] == asset
    ]
    read = {part["figure"] for gate in gates for part in (gate, gate.get("companion"), gate.get("when")) if part}
    given = set(over_no_rows(text(folder, "checks.sql")).columns)
    assert gates
    assert read - given - MEASURED_ELSEWHERE == set()


@pytest.mark.parametrize(
    ("exact", "careless"),
    [
        ("CAST(DateBecameRep_NumberOfYears AS NUMERIC)", "DateBecameRep_NumberOfYears"),
        ("CAST(AverageTenureAtPriorFirms AS NUMERIC)", "CAST(AverageTenureAtPriorFirms AS FLOAT64)"),
        ("SUM(Has_CFP) / COUNT(*)", "AVG(Has_CFP)"),
        ("SUM(Has_CFP)", "SUM(Has_CFP * 1.0)"),
        ("SUM(Has_CFP)", "SUM(DateBecameRep_NumberOfYears)"),
    ],
)
def test_a_sum_or_mean_of_floats_would_not_get_through(exact: str, careless: str) -> None:
    """R45: every text above was translated and bound, so what these break cannot be in any of them."""
    made = text("snapshot_firms_YYYYMMDD", "query.sql")
    assert exact in made.sql
    with pytest.raises((UsageError, duckdb.BinderException)):
        run_duckdb(made.sql.replace(exact, careless), made.catalog, {})


def test_no_table_holds_numeric() -> None:
    """NUMERIC is for sums on the way; as a column it would divide and multiply otherwise on DuckDB."""
    kinds = {kind for file in config_root().glob("*_contract.json") for kind in contract(file.name).values()}
    assert kinds == {"STRING", "INT64", "FLOAT64", "DATE", "TIMESTAMP"}


def test_tables_of_all_days_are_partitioned_by_the_day_and_no_others_are() -> None:
    """An engine makes such a table with its first day, and does not read schema.yaml for it."""
    partitioned = {folder: by for folder in folders() if (by := schema(folder)["partition_by"])}
    assert partitioned == {step.asset: DAY_COLUMN for step in STEPS.values() if step.partition == BY_DAY}


@pytest.mark.parametrize("folder", folders())
def test_a_table_is_clustered_by_columns_that_it_has(folder: str) -> None:
    described = schema(folder)
    assert described["contract"] or not described["cluster_by"]
    assert set(described["cluster_by"]) <= set(contract(described["contract"]) if described["contract"] else ())
