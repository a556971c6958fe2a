"""The feed files: their columns, their figures against the published ones, and every quirk that the pipeline meets."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6.sample_world import WorldSpec, write_world
from tests.sample_world.conftest import World
from tests.sample_world.feeds import Row, crd, number, read

# The source columns of plan step 1.5, as its SQL names them.
PLAN = """
RepCRD RIAFirmCRD PrimaryRIAFirmCRD DateBecameRep_NumberOfYears DateOfHireAtCurrentFirm_NumberOfYears
NumberFirmAssociations NumberRIAFirmAssociations Number_OfficeReps PriorFirm1_NumberOfYears PriorFirm2_NumberOfYears
PriorFirm3_NumberOfYears PriorFirm4_NumberOfYears LicensesDesignations RegulatoryDisclosures Education1 Gender
DuallyRegisteredBDRIARep BreakawayRep InsuranceLicensed NonProducer IndependentContractor Owner Office_USPSCertified
Home_USPSCertified Office_State Home_State Office_City Home_City Office_County Home_County Office_ZipCode Home_ZipCode
Office_Longitude Office_Latitude Home_Longitude Home_Latitude Office_MetropolitanArea Home_MetropolitanArea MilesToWork
FirstName LastName Title RIAFirmName Email_BusinessType Email_PersonalType SocialMedia_LinkedIn PersonalWebsite
FirmWebsite Series7_GeneralSecuritiesRepresentative Series65_InvestmentAdviserRepresentative
Series66_CombinedUniformStateLawAndIARepresentative Series24_GeneralSecuritiesPrincipal Designations_CFP
Designations_CFA Designations_CIMA Designations_AIF Number_RegisteredStates
""".split()


def files(world: World) -> list[list[Row]]:
    return list(world.feeds.rows.values())


def rate(rows: list[Row], column: str, value: str) -> float:
    return sum(row[column] == value for row in rows) / len(rows)


def test_every_column_of_the_plan_is_there_and_each_row_says_synthetic(demo: World) -> None:
    for rows in files(demo):
        assert set(PLAN) <= set(rows[0])
        assert {row["Synthetic_Data"] for row in rows} == {"Yes"}


def test_a_wide_feed_has_471_columns_and_its_families(tmp_path: Path) -> None:
    write_world(tmp_path / "feed", WorldSpec(reps=300, leads=50, quarters=2, wide=True))
    rows = read(tmp_path / "feed" / "RIARepDataFeed_20240331.csv")
    columns = list(rows[0])
    assert len(columns) == len({column.lower() for column in columns}) == 471
    assert set(PLAN) <= set(columns)
    assert sum(re.fullmatch(r"Series\d+_[A-Za-z]+", c) is not None for c in columns) == 36
    assert all(f"{c}_Date" in columns for c in columns if re.fullmatch(r"Series\d+_[A-Za-z]+", c))
    assert sum(c.startswith("Designations_") for c in columns) == 22
    assert sum("_YE20" in c or "Change" in c for c in columns) > 100
    assert {"PriorFirm5_EndDate", "Number_OfficeReps_YE2019", "Number_OfficeReps_%ChangeYTD"} <= set(columns)
    # No two names become one when a character that BigQuery forbids is replaced or dropped (R1).
    assert len({re.sub(r"\W", "_", c) for c in columns}) == len({re.sub(r"\W", "", c) for c in columns}) == 471


def test_head_counts_grow_as_published(historical: World) -> None:
    heads = [len(advisors) for advisors in historical.feeds.of_advisor.values()]
    assert heads[0] == historical.spec.reps
    assert heads[-1] / heads[0] == pytest.approx(476_612 / 453_261, rel=0.002)
    ever = len(set().union(*historical.feeds.of_advisor.values()))
    assert ever / heads[0] == pytest.approx(522_181 / 453_261, rel=0.02)
    firms_ever = len(set().union(*historical.feeds.firm_reps.values()))
    assert firms_ever / len(next(iter(historical.feeds.firm_reps.values()))) == pytest.approx(46_376 / 40_668, rel=0.07)


def test_rows_are_advisor_by_firm_with_the_published_surplus(historical: World) -> None:
    for day, rows in historical.feeds.rows.items():
        surplus = 1 - len(historical.feeds.of_advisor[day]) / len(rows)
        assert 0.031 < surplus < 0.040
        primary = sum(crd(row["RIAFirmCRD"]) == crd(row["PrimaryRIAFirmCRD"]) for row in rows) / len(rows)
        assert 0.962 < primary < 0.974
        assert all(crd(row["RepCRD"]) and crd(row["RIAFirmCRD"]) for row in rows)
    pairs = Counter((crd(row["RepCRD"]), crd(row["RIAFirmCRD"])) for row in rows)
    assert max(pairs.values()) == 2  # a second office of one's own firm: the tie of R2


@pytest.mark.parametrize("reps", [500, 6_000])
def test_rows_per_firm_are_as_published_at_any_size(reps: int, tmp_path: Path, demo: World) -> None:
    feeds = demo.feeds
    if reps != demo.spec.reps:
        write_world(tmp_path / "feed", WorldSpec(reps=reps, leads=10))
        feeds = type(demo.feeds).of(tmp_path / "feed")
    for day, firms in feeds.firm_reps.items():
        assert 10 < len(feeds.rows[day]) / len(firms) < 14
        assert max(firms.values()) / len(feeds.rows[day]) < 0.25
        assert sum(size == 1 for size in firms.values()) / len(firms) > 0.15


def test_at_full_scale_one_advisor_has_up_to_51_rows() -> None:
    from leadscore_v6.sample_world.firms import draw_firms, draw_surplus
    from leadscore_v6.sample_world.roster import draw_roster

    spec = WorldSpec(reps=450_000, leads=10, quarters=2)
    surplus = draw_surplus(spec, draw_roster(spec), draw_firms(spec))
    assert max(Counter(surplus.advisor.tolist()).values()) == 50


def test_words_come_at_the_published_rates(historical: World) -> None:
    rows = files(historical)[0]
    for column, value, published in [
        ("Series7_GeneralSecuritiesRepresentative", "Yes", 0.69),
        ("Series65_InvestmentAdviserRepresentative", "Yes", 0.44),
        ("Designations_CFP", "Yes", 0.174),
        ("BreakawayRep", "Yes", 0.76),
        ("DuallyRegisteredBDRIARep", "Yes", 0.69),
        ("Owner", "Yes", 0.14),
        ("NonProducer", "Yes", 0.03),
        ("RegulatoryDisclosures", "Yes", 0.15),
    ]:
        assert rate(rows, column, value) == pytest.approx(published, abs=0.02), column
    unknown = rate(rows, "RegulatoryDisclosures", "Unknown") + rate(rows, "RegulatoryDisclosures", "")
    assert unknown == pytest.approx(0.83, abs=0.02)
    assert {row["Owner"] for row in rows} == {"Yes", ""}
    assert sum(number(row["Number_RegisteredStates"]) > 1 for row in rows) / len(rows) == pytest.approx(0.72, abs=0.02)
    multi_ria = sum(number(row["NumberRIAFirmAssociations"]) > 1 for row in rows) / len(rows)
    assert multi_ria == pytest.approx(0.058 + 0.035, abs=0.02)  # 5.8 % of advisors, who have more rows than one


def test_careers_correlate_as_published(historical: World) -> None:
    columns = ["DateBecameRep_NumberOfYears", "DateOfHireAtCurrentFirm_NumberOfYears"]
    columns += [f"PriorFirm{k}_NumberOfYears" for k in (1, 2, 3, 4)]
    years = pd.DataFrame([[number(row[column]) for column in columns] for row in files(historical)[0]])
    prior = years[[2, 3, 4, 5]]
    assert years[0].mean() == pytest.approx(16.5, abs=1.0)
    assert years[0].corr(years[1]) == pytest.approx(0.35, abs=0.08)
    assert 0.76 < years[2].corr(prior.mean(axis=1)) < 0.90
    assert 0.24 < years[2].corr(years[3]) < 0.43
    assert years[3].corr(years[4]) == pytest.approx(0.44, abs=0.1)
    assert years[4].corr(years[5]) == pytest.approx(0.49, abs=0.12)
    assert not (years[1] > years[0]).any()


def test_an_advisor_ages_and_moves(demo: World) -> None:
    days = list(demo.feeds.rows)
    first, last = demo.feeds.of_advisor[days[0]], demo.feeds.of_advisor[days[-1]]
    stayed, moved = 0, 0
    for advisor in set(first) & set(last):
        before, after = first[advisor][0], last[advisor][0]
        years = number(after["DateBecameRep_NumberOfYears"]) - number(before["DateBecameRep_NumberOfYears"])
        if not math.isnan(years):
            assert years == pytest.approx((days[-1] - days[0]).days / 365.25, abs=0.011)
        tenure = number(after["DateOfHireAtCurrentFirm_NumberOfYears"])
        if tenure < 1.7:
            moved += 1
            if before["PriorFirm1_NumberOfYears"]:
                assert after["PriorFirm2_NumberOfYears"] in {
                    before["PriorFirm1_NumberOfYears"],
                    after["PriorFirm2_NumberOfYears"],
                }
        else:
            stayed += 1
    assert 0.05 < moved / (moved + stayed) < 0.2


def test_some_advisors_are_missing_for_a_quarter_and_come_back(demo: World) -> None:
    before, between, after = list(demo.feeds.of_advisor.values())[2:5]
    assert len((set(before) & set(after)) - set(between)) > 5


def test_numbers_come_in_every_form_that_real_files_have(historical: World) -> None:
    seen = {
        column: {re.sub(r"\d+", "9", row[column]) for rows in files(historical) for row in rows}
        for column in ("RepCRD", "NumberFirmAssociations", "Number_RegisteredStates", "PrimaryRIAFirmCRD")
    }
    assert seen["RepCRD"] == {"9", "9.9", " 9 "}
    assert any(row["RepCRD"].startswith("0") for rows in files(historical) for row in rows)
    assert seen["NumberFirmAssociations"] == {"9", "9.9", ""}  # whole in full files, 12.0 in files with a null
    assert {"9.9", ""} <= seen["Number_RegisteredStates"]
    zips = [
        {len(row["Office_ZipCode"].removesuffix(".0")) for row in rows if row["Office_State"] == "MA"}
        for rows in files(historical)
    ]
    assert {5} in zips
    assert {4} in zips  # leading zeros lost in some files


def test_stray_texts_are_as_rare_as_published(historical: World) -> None:
    for rows in files(historical):
        strays = sum(
            bool(re.search("[A-Za-z]", row[column]))
            for row in rows
            for column in ("Number_OfficeReps", "MilesToWork", "Office_Longitude", "Office_Latitude")
        )
        assert strays / len(rows) == pytest.approx(0.00026, abs=0.0001)
        words = [row[column] for row in rows for column in ("NonProducer", "IndependentContractor", "BreakawayRep")]
        odd = [word for word in words if word not in {"Yes", "No", "Unknown", ""}]
        assert 0 < len(odd) / len(rows) < 0.0005


def test_fields_hold_commas_line_breaks_quotes_and_names_of_all_kinds(demo: World) -> None:
    text = next(demo.summary.folder.glob("RIA*")).read_text(encoding="utf-8")
    assert '""' in text
    for rows in files(demo):
        assert any("," in row["RIAFirmName"] for row in rows)
        assert 0 < sum("\n" in row["Office_Address1"] for row in rows) / len(rows) < 0.01
        assert any(not row["LastName"].isascii() for row in rows)


def test_a_firm_is_spelled_in_two_ways_now_and_then(demo: World) -> None:
    spellings: dict[int | None, set[str]] = {}
    for row in files(demo)[0]:
        spellings.setdefault(crd(row["RIAFirmCRD"]), set()).add(row["RIAFirmName"])
    assert any(len(names) > 1 for names in spellings.values())
    assert all(len({name.lower() for name in names}) == 1 for names in spellings.values())
