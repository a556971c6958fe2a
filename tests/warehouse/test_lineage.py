"""Column lineage: on small queries whose answer can be read off, and on the plan's own, checked by hand."""

from __future__ import annotations

import pytest

from leadscore_v6.contracts import contract
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.warehouse.lineage import column_lineage
from leadscore_v6.warehouse.sql import render

ASSETS = ("people", "firms", "firms_all")


def lineage(sql: str, *columns: str) -> dict[str, set[str]]:
    """Sources as `asset.column`."""
    found = column_lineage(sql, ASSETS, columns)
    return {name: {f"{asset}.{column}" for asset, column in sources} for name, sources in found.items()}


def test_an_expression_reads_every_column_in_it() -> None:
    sql = "SELECT CASE WHEN a > 1 THEN SAFE_DIVIDE(b, NULLIF(c, 0)) END AS x, UPPER(d) AS y, 1 AS z FROM d.people"
    assert lineage(sql, "x", "y", "z") == {"x": {"people.a", "people.b", "people.c"}, "y": {"people.d"}, "z": set()}


def test_it_is_followed_through_ctes_and_subqueries_under_their_new_names() -> None:
    sql = """
      WITH older AS (SELECT id, years * 2 AS doubled FROM d.people),
           newer AS (SELECT id AS key, doubled + 1 AS more FROM older)
      SELECT n.key, m.most FROM newer AS n JOIN (SELECT MAX(more) AS most FROM newer) AS m ON TRUE
    """
    assert lineage(sql, "key", "most") == {"key": {"people.id"}, "most": {"people.years"}}


def test_a_star_gives_the_columns_through() -> None:
    sql = "WITH all_of_it AS (SELECT *, a + b AS c FROM d.people) SELECT * FROM all_of_it"
    assert lineage(sql, "a", "c", "other") == {
        "a": {"people.a"},
        "c": {"people.a", "people.b"},
        "other": {"people.other"},
    }


def test_a_union_has_the_sources_of_all_its_parts() -> None:
    sql = "SELECT a, b AS x FROM d.people UNION ALL SELECT a, c AS x FROM d.firms"
    assert lineage(sql, "a", "x") == {"a": {"people.a", "firms.a"}, "x": {"people.b", "firms.c"}}


def test_windows_and_aggregates_count_joins_and_filters_do_not() -> None:
    sql = """
      SELECT p.name, ROW_NUMBER() OVER (PARTITION BY p.firm ORDER BY p.years DESC) AS place, COUNT(*) AS n
      FROM d.people AS p JOIN d.firms AS f ON f.crd = p.firm WHERE p.active = 1 GROUP BY p.name
    """
    assert lineage(sql, "name", "place", "n") == {
        "name": {"people.name"},
        "place": {"people.firm", "people.years"},
        "n": set(),
    }


def test_names_are_compared_as_googlesql_does() -> None:
    assert lineage("WITH t AS (SELECT Years AS Y FROM d.people) SELECT y AS Z FROM t", "z") == {"z": {"people.Years"}}


@pytest.mark.parametrize(
    ("table", "asset"),
    [
        ("people", "people"),
        ("people_20240107", "people"),
        ("firms_all_vintages", "firms_all"),
        ("snapshot_reps_20240107_raw", "snapshot_reps_raw"),
        ("Lead", None),
    ],
)
def test_a_table_belongs_to_the_asset_with_the_longest_name_that_it_starts_with(table: str, asset: str | None) -> None:
    found = column_lineage(f"SELECT a FROM `LeadScoring.{table}`", (*ASSETS, "snapshot_reps"), ("a",))
    assert found == {"a": () if asset is None else ((asset, "a"),)}


# --- the plan's queries --------------------------------------------------------------------------------------------

D = "LeadScoring."
RAW, REPS, FIRMS = "snapshot_reps_raw", "snapshot_reps", "snapshot_firms"
REPS_VIEW, FIRMS_VIEW = "v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"
STAGING, TRAINING = "step_3_1_staging_join_v6", "step_3_3_training_dataset_v6"
PRIOR_FIRMS = {f"{RAW}.PriorFirm{number}_NumberOfYears" for number in (1, 2, 3, 4)}
MISSING = ("DateOfHireAtCurrentFirm_NumberOfYears DateBecameRep_NumberOfYears AverageTenureAtPriorFirms "
           "NumberOfPriorFirms Number_RegisteredStates total_reps").split()  # fmt: skip


def rendered(asset: str) -> str:
    """The query of an asset on two snapshots, as the pipeline renders it."""
    dates = ("20240107", "20240331")
    views = {"reps_vintages": D + REPS_VIEW, "firms_vintages": D + FIRMS_VIEW}
    tables: dict[str, dict[str, str]] = {
        REPS: {"raw": f"{D}snapshot_reps_20240107_raw"},
        FIRMS: {"reps": f"{D}snapshot_reps_20240107"},
        STAGING: {"leads": f"{D}crm_leads", "crm_dials": f"{D}crm_dials", **views},
        TRAINING: {"staging": f"{D}{STAGING}_20240506_1200"},
        "v_latest_training_dataset_v6": {"training": f"{D}{TRAINING}_20240506_1200"},
    }
    lists = {
        REPS_VIEW: {"snapshots": [f"{D}{REPS}_{key}" for key in dates], "contract_columns": contract("reps").names},
        FIRMS_VIEW: {"snapshots": [f"{D}{FIRMS}_{key}" for key in dates], "contract_columns": contract("firms").names},
        STAGING: {"tie_breakers": ["Home_State", "Title"]},
    }
    folder = f"{asset}_YYYYMMDD" if asset in (REPS, FIRMS) else asset
    return render(f"{folder}/query.sql", tables.get(asset, {}), lists.get(asset))


@pytest.mark.parametrize(
    ("asset", "column", "sources"),
    [
        (REPS, "AverageTenureAtPriorFirms", PRIOR_FIRMS),
        (REPS, "NumberOfPriorFirms", PRIOR_FIRMS),
        (REPS, "Has_LinkedIn", {f"{RAW}.SocialMedia_LinkedIn"}),
        (REPS, "Branch_State", {f"{RAW}.Office_State"}),
        (REPS, "IsPrimaryRIAFirm", {f"{RAW}.RIAFirmCRD", f"{RAW}.PrimaryRIAFirmCRD"}),
        (REPS, "Disclosure_Known", {f"{RAW}.RegulatoryDisclosures"}),
        (REPS, "TotalAssetsInMillions", set()),
        (REPS, "snapshot_at", set()),
        (FIRMS, "total_reps", {f"{REPS}.RepCRD"}),
        (FIRMS, "avg_rep_experience_years", {f"{REPS}.DateBecameRep_NumberOfYears"}),
        (FIRMS, "avg_prior_firms_per_rep", {f"{REPS}.NumberOfPriorFirms"}),
        (FIRMS, "pct_reps_with_cfp", {f"{REPS}.Has_CFP"}),
        # The mode of a firm's states: counted per firm and state.
        (FIRMS, "primary_state", {f"{REPS}.Home_State", f"{REPS}.RIAFirmCRD"}),
        (FIRMS, "states_represented", {f"{REPS}.Home_State"}),
        (FIRMS, "multi_state_firm", {f"{REPS}.Home_State"}),
        (FIRMS, "snapshot_at", {f"{REPS}.snapshot_at"}),
        (REPS_VIEW, "RepCRD", {f"{REPS}.RepCRD"}),
        (FIRMS_VIEW, "avg_tenure_at_firm_years", {f"{FIRMS}.avg_tenure_at_firm_years"}),
        (STAGING, "FA_CRD__c", {"crm_leads.crd"}),
        (STAGING, "contact_date", {"crm_leads.Stage_Entered_Contacting__c"}),
        (STAGING, "Has_CFP", {f"{REPS_VIEW}.Has_CFP"}),
        (STAGING, "rep_snapshot_at", {f"{REPS_VIEW}.snapshot_at"}),
        (STAGING, "total_reps", {f"{FIRMS_VIEW}.total_reps"}),
        (STAGING, "firm_snapshot_at", {f"{FIRMS_VIEW}.snapshot_at"}),
        (STAGING, "dialled_on", {"crm_dials.dialled_at", "crm_leads.Stage_Entered_Contacting__c"}),
        # The 30 days run from the dial where it is known (R50).
        (
            TRAINING,
            "target_label",
            {f"{STAGING}.{name}" for name in ("Stage_Entered_Call_Scheduled__c", "contact_date", "dialled_on")},
        ),
        (TRAINING, "has_linkedin", {f"{STAGING}.Has_LinkedIn"}),
        (TRAINING, "firm_rep_count_bin", {f"{STAGING}.total_reps"}),
        (TRAINING, "missing_feature_count", {f"{STAGING}.{column}" for column in MISSING}),
        ("v_latest_training_dataset_v6", "target_label", {f"{TRAINING}.target_label"}),
    ],
)
def test_the_plans_columns_come_from_where_the_plan_says(asset: str, column: str, sources: set[str]) -> None:
    (found,) = column_lineage(rendered(asset), tuple(STEPS), (column,)).values()
    assert {f"{source}.{name}" for source, name in found} == sources


def test_no_personal_column_feeds_the_training_set() -> None:
    """Whatever the SQL calls its columns: names, addresses and links are read by no column of it but as 0/1 flags."""
    found = column_lineage(rendered(TRAINING), tuple(STEPS), tuple(contract("training").names))
    read = {name for sources in found.values() for _, name in sources}
    assert len(read) > 60
    personal = set("FirstName LastName Title SocialMedia_LinkedIn PersonalWebpage FirmWebsite Notes Gender".split())
    assert read & personal == set()
