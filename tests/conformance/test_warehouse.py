"""The `Warehouse` protocol, each promise on both engines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leadscore_v6.errors import GateBlocked, LeadscoreError
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.bigquery_engine import BigQueryWarehouse
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.warehouse.protocol import FileTable, Layout, TableColumn
from tests.conformance.conftest import writing
from tests.conformance.proxy import Proxy

LINES = {"seq": "INT64", "at": "TIMESTAMP", "says": "STRING", "share": "FLOAT64"}
NOON = dt.datetime(2026, 1, 5, 12, 0, 0, 123456, dt.UTC)
NASTY = "a 'quote', a \"double\", a `tick`, a \\slash, @name, -- none; DROP TABLE x;\nnew line, é 漢 🙂"


def test_values_and_types_come_back_as_they_went_in(settings: Settings) -> None:
    params = {
        "text": NASTY,
        "whole": 2**53 + 1,
        "real": 0.1,
        "yes": True,
        "day": dt.date(2024, 2, 29),
        "instant": NOON,
        "exact": Decimal("1.5"),
        "days": [dt.date(2024, 1, 7), dt.date(2024, 3, 31)],
    }
    select = (
        "SELECT @text AS text, @whole AS whole, @real AS real, @yes AS yes, @day AS day, @instant AS instant, "
        "CAST(@exact AS NUMERIC) AS exact, (SELECT COUNT(*) FROM UNNEST(@days) AS d WHERE d > @day) AS later"
    )
    with writing(settings) as warehouse:
        warehouse.create_table("LeadScoring.t", select, params)
        (row,) = warehouse.query("SELECT * FROM `LeadScoring.t`")
        kinds = [column.type for column in warehouse.columns("LeadScoring.t")]
    expected = [*list(params.values())[:-1], 1]
    assert list(row.values()) == expected
    assert kinds == ["STRING", "INT64", "FLOAT64", "BOOL", "DATE", "TIMESTAMP", "NUMERIC", "INT64"]


def test_lines_are_appended_with_their_nulls_and_odd_texts(settings: Settings) -> None:
    with writing(settings) as warehouse:
        warehouse.ensure_table("LeadScoring.lines", LINES)
        warehouse.ensure_table("LeadScoring.lines", LINES)
        warehouse.insert("LeadScoring.lines", [])
        warehouse.insert("LeadScoring.lines", [{"seq": 1, "at": NOON, "says": NASTY, "share": None}])
        more = [{"seq": n, "at": None, "says": None, "share": n / 3} for n in (2, 3)]
        warehouse.insert("LeadScoring.lines", more)
        rows = warehouse.query("SELECT seq, `at`, says, share FROM `LeadScoring.lines` ORDER BY seq")
    assert rows == [{"seq": 1, "at": NOON, "says": NASTY, "share": None}, *more]


def test_a_frame_has_its_columns_and_types_with_and_without_rows(settings: Settings) -> None:
    """By the names that the query gives them: an engine may answer `SELECT *` of a view in lower case."""
    rows = "SELECT 'a' AS Id, DATE '2024-03-31' AS contact_date, 1 AS known, 2.5 AS share UNION ALL SELECT "
    nulls = "'b', DATE '2024-02-29', NULL, NULL"
    with writing(settings) as warehouse:
        warehouse.create_table("LeadScoring.leads", rows + nulls)
        warehouse.create_view("LeadScoring.promoted", "SELECT * FROM `LeadScoring.leads`")
        columns = ", ".join(f"{name} AS {name}" for name in ("Id", "contact_date", "known", "share"))
        named = f"SELECT {columns} FROM `LeadScoring.promoted`"
        found = warehouse.frame(f"{named} ORDER BY Id")
        nothing = warehouse.frame(f"{named} WHERE Id = 'c'")
        dateless = warehouse.frame("SELECT Id AS Id FROM `LeadScoring.promoted` WHERE Id = 'c'")
    assert list(found.columns) == list(nothing.columns) == ["Id", "contact_date", "known", "share"]
    assert (list(dateless.columns), len(dateless), len(nothing)) == (["Id"], 0, 0)
    assert found["contact_date"].dtype.kind == nothing["contact_date"].dtype.kind == "M"
    assert found["contact_date"].dt.day.to_list() == [31, 29]
    assert found["known"].isna().to_list() == [False, True]


def test_a_landed_file_is_a_table_of_texts(settings: Settings) -> None:
    """Quoted commas, quotes and new lines; blanks and empty fields; text that looks like numbers (R1)."""
    content = '\ufeffId,Zip,No%te\r\n1,02139,"a, ""b""\nc"\r\n 2 ,,""\r\n3,1e3,Ünï\r\n'
    path = settings.home / "landing" / "by_sha256" / "abc.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8", newline="")
    with writing(settings) as warehouse:
        warehouse.expose_file("LeadScoring.raw", FileTable("landing/by_sha256/abc.csv", ["Id", "Zip", "No_te"]))
        assert warehouse.columns("LeadScoring.raw") == [
            TableColumn(name, "STRING", nullable=True) for name in ("Id", "Zip", "No_te")
        ]
        assert (warehouse.probe("LeadScoring.raw"), warehouse.count_rows("LeadScoring.raw")) == (1, 3)
        rows = warehouse.query(
            "SELECT Id AS a, NULLIF(Zip, '') AS b, NULLIF(No_te, '') AS c FROM `LeadScoring.raw` ORDER BY 1"
        )
        assert warehouse.count_nulls("LeadScoring.raw", ["Id"]) == {"Id": 0}
    assert [tuple(row.values()) for row in rows] == [
        (" 2 ", None, None),
        ("1", "02139", 'a, "b"\nc'),
        ("3", "1e3", "Ünï"),
    ]


def test_a_file_that_is_exposed_again_replaces_what_was_there(settings: Settings) -> None:
    store = settings.home / "landing" / "by_sha256"
    store.mkdir(parents=True)
    with writing(settings) as warehouse:
        for rows in (3, 2, 0):
            (store / f"{rows}.csv").write_text("Id\n" + "x\n" * rows)
            warehouse.expose_file("LeadScoring.raw", FileTable(f"landing/by_sha256/{rows}.csv", ["Id"]))
            assert warehouse.count_rows("LeadScoring.raw") == rows
        assert warehouse.probe("LeadScoring.raw") == 0


def test_publishing_replaces_whole_and_leaves_no_candidate(settings: Settings) -> None:
    with writing(settings) as warehouse:
        for number, content in enumerate(("one", "two")):
            warehouse.create_table("LeadScoring.candidate__t__k", f"SELECT '{content}' AS content")
            with warehouse.transaction():
                warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t")
            assert warehouse.query("SELECT content FROM `LeadScoring.t`") == [{"content": content}]
            assert not warehouse.exists("LeadScoring.candidate__t__k")
            warehouse.create_view(
                "LeadScoring.candidate__v__k", f"SELECT content, {number} AS word FROM `LeadScoring.t`"
            )
            warehouse.publish("LeadScoring.candidate__v__k", "LeadScoring.v")
            assert warehouse.query("SELECT word FROM `LeadScoring.v`") == [{"word": number}]
        names = [name for name in warehouse.names("LeadScoring") if name != "warehouse_lease"]
        assert names == ["t", "v"]
        with pytest.raises(LeadscoreError, match=r"no LeadScoring\.candidate__t__k to publish"):
            warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t")


def test_what_is_not_there_is_not_there(settings: Settings) -> None:
    with writing(settings) as warehouse:
        assert not warehouse.exists("LeadScoring.nothing")
        assert warehouse.columns("LeadScoring.nothing") == []
        assert warehouse.names("Elsewhere") == []
        warehouse.drop("LeadScoring.nothing")
        assert warehouse.count_nulls("LeadScoring.nothing", []) == {}


def test_nulls_are_counted_per_column(settings: Settings) -> None:
    with writing(settings) as warehouse:
        warehouse.create_table(
            "LeadScoring.t", "SELECT 1 AS a, NULL AS b UNION ALL SELECT NULL, NULL UNION ALL SELECT 2, 'x'"
        )
        assert warehouse.count_nulls("LeadScoring.t", ["a", "b"]) == {"a": 1, "b": 2}


def test_a_block_that_fails_can_be_carried_out_again(settings: Settings) -> None:
    """What a crash leaves between publication and the ledger's line: the candidate is there still (R38)."""

    def publish(*, dying: bool) -> None:
        with warehouse.transaction():
            warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t")
            if dying:
                raise RuntimeError

    with writing(settings) as warehouse:
        warehouse.create_table("LeadScoring.candidate__t__k", "SELECT 'new' AS content")
        with pytest.raises(RuntimeError):
            publish(dying=True)
        assert warehouse.exists("LeadScoring.candidate__t__k")
        publish(dying=False)
        assert warehouse.query("SELECT content FROM `LeadScoring.t`") == [{"content": "new"}]


def test_a_reader_reads_while_a_run_writes_and_cannot_write(cloud: Settings) -> None:
    with writing(cloud) as warehouse:
        warehouse.create_table("LeadScoring.t", "SELECT 1 AS a")
        with open_warehouse(cloud, read_only=True) as reader:
            assert reader.query("SELECT a FROM `LeadScoring.t`") == [{"a": 1}]
    with open_warehouse(cloud, read_only=True) as reader, pytest.raises(LeadscoreError, match="opened for reading"):
        reader.insert("LeadScoring.t", [{"a": 2}])


def test_the_catalogue_says_what_the_contract_says(cloud: Settings) -> None:
    layout = Layout('Says "what" it is; it\'s here.', {"A": "the first"}, cluster_by=("a",), keep_days=60)
    with writing(cloud) as warehouse:
        told = warehouse.create_table("LeadScoring.candidate__t__k", "SELECT 1 AS a, 2 AS b ORDER BY a", None, layout)
        warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t")
        table = warehouse._table("LeadScoring.t")
    assert table.description == layout.description
    assert {field.name: field.description for field in table.schema} == {"a": "the first", "b": None}
    assert table.labels == {"product": "leadscore"}
    assert told.keys() == {"bytes_estimated", "bytes_billed", "job"}


def test_a_statement_that_would_read_too_much_is_not_run(cloud: Settings, wire: Proxy) -> None:
    with writing(cloud) as warehouse:
        wire.fault("bytes", '"dryRun": true', seconds=10**12)
        before = len(wire.queries())
        with pytest.raises(GateBlocked, match=r"bytes_estimated 1,000,000,000,000; must be <= 53,687,091,200"):
            warehouse.create_table("LeadScoring.t", "SELECT 1 AS a")
        assert len(wire.queries()) == before
        assert not warehouse.exists("LeadScoring.t")
    assert all(int(job["query"]["maximumBytesBilled"]) == 53_687_091_200 for job in wire.queries())


def test_a_file_of_the_house_is_all_that_names_it(settings: Settings, tmp_path: Path) -> None:
    """A landed file's path is relative to the home (R55): the same home, moved, loads the same file."""
    (settings.home / "landing").mkdir(parents=True)
    (settings.home / "landing" / "f.csv").write_text("Id\nx\n")
    with writing(settings) as warehouse:
        warehouse.expose_file("LeadScoring.raw", FileTable("landing/f.csv", ["Id"]))
        assert warehouse.query("SELECT Id AS i FROM `LeadScoring.raw`") == [{"i": "x"}]


def test_the_same_leads_are_the_same_file(cloud: Settings) -> None:
    """Whatever order the CRM's table has them in; a file that says the same is not even written again (R49)."""
    with writing(cloud) as warehouse:
        assert isinstance(warehouse, BigQueryWarehouse)
        warehouse._jobs.client.create_dataset("SavvyGTMData", exists_ok=True, retry=warehouse._jobs.retry)
        marks = []
        for ids in (("b", "a", "c"), ("c", "b", "a")):
            rows = " UNION ALL ".join(f"SELECT '{i}' AS Id, TIMESTAMP '2024-01-07 12:00:00+00' AS At_c" for i in ids)
            warehouse._jobs.statement(f"CREATE OR REPLACE TABLE `SavvyGTMData.Lead` AS {rows}")
            file = warehouse.crm_file("Lead", cloud.data, cloud.crm_spool, ["Id", "At_c"])
            marks.append((file.read_text(), file.stat().st_mtime_ns))
    assert marks[0] == marks[1]
    assert [line[:2] for line in marks[0][0].splitlines()] == ["Id", "a,", "b,", "c,"]


FRAME = {"score_date": "DATE", "Id": "STRING", "probability": "FLOAT64", "rank": "INT64"}
DAY = dt.date(2025, 11, 5)


def scores(*rows: tuple[str, float | None, int | None], day: dt.date = DAY) -> pd.DataFrame:
    return pd.DataFrame([(day, *row) for row in rows], columns=list(FRAME))


def test_a_frame_comes_back_bit_by_bit(settings: Settings) -> None:
    rows = [(NASTY, 0.1 + 0.2, 2**53 - 1), ("third", 1 / 3, 0), ("tiny", 5e-324, -1), ("none", None, None)]
    with writing(settings) as warehouse:
        warehouse.write_frame("LeadScoring.t", scores(*rows), FRAME, Layout("Says.", {"Id": "the lead"}))
        found = warehouse.query("SELECT * FROM `LeadScoring.t`")
        kinds = {column.name: column.type for column in warehouse.columns("LeadScoring.t")}
    assert kinds == FRAME
    assert {tuple(row.values()) for row in found} == {(DAY, *row) for row in rows}


def test_a_frame_without_rows_is_a_table_without_rows(settings: Settings) -> None:
    with writing(settings) as warehouse:
        warehouse.write_frame("LeadScoring.t", scores(), FRAME)
        assert warehouse.count_rows("LeadScoring.t") == 0
        assert {column.name: column.type for column in warehouse.columns("LeadScoring.t")} == FRAME


LAYOUT = Layout("Says.", {"id": "the lead"}, cluster_by=("Id",))


def laid_out(table: Any) -> tuple[Any, ...]:
    """What the catalogue says of a table, and how it lies."""
    columns = {field.name: field.description for field in table.schema}
    return table.description, table.labels, columns, table.clustering_fields


@pytest.mark.parametrize("leads", [(("a", 0.5, 1),), ()], ids=["rows", "none"])
def test_a_frames_table_is_laid_out_as_that_of_a_statement(cloud: Settings, leads: Any) -> None:
    with writing(cloud) as warehouse:
        warehouse.write_frame("LeadScoring.t", scores(*leads), FRAME, LAYOUT)
        warehouse.create_table("LeadScoring.u", "SELECT * FROM `LeadScoring.t`", None, LAYOUT)
        ours, theirs = (laid_out(warehouse._table(f"LeadScoring.{name}")) for name in "tu")
    assert ours == theirs
    assert ours[1:] == ({"product": "leadscore"}, {**dict.fromkeys(FRAME), "Id": "the lead"}, ["Id"])


def test_a_table_of_all_days_is_partitioned_and_says_what_the_last_day_says(cloud: Settings, wire: Proxy) -> None:
    """Made with the first day; of a later one that is clustered or described otherwise it takes that over."""
    found = []
    begun = len(wire.sent)
    with writing(cloud) as warehouse:
        for number, layout in enumerate((LAYOUT, Layout("Said."))):
            warehouse.write_frame("LeadScoring.candidate__t__k", scores(("a", 0.5, number)), FRAME, layout)
            warehouse.publish("LeadScoring.candidate__t__k", f"LeadScoring.t${DAY:%Y%m%d}")
            table = warehouse._table("LeadScoring.t")
            found.append((table.time_partitioning.field, *laid_out(table)))
        assert [row["rank"] for row in warehouse.query("SELECT rank AS rank FROM `LeadScoring.t`")] == [1]
    product, columns = {"product": "leadscore"}, dict.fromkeys(FRAME)
    assert found == [
        ("score_date", "Says.", product, {**columns, "Id": "the lead"}, ["Id"]),
        ("score_date", "Said.", product, columns, None),
    ]
    # Clustered from its first row on, and not by what is said of it afterwards.
    made = [body for _, path, body in wire.sent[begun:] if path.endswith("/tables") and "timePartitioning" in body]
    assert made[0]["clustering"] == {"fields": ["Id"]}


def test_a_table_of_another_clustering_makes_way(cloud: Settings, wire: Proxy) -> None:
    """BigQuery would refuse to replace it. What is served is clustered anew, and never gone; a candidate goes."""
    with writing(cloud) as warehouse:
        warehouse.write_frame("LeadScoring.t", scores(("a", 0.5, 1)), FRAME)
        warehouse.write_frame("LeadScoring.candidate__t__k", scores(("a", 0.5, 1)), FRAME)
        begun = len(wire.sent)
        warehouse.write_frame("LeadScoring.candidate__t__k", scores(("b", 0.5, 1)), FRAME, LAYOUT)
        warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t")
        assert laid_out(warehouse._table("LeadScoring.t"))[-1] == ["Id"]
    said = [said for sent in wire.sent[begun:] if (said := _of_layout(*sent))]
    candidate, served = "candidate__t__k", "t"
    assert said == [
        f"drop {candidate}",
        f"load {candidate} ['Id']",
        f"cluster {served} ['Id']",
        f"copy {served}",
        f"drop {candidate}",
    ]


def _of_layout(method: str, path: str, body: Mapping[str, Any]) -> str | None:
    """A request that makes, drops, copies or clusters a table, in words."""
    configuration = body.get("configuration", {})
    sql = configuration.get("query", {}).get("query", "")
    if sql.startswith("DROP"):
        return None if configuration.get("dryRun") else f"drop {sql.partition('.')[2].rstrip('`')}"
    if "load" in configuration:
        load = configuration["load"]
        return f"load {load['destinationTable']['tableId']} {load['clustering']['fields']}"
    if "copy" in configuration:
        return f"copy {configuration['copy']['destinationTable']['tableId']}"
    if method == "PATCH" and "clustering" in body:
        return f"cluster {path.rpartition('/')[2]} {body['clustering']['fields']}"
    return None


def test_a_day_takes_the_place_of_that_day_alone(settings: Settings) -> None:
    other = DAY - dt.timedelta(days=1)
    with writing(settings) as warehouse:
        for day, ids in ((other, "ab"), (DAY, "cd"), (other, "be"), (DAY, "")):
            frame = scores(*((lead, 0.5, 1) for lead in ids), day=day)
            warehouse.write_frame("LeadScoring.candidate__t__k", frame, FRAME)
            with warehouse.transaction():
                warehouse.publish("LeadScoring.candidate__t__k", f"LeadScoring.t${day:%Y%m%d}")
            assert not warehouse.exists("LeadScoring.candidate__t__k")
        found = warehouse.query("SELECT score_date, Id FROM `LeadScoring.t` ORDER BY Id")
        assert [tuple(row.values()) for row in found] == [(other, "b"), (other, "e")]
        warehouse.drop(f"LeadScoring.t${other:%Y%m%d}")
        assert warehouse.count_rows("LeadScoring.t") == 0


def test_rows_of_another_day_are_not_published(settings: Settings) -> None:
    with writing(settings) as warehouse:
        warehouse.write_frame("LeadScoring.candidate__t__k", scores(("a", 0.5, 1)), FRAME)
        with pytest.raises(LeadscoreError, match="1 rows that are not of 2025-11-04"):
            warehouse.publish("LeadScoring.candidate__t__k", "LeadScoring.t$20251104")
        assert not warehouse.exists("LeadScoring.t")
