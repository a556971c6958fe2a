"""For every gate of config/gates.yaml, something that makes it fail: data where data can, else a sabotaged candidate.

Belongs here: what is spoiled, and which gates fail by it. Does not belong here: how (sabotage.py), or what must then
hold (test_gates_hold.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from leadscore_v6.gates.steps import STEPS
from tests.e2e.sabotage import ByHand, Edited, Misnamed, Row, Sabotage, Spoil

KEY, OTHER_KEY = "20240331", "20240107"
FEED = f"RIARepDataFeed_{KEY}.csv"
# In the world of the fixtures with as_of 2024-05-05: contacted by this day is matured (30 days, R10).
LAST_MATURED_CONTACT, SECOND_QUARTER = "2024-04-05", "2024-04-01"
NO_ADVISOR = "999999999"


@dataclass(frozen=True)
class Case:
    """One gate made to fail.

    `also`: gates that the same fault trips. `start`: the first asset that is run again, by default the gate's own.
    `mend`: the first one that is built again to heal it, by default the same.
    """

    gate: str
    spoil: Spoil
    also: frozenset[str] = frozenset()
    start: str = ""
    mend: str = ""


def case(gate: str, spoil: Spoil, *also: str, start: str = "", mend: str = "") -> Case:
    return Case(gate, spoil, frozenset(also), start, mend)


def others(gate: str) -> set[str]:
    """The gates beside one on a contract: of a column that the checks are not written for they can say nothing."""
    (step,) = (step for step in STEPS.values() if gate in step.gates)
    return set(step.gates) - {gate}


def put(value: str, column: str, where: str) -> str:
    """The candidate with another value in one column of some rows."""
    changed = f"CASE WHEN {where} THEN {value} ELSE {column} END AS {column}"
    return f"SELECT * EXCEPT ({column}), {changed} FROM {{honest}}"


def first(column: str, of: str = "TRUE") -> str:
    """The row with the lowest key (among some)."""
    return f"{column} = (SELECT MIN({column}) FROM {{honest}} WHERE {of})"


def without(row: str) -> str:
    return f"SELECT * FROM {{honest}} WHERE NOT ({row})"


def twice(row: str) -> str:
    return f"SELECT * FROM {{honest}} UNION ALL SELECT * FROM {{honest}} WHERE {row}"


def share(
    column: str, value: str, percent: int, wanted: Callable[[Row], bool] = lambda row: True
) -> Callable[[list[Row]], None]:
    """Another value in that percentage of the wanted records, spread over the file."""

    def change(records: list[Row]) -> None:
        chosen = [row for row in records if wanted(row)]
        for index, row in enumerate(chosen):
            if index * percent // 100 != (index + 1) * percent // 100:
                row[column] = value

    return change


def without_the_last(percent: int) -> Callable[[list[Row]], None]:
    """A file that was cut off."""

    def change(records: list[Row]) -> None:
        del records[-(len(records) * percent // 100) :]

    return change


def contacted_late(days: int) -> Callable[[list[Row]], None]:
    """One contact so many days after all others, by a slip of the pen."""

    def change(records: list[Row]) -> None:
        late = max(records, key=lambda row: row["Stage_Entered_Contacting__c"])
        day = date.fromisoformat(late["Stage_Entered_Contacting__c"][:10]) + timedelta(days)
        late["Stage_Entered_Contacting__c"] = f"{day} 12:00:00"

    return change


def matured(lead: Row) -> bool:
    return "2024" <= lead["Stage_Entered_Contacting__c"][:10] <= LAST_MATURED_CONTACT


def of_second_quarter(lead: Row) -> bool:
    return lead["Stage_Entered_Contacting__c"] >= SECOND_QUARTER


def every_advisor_a_firm(records: list[Row]) -> None:
    for row in records:
        row["RIAFirmCRD"] = row["PrimaryRIAFirmCRD"] = row["RepCRD"]


def contacted_tomorrow(records: list[Row]) -> None:
    """After the as_of of the fixtures, within what an extract may be older (R47)."""
    for row in records:
        row["Stage_Entered_Contacting__c"], row["Stage_Entered_Call_Scheduled__c"] = "2024-05-06 12:00:00", ""


# As many rows as the plan's snapshots have, six to a firm: 50,000 firms, where 45,000 are the most (R14).
PLAN_SCALE = f"""
    DELETE FROM LeadScoring.snapshot_reps_{KEY};
    INSERT INTO LeadScoring.snapshot_reps_{KEY} BY NAME
    SELECT (i + 1)::VARCHAR AS RepCRD, (i // 6 + 1)::VARCHAR AS RIAFirmCRD, 0 AS Has_Series_7, 0 AS Has_CFP,
      0 AS Has_Disclosure, 0 AS Has_Series_65, 0 AS Has_Series_66, 0 AS Has_Series_24, 0 AS NumberOfPriorFirms,
      DATE '2024-03-31' AS snapshot_at
    FROM range(300000) AS numbers(i)
"""

LEADS = [
    case("leads_rows_equal_file", Sabotage("crm_leads", without(first("Id")))),
    case("leads_have_contacts", Edited("Lead.csv", share("FA_CRD__c", "", 100))),
    case("leads_timestamps_parsed", Edited("Lead.csv", share("Stage_Entered_Contacting__c", "last week", 2))),
    case(
        "leads_one_row_per_id",
        Sabotage("crm_leads", twice(first("Id", "Stage_Entered_Contacting__c IS NOT NULL"))),
        "leads_rows_equal_file",
    ),
    case("leads_of_before_still_there", Edited("Lead.csv", without_the_last(2))),
    case("leads_last_time_not_alone", Edited("Lead.csv", contacted_late(40))),
    case("leads_match_contract", Sabotage("crm_leads", "SELECT *, 'a@b.example' AS Email_PersonalType FROM {honest}")),
]

RAW, REPS, FIRMS = f"snapshot_reps_{KEY}_raw", f"snapshot_reps_{KEY}", f"snapshot_firms_{KEY}"
SNAPSHOT = [
    case(
        "raw_rows_equal_file",
        Sabotage(RAW, without(first("RepCRD"))),
        "reps_rows_equal_raw",
        start="snapshot_reps_raw",
    ),
    case("raw_has_rows", Edited(FEED, lambda records: records.clear())),
    case("raw_header_as_expected", Sabotage(RAW, "SELECT * EXCEPT (Gender) FROM {honest}")),
    case("raw_table_named_by_file", Misnamed(FEED, "RIARepDataFeed_20240401.csv")),
    case("reps_rows_equal_raw", Sabotage(REPS, without(first("RepCRD"))), "raw_rows_equal_file"),
    case("reps_flags_binary", Sabotage(REPS, put("2", "Has_CFP", first("RepCRD")))),
    case("reps_snapshot_at", Sabotage(REPS, put("DATE '2024-04-01'", "snapshot_at", first("RepCRD")))),
    case("reps_crd_valid", Edited(FEED, share("RepCRD", "n/a", 1)), "reps_match_contract", start="snapshot_reps_raw"),
    case("reps_firm_crd_valid", Edited(FEED, share("RIAFirmCRD", "", 1)), start="snapshot_reps_raw"),
    case("reps_typing_losses", Edited(FEED, share("NumberFirmAssociations", "many", 1)), start="snapshot_reps_raw"),
    case("reps_domain_losses", Edited(FEED, share("Owner", "Maybe", 1)), start="snapshot_reps_raw"),
    case(
        "reps_match_contract",
        Sabotage(REPS, "SELECT * EXCEPT (Has_CFP), 'none' AS Has_CFP FROM {honest}"),
        *others("reps_match_contract"),
    ),
    case("firms_one_row_each", Sabotage(FIRMS, twice(first("RIAFirmCRD"))), "firms_reconcile_with_reps"),
    case("firms_have_reps", Sabotage(FIRMS, put("0", "total_reps", first("RIAFirmCRD"))), "firms_reconcile_with_reps"),
    case("firms_snapshot_at", Sabotage(FIRMS, put("DATE '2024-04-01'", "snapshot_at", first("RIAFirmCRD")))),
    case("firms_count_reasonable", Edited(FEED, every_advisor_a_firm), start="snapshot_reps_raw"),
    case("firms_count_at_plan_scale", ByHand(PLAN_SCALE), mend="snapshot_reps"),
    case(
        "firms_reconcile_with_reps",
        Sabotage(FIRMS, put("total_records + 1", "total_records", first("RIAFirmCRD"))),
    ),
    case(
        "firms_match_contract",
        Sabotage(FIRMS, "SELECT * EXCEPT (branch_states), '5' AS branch_states FROM {honest}"),
        *others("firms_match_contract"),
    ),
]

REPS_VIEW, FIRMS_VIEW = "v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages"
VINTAGES = [
    case(
        "all_snapshots_match_contracts",
        ByHand(f"ALTER TABLE LeadScoring.{FIRMS} ALTER national_firm TYPE VARCHAR"),
        mend="snapshot_firms",
    ),
    case("all_snapshots_present", ByHand(f"DROP VIEW LeadScoring.{RAW}"), mend="snapshot_reps_raw"),
    case("rep_vintages_rows_add_up", Sabotage(REPS_VIEW, without(first("RepCRD")))),
    case("rep_vintages_dates_complete", Sabotage(REPS_VIEW, put("DATE '2024-04-01'", "snapshot_at", first("RepCRD")))),
    case("firm_vintages_rows_add_up", Sabotage(FIRMS_VIEW, twice(first("RIAFirmCRD")))),
    case("firm_vintages_dates_complete", Sabotage(FIRMS_VIEW, put("NULL", "snapshot_at", first("RIAFirmCRD")))),
]

STAGING, WITH_REP = "step_3_1_staging_join_v6", "rep_snapshot_at IS NOT NULL"
STAGED = [
    case("staging_matches_contract", Sabotage(STAGING, "SELECT *, 'Ann' AS FirstName FROM {honest}")),
    case("staging_rows_equal_leads", Sabotage(STAGING, without(first("Id")))),
    case(
        "staging_populated",
        Edited("Lead.csv", contacted_tomorrow),
        "staging_rep_match_rate",
        "staging_firm_match_rate",
        start="crm_leads",
    ),
    case("staging_rep_match_rate", Edited("Lead.csv", share("FA_CRD__c", NO_ADVISOR, 18)), start="crm_leads"),
    case(
        "staging_firm_match_rate",
        Edited("Lead.csv", share("FA_CRD__c", NO_ADVISOR, 40)),
        "staging_rep_match_rate",
        start="crm_leads",
    ),
    case(
        "staging_no_future_snapshot",
        Sabotage(STAGING, put("DATE_ADD(contact_date, INTERVAL 1 DAY)", "rep_snapshot_at", first("Id", WITH_REP))),
        "staging_latest_snapshot",
    ),
    case(
        "staging_latest_snapshot",
        Sabotage(STAGING, put("DATE '2024-01-07'", "rep_snapshot_at", first("Id", "rep_snapshot_at = '2024-03-31'"))),
    ),
    case("staging_dials_right", Sabotage(STAGING, put("'none'", "dial_source", first("Id")))),
    case(
        "staging_calls_were_dialled",
        Sabotage(STAGING, put("'none'", "dial_source", "Stage_Entered_Call_Scheduled__c IS NOT NULL")),
        "staging_dials_right",
    ),
]

TRAINING = "step_3_3_training_dataset_v6"
TRAINED = [
    case(
        "training_no_negative_days",
        Sabotage(TRAINING, put("-1", "days_to_conversion", first("Id"))),
        "training_labels_agree",
    ),
    case(
        "training_rep_match_rate",
        Edited("Lead.csv", share("FA_CRD__c", NO_ADVISOR, 13, matured)),
        start="crm_leads",
    ),
    case(
        "training_firm_match_rate",
        Sabotage(TRAINING, put("NULL", "firm_snapshot_at", "contact_date > '2024-02-01'")),
    ),
    case(
        "training_snapshot_dates_valid",
        Sabotage(TRAINING, put("DATE '2024-01-06'", "rep_snapshot_at", first("Id", WITH_REP))),
    ),
    case(
        "training_no_future_features",
        Sabotage(TRAINING, put("DATE '2024-03-31'", "rep_snapshot_at", first("Id", "contact_date < '2024-03-01'"))),
    ),
    case("training_flags_binary", Sabotage(TRAINING, put("2", "has_linkedin", first("Id")))),
    case("training_rep_count_bin_valid", Sabotage(TRAINING, put("'1_21'", "firm_rep_count_bin", first("Id")))),
    case(
        "training_missing_flags_valid",
        Sabotage(TRAINING, put("1 - firm_total_reps_is_missing", "firm_total_reps_is_missing", first("Id"))),
    ),
    case(
        "training_matches_contract", Sabotage(TRAINING, "SELECT *, 'a@b.example' AS Email_BusinessType FROM {honest}")
    ),
    case(
        "training_only_matured",
        Sabotage(TRAINING, put("TIMESTAMP '2024-04-20 12:00:00+00'", "Stage_Entered_Contacting__c", first("Id"))),
    ),
    case("training_rows_accounted_for", Sabotage(TRAINING, without(first("Id")))),
    case("training_labels_agree", Sabotage(TRAINING, put("1 - target_label", "target_label", first("Id")))),
    case(
        "training_has_both_classes",
        Edited("Lead.csv", share("Stage_Entered_Call_Scheduled__c", "", 100)),
        start="crm_leads",
    ),
]

PROMOTION = [case("promoted_rows_equal_version", Sabotage("v_latest_training_dataset_v6", without(first("Id"))))]

CASES = [*LEADS, *SNAPSHOT, *VINTAGES, *STAGED, *TRAINED, *PROMOTION]
# The one gate that warns: the second quarter alone falls below 85 %, the whole does not.
WARNING = case(
    "staging_quarters_match",
    Edited("Lead.csv", share("FA_CRD__c", NO_ADVISOR, 20, of_second_quarter)),
    start="crm_leads",
)
