"""Pages that are made from the product say what the product says; links in the README lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.contracts import contract
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.gates.steps import STEPS

REPOSITORY = Path(__file__).parents[1]
OPERATORS = ("alerts.md", "runbook.md", "production_runbook_v6.md")
DEPLOYMENT = REPOSITORY / "docs" / "deploy-bigquery.md"


def script(name: str) -> ModuleType:
    """A script of docs/."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    # Dataclasses look their module up.
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_data_dictionary_is_that_of_the_contracts() -> None:
    written = (REPOSITORY / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert written == script("data_dictionary").page(), "run: python docs/data_dictionary.py"


def test_the_page_of_gates_is_that_of_the_registry() -> None:
    written = (REPOSITORY / "docs" / "gates.md").read_text(encoding="utf-8")
    assert written == script("gates").page(), "run: python docs/gates.py"
    gates = [gate for asset in STEPS for gate in load_gates().of(asset)]
    assert re.findall(r"^### `(\w+)`$", written, re.MULTILINE) == [gate.name for gate in gates]


def test_tables_weigh_what_bigquery_says_of_their_types() -> None:
    """By hand: a number, a day or a time is 8 bytes, NUMERIC 16, BOOL 1, a text 2 and its UTF-8, a NULL nothing."""
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE SCHEMA d; CREATE TABLE d.t AS
            SELECT 1::BIGINT AS i, 1.5::DOUBLE AS f, DATE '2024-01-01' AS day, true AS b, 'Zürich' AS "s %"
            UNION ALL SELECT NULL, NULL, NULL, NULL, NULL UNION ALL SELECT 2, 2, DATE '2024-01-02', false, ''"""
        )
        connection.execute("CREATE TABLE d.n AS SELECT 1::DECIMAL(38,9) AS n, '2024-01-01 00:00:00Z'::TIMESTAMPTZ AS t")
        weigh = script("bigquery_bytes").weigh
        assert vars(weigh(connection, "d", "t")) == {"table": "t", "rows": 3, "columns": 5, "size": 2 * 25 + 9 + 2}
        assert weigh(connection, "d", "n").size == 24
        assert weigh(connection, "d", "t", frozenset({"s %"})).size == 11
        connection.execute("CREATE TABLE d.other AS SELECT 1::HUGEINT AS h")
        with pytest.raises(KeyError):
            weigh(connection, "d", "other")


def test_the_deployment_page_counts_the_columns_of_the_contracts() -> None:
    page = DEPLOYMENT.read_text(encoding="utf-8")
    for table, name in (
        ("snapshot_reps_YYYYMMDD`, one", "reps"),
        ("snapshot_firms_YYYYMMDD`, one", "firms"),
        ("step_3_1_staging_join_v6_VERSION`", "staging"),
        ("step_3_3_training_dataset_v6_VERSION`", "training"),
        ("… the columns that the transform reads", "feed"),
    ):
        (row,) = (line for line in page.splitlines() if line.startswith("|") and table in line)
        assert row.split("|")[2].strip() == str(len(contract(name).columns))


def test_the_page_on_alerts_has_every_rule_and_every_recipient() -> None:
    page = (REPOSITORY / "docs" / "alerts.md").read_text(encoding="utf-8")
    settings = alerting_settings()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for rule in settings.rules:
        (row,) = (line for line in rows if f"`{rule.name}`" in line)
        assert row.split("|")[2].strip() == rule.severity
    for to in settings.recipients.values():
        assert any(f"| {to.name} | `{to.address_from}` |" in line for line in rows)


def test_every_local_link_of_the_pages_for_operators_leads_somewhere() -> None:
    for page in (DEPLOYMENT, *(REPOSITORY / "docs" / name for name in OPERATORS)):
        for name, heading in re.findall(r"\]\((?!http)([^)#]+)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / name).exists(), name
            there = re.findall(r"^#+ `?([^`\n]+)", (page.parent / name).read_text(encoding="utf-8"), re.MULTILINE)
            assert not heading or heading in [title.lower().replace(" ", "-") for title in there], heading


def test_every_local_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []
