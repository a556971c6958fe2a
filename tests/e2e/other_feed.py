"""A feed that the sample maker did not write: three quarters and a CRM extract, by hand, with their training rows.

Belongs here: files in the fixed input format, each written in another of the ways that format allows, and what must
come of them, computed on paper. Does not belong here: the product; nothing of it is imported.

Most of it is filler: firms of six advisors that never change. The advisors 1001 to 1006 and their leads are the point.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tests.e2e.plan_columns import FEED

D1, D2, D3 = "20250406", "20250706", "20251005"
AS_OF = "2025-11-04"
PERCENT = "Number_OfficeReps_%ChangeYTD"
Row = dict[str, str]


def write_other_feed(folder: Path) -> None:
    """Three feed files and Lead.csv."""
    folder.mkdir(parents=True)
    extra = ["Notes", PERCENT]
    # CRLF and a line break in a field; all quoted and the columns in another order; a byte order mark.
    _write(folder / f"RIARepDataFeed_{D1}.csv", [*FEED, *extra], _rows(D1), quoting=csv.QUOTE_MINIMAL)
    _write(folder / f"RIARepDataFeed_{D2}.csv", [*extra, *reversed(FEED)], _rows(D2), quoting=csv.QUOTE_ALL)
    _write(folder / f"RIARepDataFeed_{D3}.csv", [*FEED, *extra], _rows(D3), encoding="utf-8-sig", lineterminator="\n")
    columns = ["Id", "FA_CRD__c", "Stage_Entered_Contacting__c", "Stage_Entered_Call_Scheduled__c"]
    _write(folder / "Lead.csv", columns, [dict(zip(columns, lead, strict=True)) for lead in LEADS], lineterminator="\n")


def _write(path: Path, columns: list[str], rows: list[Row], encoding: str = "utf-8", **dialect: object) -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, columns, **dialect)
        writer.writeheader()
        writer.writerows(rows)


# --- advisors -----------------------------------------------------------------------------------------------------


def _advisor(rep: str, firm: str, **known: str) -> Row:
    """An advisor of no interest, but for what is `known`."""
    words = {name: "No" for name in FEED if name.startswith(("Series", "Designations_"))}
    return {
        **dict.fromkeys([*FEED, "Notes", PERCENT], ""),
        **words,
        "RepCRD": rep,
        "RIAFirmCRD": firm,
        "PrimaryRIAFirmCRD": firm,
        "RIAFirmName": f"Firm {firm}",
        "DateBecameRep_NumberOfYears": "12.5",
        "DateOfHireAtCurrentFirm_NumberOfYears": "5.5",
        "NumberFirmAssociations": "1",
        "NumberRIAFirmAssociations": "1",
        "Number_OfficeReps": "6",
        "Number_RegisteredStates": "3",
        "RegulatoryDisclosures": "No",
        "NonProducer": "No",
        "Home_State": "NY",
        "Office_State": "NY",
        "Home_MetropolitanArea": "New York NY",
        "MilesToWork": "20",
        **known,
    }


def _fillers(firm: str, count: int) -> Iterator[Row]:
    for number in range(count):
        yield _advisor(f"{firm}{number:03d}", firm)


def _rows(key: str) -> list[Row]:
    """The advisors of one snapshot, in the order of the file."""
    rows = [row for firm in range(501, 525) for row in _fillers(str(firm), 6)]
    rows += [row for firm in ("100", "601", "602", "603", "604", "605", "606") for row in _fillers(firm, 5)]
    rows += _HAND[key]
    return rows


# 1001 moves from firm 601 to firm 602 between the second and the third snapshot.
_MOVER = {
    "Number_OfficeReps": "6.0",
    "DateBecameRep_NumberOfYears": "10",
    "DateOfHireAtCurrentFirm_NumberOfYears": "1.5",
    "NumberFirmAssociations": "3",
    "PriorFirm1_NumberOfYears": "2",
    "PriorFirm2_NumberOfYears": " 3.5 ",
    "Number_RegisteredStates": "11",
    "Series7_GeneralSecuritiesRepresentative": "Yes",
    "Series65_InvestmentAdviserRepresentative": "Yes",
    "Designations_CFP": "Yes",
    "RegulatoryDisclosures": "Unknown",
    "DuallyRegisteredBDRIARep": "Yes",
    "BreakawayRep": "Yes",
    "Home_State": "MA",
    "Home_ZipCode": "2139.0",
    "Home_MetropolitanArea": "",
    "MilesToWork": "50.5",
    "SocialMedia_LinkedIn": "https://linkedin.example/in/mover",
    "Email_BusinessType": "mover@firm601.example",
}
_HAND = {
    D1: [
        _advisor("1001", "601", **{**_MOVER, "DateOfHireAtCurrentFirm_NumberOfYears": "1.25"}),
        # Known to the first snapshot alone.
        _advisor("1004", "605", DateOfHireAtCurrentFirm_NumberOfYears="", Notes="two\r\nlines, and a comma"),
        # A CRD with blanks around it, and a zip that lost more than one zero.
        _advisor(" 1005 ", "606", Home_ZipCode="12.0", Home_MetropolitanArea="", MilesToWork="10"),
    ],
    D2: [
        _advisor("1001", "601", **_MOVER),
        # Two firms: the primary one counts, although it comes second in the file and has the higher CRD.
        _advisor("1002", "603", PrimaryRIAFirmCRD="604"),
        _advisor("1002", "604", PrimaryRIAFirmCRD="604"),
        # Two firms, none of them primary: 99 is the lower number, although "100" comes first as text, and in the file.
        _advisor("1003", "100", PrimaryRIAFirmCRD="777"),
        _advisor("1003", "99", PrimaryRIAFirmCRD="777"),
    ],
    D3: [
        _advisor(
            "1001.0",
            "602",
            **{
                **_MOVER,
                "DateOfHireAtCurrentFirm_NumberOfYears": "0.1",
                "RegulatoryDisclosures": "Yes",
                "Home_MetropolitanArea": "Boston MA",
            },
        ),
    ],
}

# --- leads: Id, FA_CRD__c, contacted, call scheduled ----------------------------------------------------------------

LEADS = [
    ("mover before", "1001", "2025-08-15 10:00:00", "2025-09-14 23:59:59"),
    # 01:30 of the next day in UTC: the day of the third snapshot, and the last day that has matured.
    ("mover after", "1001", "2025-10-04T23:30:00-02:00", ""),
    ("mover too early", "1001", "2025-03-01T09:00:00Z", ""),
    ("primary firm", "1002", "2025-07-06", ""),
    ("lower firm", "1003.0", "2025-08-01", "2025-08-02"),
    ("gone since", "1004", "2025-10-02T08:00:00.000+0000", ""),
    # 31 days.
    ("spelled otherwise", "0001005.0", "2025-05-05T12:00:00.000+0000", "2025-06-05T11:00:00.000+0000"),
    ("unknown advisor", "999001", "2025-09-01 09:00", "2025-09-01 17:00"),
    # Scheduled 00:10 in Berlin: still the 4th in UTC, so it is known at as_of, 31 days after contact.
    ("late call", "501000", "2025-10-04", "2025-11-05T00:10:00+01:00"),
    # Scheduled on the day after as_of: not known yet.
    ("later call", "501001", "2025-10-05", "2025-11-05T00:00:00Z"),
    ("young", "501002", "2025-10-06", "2025-10-07"),
    ("negative", "501003", "2025-08-10", "2025-08-09"),
    ("no crd", "N/A", "2025-08-10", ""),
    ("never contacted", "501004", "", ""),
    # Two leads of one advisor on one day stay two.
    ("twin a", "502000", "2025-06-02", "2025-06-05"),
    ("twin b", "502000", "2025-06-02", ""),
    *((f"filler {firm}", f"{firm}001", "2025-06-03T15:00:00Z", "2025-06-10") for firm in range(503, 508)),
    *((f"filler {firm}", f"{firm}001", "2025-09-03T15:00:00Z", "") for firm in range(508, 524)),
]
LEFT_OUT = {"young", "negative", "no crd", "never contacted"}

# --- training rows, by hand -----------------------------------------------------------------------------------------

_NO_REP = {
    "RIAFirmCRD": None,
    "rep_snapshot_at": None,
    "firm_snapshot_at": None,
    "DateBecameRep_NumberOfYears": None,
    "NumberOfPriorFirms": None,
    "IsPrimaryRIAFirm": None,
    "Has_Series_7": None,
    "total_reps": None,
    "pct_reps_with_cfp": None,
    "firm_rep_count_bin": None,
    "Home_Zip_3Digit": None,
    "Firm_Stability_Score": None,
    "is_veteran_advisor": 0,
    "is_new_to_firm": 0,
    "multi_state_registered": 0,
    "license_count": 0,
    "designation_count": 0,
    "branch_vs_home_mismatch": 0,
    "remote_work_indicator": 0,
    "local_advisor": 0,
    "has_linkedin": 0,
    "email_business_type_flag": 0,
    "doh_current_years_is_missing": 1,
    "became_rep_years_is_missing": 1,
    "avg_prior_firm_tenure_is_missing": 1,
    "num_prior_firms_is_missing": 1,
    "num_registered_states_is_missing": 1,
    "firm_total_reps_is_missing": 1,
    "missing_feature_count": 6,
}
TRAINING_ROWS: dict[str, dict[str, object]] = {
    "mover before": {
        "FA_CRD__c": "1001",
        "RIAFirmCRD": "601",
        "target_label": 1,
        "days_to_conversion": 30,
        "contact_date": date(2025, 8, 15),
        "rep_snapshot_at": date(2025, 7, 6),
        "firm_snapshot_at": date(2025, 7, 6),
        "as_of": date(2025, 11, 4),
        "DateBecameRep_NumberOfYears": 10.0,
        "DateOfHireAtCurrentFirm_NumberOfYears": 1.5,
        "Number_YearsPriorFirm1": 2.0,
        "Number_YearsPriorFirm2": 3.5,
        "Number_YearsPriorFirm3": None,
        "AverageTenureAtPriorFirms": 2.75,
        "NumberOfPriorFirms": 2,
        "NumberFirmAssociations": 3,
        "NumberRIAFirmAssociations": 1,
        "Number_BranchAdvisors": 6,
        "Number_RegisteredStates": 11,
        "IsPrimaryRIAFirm": 1,
        "DuallyRegisteredBDRIARep": 1,
        "Has_Series_7": 1,
        "Has_Series_65": 1,
        "Has_Series_66": 0,
        "Has_CFP": 1,
        "Has_Disclosure": 1,
        "Disclosure_Known": 0,
        "Is_BreakawayRep": 1,
        "Is_Owner": 0,
        "Home_State": "MA",
        "Branch_State": "NY",
        "TotalAssetsInMillions": None,
        "Has_Schwab_Relationship": 0,
        "total_reps": 6,
        "pct_reps_with_cfp": 1 / 6,
        "pct_reps_with_disclosure": 1 / 6,
        "multi_state_firm": 0,
        "national_firm": 0,
        "is_veteran_advisor": 1,
        "is_new_to_firm": 1,
        "avg_prior_firm_tenure_lt3": 1,
        "high_turnover_flag": 0,
        "multi_ria_relationships": 0,
        "complex_registration": 1,
        "multi_state_registered": 1,
        "Firm_Stability_Score": 0.5,
        "license_count": 2,
        "designation_count": 1,
        "branch_vs_home_mismatch": 1,
        "Home_Zip_3Digit": "021",
        "remote_work_indicator": 1,
        "local_advisor": 0,
        "firm_rep_count_bin": "6_20",
        "has_linkedin": 1,
        "email_business_type_flag": 1,
        "email_personal_type_flag": 0,
        "missing_feature_count": 0,
        "is_new_to_firm_x_has_series65": 1,
        "veteran_x_cfp": 1,
        "Branch_Advisors_per_Firm_Association": 2.0,
        "AUM_per_Client": None,
    },
    "mover after": {
        "RIAFirmCRD": "602",
        "target_label": 0,
        "days_to_conversion": None,
        "contact_date": date(2025, 10, 5),
        "rep_snapshot_at": date(2025, 10, 5),
        "firm_snapshot_at": date(2025, 10, 5),
        "DateOfHireAtCurrentFirm_NumberOfYears": 0.1,
        "total_reps": 6,
        "Has_Disclosure": 1,
        "Disclosure_Known": 1,
        # A metropolitan area is known: no zip.
        "Home_Zip_3Digit": None,
    },
    "mover too early": {"target_label": 0, "contact_date": date(2025, 3, 1), **_NO_REP},
    "unknown advisor": {"target_label": 1, "days_to_conversion": 0, **_NO_REP},
    "primary firm": {
        "RIAFirmCRD": "604",
        "IsPrimaryRIAFirm": 1,
        "contact_date": date(2025, 7, 6),
        "rep_snapshot_at": date(2025, 7, 6),
        "total_reps": 6,
    },
    "lower firm": {
        "RIAFirmCRD": "99",
        "IsPrimaryRIAFirm": 0,
        "target_label": 1,
        "total_reps": 1,
        "firm_rep_count_bin": "1",
        "FA_CRD__c": "1003",
    },
    "gone since": {
        "RIAFirmCRD": "605",
        "rep_snapshot_at": date(2025, 4, 6),
        # The firm is still there without its advisor: five of six are left.
        "firm_snapshot_at": date(2025, 7, 6),
        "total_reps": 5,
        "firm_rep_count_bin": "2_5",
        "doh_current_years_is_missing": 1,
        "avg_prior_firm_tenure_is_missing": 1,
        "num_prior_firms_is_missing": 0,
        "missing_feature_count": 2,
        "NumberOfPriorFirms": 0,
    },
    "spelled otherwise": {
        "FA_CRD__c": "1005",
        "RIAFirmCRD": "606",
        "rep_snapshot_at": date(2025, 4, 6),
        "target_label": 0,
        "days_to_conversion": 31,
        "Home_Zip_3Digit": "000",
        "local_advisor": 1,
        "has_linkedin": 0,
    },
    "late call": {"target_label": 0, "days_to_conversion": 31},
    "later call": {"target_label": 0, "days_to_conversion": None, "contact_date": date(2025, 10, 5)},
    "twin a": {"target_label": 1, "days_to_conversion": 3},
    "twin b": {"target_label": 0, "days_to_conversion": None},
}
