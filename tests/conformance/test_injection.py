"""SQL through the back door: names and values that try to be statements are refused, or stay values."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from leadscore_v6.errors import LeadscoreError, UsageError
from leadscore_v6.settings import Settings, from_environment
from leadscore_v6.warehouse.landing import feed_files
from leadscore_v6.warehouse.landing.header import read_header
from leadscore_v6.warehouse.protocol import FileTable, Layout
from tests.conformance.conftest import writing
from tests.conformance.proxy import Proxy

BAD_NAMES = [
    "LeadScoring.t`; DROP TABLE `LeadScoring.kept",
    "LeadScoring.t` WHERE FALSE --",
    'LeadScoring.t"; DROP TABLE "LeadScoring"."kept',
    "LeadScoring.kept/*",
    "LeadScoring.t\n",
    "Lead Scoring.t",
    "t",
    "",
]
BAD_COLUMNS = ["a`, (SELECT 1) AS `b", "a b", "a`", 'a"', "1a", ""]


@pytest.fixture
def spied(settings: Settings, wire: Proxy):
    """Each engine with a table that must survive; on BigQuery, nothing that a test tries may be sent."""
    with writing(settings) as warehouse:
        warehouse.create_table("LeadScoring.kept", "SELECT 1 AS a")
        before = len(wire.sent)
        yield warehouse
        assert not [body for _, path, body in wire.sent[before:] if "DROP TABLE" in str(body) or "DROP" in path]
        assert warehouse.query("SELECT a FROM `LeadScoring.kept`") == [{"a": 1}]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_table_name_is_a_name(spied, name: str) -> None:
    for attempt in (
        lambda: spied.create_table(name, "SELECT 1 AS a"),
        lambda: spied.create_view(name, "SELECT 1 AS a"),
        lambda: spied.expose_file(name, FileTable("f.csv", ["Id"])),
        lambda: spied.publish("LeadScoring.kept", name),
        lambda: spied.publish(name, "LeadScoring.t"),
        lambda: spied.drop(name),
        lambda: spied.count_rows(name),
        lambda: spied.probe(name),
        lambda: spied.exists(name),
        lambda: spied.columns(name),
        lambda: spied.ensure_table(name, {"a": "INT64"}),
        lambda: spied.insert(name, [{"a": 1}]),
    ):
        with pytest.raises(UsageError):
            attempt()


@pytest.mark.parametrize("column", BAD_COLUMNS)
def test_a_column_name_is_a_name_on_bigquery(cloud: Settings, column: str) -> None:
    """DuckDB quotes any name; BigQuery has no way to, and a landed file's columns have been made legal (R1)."""
    with writing(cloud) as warehouse:
        warehouse.create_table("LeadScoring.kept", "SELECT 1 AS a")
        for attempt in (
            lambda: warehouse.count_nulls("LeadScoring.kept", [column]),
            lambda: warehouse.expose_file("LeadScoring.t", FileTable("f.csv", [column])),
            lambda: warehouse.create_table("LeadScoring.t", "SELECT 1 AS a", None, Layout(cluster_by=[column])),
            lambda: warehouse.insert("LeadScoring.kept", [{column: 1}]),
        ):
            with pytest.raises(UsageError):
                attempt()


def test_the_columns_of_a_hostile_file_become_legal_names() -> None:
    header = b"a`b,c\"\"d,x; DROP TABLE t,@p,'q',--\n"
    assert [column.name for column in read_header(header, [], "f.csv").columns] == [
        "a_b",
        "c__d",
        "x__DROP_TABLE_t",
        "_p",
        "_q_",
        "__",
    ]


@pytest.mark.parametrize(
    "name", ["RIARepDataFeed_20240107`; DROP.csv", "RIARepDataFeed_2024-01-07.csv", "RIARepDataFeed_';.csv"]
)
def test_a_hostile_file_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x\n")
    with pytest.raises(LeadscoreError, match="not named like a feed file"):
        feed_files(tmp_path, date(2024, 5, 5))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LEADSCORE_DATASET", 'x"; DROP SCHEMA "LeadScoring'),
        ("LEADSCORE_DATASET", "a.b"),
        ("LEADSCORE_CRM_DATASET", "x` WHERE TRUE --"),
        ("LEADSCORE_GCP_PROJECT", "p`.d.t; --"),
        ("LEADSCORE_GCP_PROJECT", "UPPER"),
        ("LEADSCORE_LOCATION", "US/../../x"),
        ("LEADSCORE_MAX_BYTES_BILLED", "1; DROP"),
    ],
)
def test_settings_that_would_reach_sql_are_refused(variable: str, text: str) -> None:
    with pytest.raises(UsageError, match=variable):
        from_environment({variable: text})
