"""The extract: what is refused, what is counted, its last timestamp, and one grammar of timestamps here and in SQL."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from leadscore_v6.errors import InputError
from leadscore_v6.warehouse.landing import land_leads, parse_timestamp
from leadscore_v6.warehouse.sql import render, to_duckdb

HEADER = "Id,FA_CRD__c,Stage_Entered_Contacting__c,Stage_Entered_Call_Scheduled__c,LeadSource"


def write(folder, *lines, header=HEADER):
    path = folder / "Lead.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def refused(path, tmp_path) -> InputError:
    with pytest.raises(InputError) as caught:
        land_leads(path, tmp_path / "store")
    assert caught.value.file == str(path)
    return caught.value


def test_the_extract_lands_with_its_last_timestamp_of_either_column(tmp_path):
    path = write(
        tmp_path,
        "a,123,2025-03-01T23:30:00.000+0000,,List",
        "b,124,2025-03-02 00:10:00+02:00,2025-03-01 23:45:00,List",
        "c,125,no timestamp,,List",
        "d,,,,",
    )
    leads = land_leads(path, tmp_path / "store")
    assert leads.last_timestamp == datetime(2025, 3, 1, 23, 45, tzinfo=UTC)
    assert leads.contacted == 3
    assert leads.file.records == 4
    assert leads.file.path.read_bytes() == path.read_bytes()


def test_an_extract_without_a_timestamp_has_no_last_one(tmp_path):
    assert land_leads(write(tmp_path, "a,1,,,x"), tmp_path / "store").last_timestamp is None


def test_columns_may_stand_in_any_order_and_case(tmp_path):
    header = "stage_entered_call_scheduled__c,More,STAGE_ENTERED_CONTACTING__C,fa_crd__c,ID"
    leads = land_leads(write(tmp_path, ",m,2025-01-02,1,a", header=header), tmp_path / "store")
    assert leads.last_timestamp == datetime(2025, 1, 2, tzinfo=UTC)


def test_two_contacted_leads_with_one_id_are_refused_with_both_lines(tmp_path):
    error = refused(write(tmp_path, "a,1,2025-01-01,,x", '"b",2,2025-01-01,,"x\ny"', " a ,3,2025-01-02,,x"), tmp_path)
    assert "have the Id a: lines 2 and 5" in error.what
    assert (error.column, error.row) == ("Id", 5)


def test_leads_that_were_not_contacted_may_share_an_id(tmp_path):
    leads = land_leads(write(tmp_path, "a,1,2025-01-01,,x", "a,2, ,,x", "a,3,,2025-01-01,x"), tmp_path / "store")
    assert leads.contacted == 1


@pytest.mark.parametrize("lead_id", ["", "  "])
def test_a_contacted_lead_needs_an_id(tmp_path, lead_id):
    error = refused(write(tmp_path, "a,1,2025-01-01,,x", f"{lead_id},2,2025-01-01,,x"), tmp_path)
    assert (error.column, error.row) == ("Id", 3)


@pytest.mark.parametrize(("line", "fields"), [("b,2,2025-01-01", 3), ("b,2,2025-01-01,,x,y", 6)])
def test_a_ragged_record_is_refused_with_its_line(tmp_path, line, fields):
    error = refused(write(tmp_path, "a,1,,,x", "", line, "c,3,,,x"), tmp_path)
    assert error.row == 4
    assert f"{fields} fields where the header has 5" in error.what


def test_a_missing_extract_and_a_missing_column_are_refused(tmp_path):
    assert "does not exist" in refused(tmp_path / "Lead.csv", tmp_path).what
    path = write(tmp_path, "a,1,2025-01-01,x", header="Id,FA_CRD__c,Stage_Entered_Contacting__c,LeadSource")
    assert refused(path, tmp_path).column == "Stage_Entered_Call_Scheduled__c"


TIMESTAMPS = {
    "2024-05-03T14:22:11.000+0000": datetime(2024, 5, 3, 14, 22, 11, tzinfo=UTC),
    "2024-05-03 14:22:11": datetime(2024, 5, 3, 14, 22, 11, tzinfo=UTC),
    "2024-05-03T14:22:11Z": datetime(2024, 5, 3, 14, 22, 11, tzinfo=UTC),
    "2024-05-03t14:22z": datetime(2024, 5, 3, 14, 22, tzinfo=UTC),
    "2024-05-03 14:22:11 UTC": datetime(2024, 5, 3, 14, 22, 11, tzinfo=UTC),
    "2024-05-03T00:22:11+02:00": datetime(2024, 5, 2, 22, 22, 11, tzinfo=UTC),
    "2024-05-03T23:22:11-05": datetime(2024, 5, 4, 4, 22, 11, tzinfo=UTC),
    "2024-05-03T14:22:11.5-0530": datetime(2024, 5, 3, 19, 52, 11, 500_000, tzinfo=UTC),
    "2024-05-03T14:22:11.123456789Z": datetime(2024, 5, 3, 14, 22, 11, 123_456, tzinfo=UTC),
    "2024-05-03": datetime(2024, 5, 3, tzinfo=UTC),
    " 2024-05-03 14:22 ": datetime(2024, 5, 3, 14, 22, tzinfo=UTC),
    "2024-02-29": datetime(2024, 2, 29, tzinfo=UTC),
    "1999-12-31T23:59:59.9999999": datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    **dict.fromkeys(
        [
            *("", " ", "n/a", "0", "20240503", "2024-5-3", "03.05.2024", "5/3/2024 14:22", "2024-02-30", "2023-02-29"),
            *("2024-13-01", "2024-05-03T24:00:00", "2024-05-03T14:60", "2024-05-03T14:22:60", "2024-05-03T14"),
            *("2024-05-03T14:22:11.", "2024-05-03T14:22:11+2", "2024-05-03T14:22:11 CET", "2024-05-03T14:22:11+14:00"),
            *("0001-01-01", "9999-12-31", "2024-05-03  14:22", "2024-W18-5", "٢٠٢٤-05-03", "1714746131"),
        ]
    ),
}


@pytest.mark.parametrize("text", TIMESTAMPS)
def test_timestamps_are_utc_or_none(text):
    assert parse_timestamp(text) == TIMESTAMPS[text]


def test_sql_reads_the_same_timestamps():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA SavvyGTMData")
    connection.execute(
        "CREATE TABLE SavvyGTMData.Lead AS SELECT unnest($texts) AS Stage_Entered_Contacting__c, '1' AS Id, "
        "'1' AS FA_CRD__c, NULL::VARCHAR AS Stage_Entered_Call_Scheduled__c",
        {"texts": list(TIMESTAMPS)},
    )
    sql = to_duckdb(render("crm_leads/query.sql", {"lead": "SavvyGTMData.Lead"}))
    by_sql = connection.execute(f"SELECT epoch_us(Stage_Entered_Contacting__c) FROM ({sql})").fetchall()
    microseconds = [stamp and round(stamp.timestamp() * 1_000_000) for stamp in TIMESTAMPS.values()]
    assert dict(zip(TIMESTAMPS, (value for (value,) in by_sql), strict=True)) == dict(
        zip(TIMESTAMPS, microseconds, strict=True)
    )
