"""Lead.csv: its flow, its CRDs, its timestamps, and what share of it a correct join finds."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest

from tests.sample_world.conftest import World
from tests.sample_world.feeds import Row, crd, number

CONTACT, CALL = "Stage_Entered_Contacting__c", "Stage_Entered_Call_Scheduled__c"
STYLES = r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d\.000\+0000| \d\d:\d\d:\d\d)"


def counted(world: World) -> list[Row]:
    return [lead for lead in world.leads if lead[CONTACT] and crd(lead["FA_CRD__c"])]


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def test_the_extract_has_as_many_records_as_asked_and_says_synthetic(demo: World) -> None:
    assert len(demo.leads) == demo.spec.leads == len({lead["Id"] for lead in demo.leads})
    assert {lead["Synthetic_Data"] for lead in demo.leads} == {"Yes"}
    assert len(counted(demo)) == demo.summary.contacted_with_crd > 0.94 * demo.spec.leads


def test_ids_have_salesforces_check_characters(demo: World) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    for lead in demo.leads[:500]:
        body, check = lead["Id"][:15], lead["Id"][15:]
        assert re.fullmatch("00Q[0-9A-Za-z]{12}", body)
        for part in range(3):
            bits = "".join("1" if char.isupper() else "0" for char in reversed(body[5 * part : 5 * part + 5]))
            assert check[part] == letters[int(bits, 2)]


def test_timestamps_come_in_two_styles_and_end_with_the_extract(historical: World) -> None:
    stamps = [lead[column] for lead in historical.leads for column in (CONTACT, CALL) if lead[column]]
    assert all(re.fullmatch(STYLES, stamp) for stamp in stamps)
    assert 0.1 < sum(" " in stamp for stamp in stamps) / len(stamps) < 0.2
    assert max(day(stamp) for stamp in stamps) == historical.spec.last_contact == date(2025, 11, 3)
    assert min(day(stamp) for stamp in stamps) >= date(2023, 8, 7) or any(
        day(lead[CALL]) < day(lead[CONTACT]) for lead in historical.leads if lead[CALL]
    )


def test_the_flow_is_the_published_one(historical: World) -> None:
    published = {"24Q2": 3170, "24Q3": 6814, "24Q4": 9045, "25Q1": 6925, "25Q2": 7622, "25Q3": 9572}
    contacts = [day(lead[CONTACT]) for lead in historical.leads if lead[CONTACT]]
    flow = Counter(f"{d:%y}Q{(d.month + 2) // 3}" for d in contacts)
    total = sum(flow[quarter] for quarter in published)
    for quarter, leads in published.items():
        assert flow[quarter] / total == pytest.approx(leads / sum(published.values()), rel=0.12), quarter
    weekdays = Counter(d.weekday() for d in contacts)
    for weekday, share in enumerate([13, 25, 26, 24, 11, 0.4, 0.5]):
        assert 100 * weekdays[weekday] / len(contacts) == pytest.approx(share, abs=2.5)
    assert 0 < sum(d < date(2024, 1, 7) for d in contacts) < 0.005 * len(contacts)


def test_crds_are_written_as_the_crm_writes_them(demo: World) -> None:
    forms = Counter(re.sub(r"\d+", "9", lead["FA_CRD__c"]) for lead in demo.leads)
    assert {"9", "9.9", " 9 ", ""} <= set(forms)
    assert any(lead["FA_CRD__c"].startswith("00") for lead in demo.leads)
    assert any(re.fullmatch("[A-Za-z/]+", lead["FA_CRD__c"]) for lead in demo.leads)
    assert 0.005 < sum(crd(lead["FA_CRD__c"]) is None for lead in demo.leads) / len(demo.leads) < 0.03
    assert 0.01 < sum(not lead[CONTACT] for lead in demo.leads) / len(demo.leads) < 0.05


@pytest.mark.parametrize("name", ["demo", "historical"])
def test_some_advisors_are_two_leads(name: str, request: pytest.FixtureRequest) -> None:
    leads = counted(request.getfixturevalue(name))
    of_crd = Counter(crd(lead["FA_CRD__c"]) for lead in leads)
    assert sum(n for n in of_crd.values() if n > 1) / len(leads) == pytest.approx(0.07, abs=0.02)
    on_a_day = Counter((crd(lead["FA_CRD__c"]), day(lead[CONTACT])) for lead in leads)
    assert max(on_a_day.values()) > 1  # R4: still two leads


def test_a_correct_join_finds_what_it_found_in_the_real_data(historical: World) -> None:
    found = [historical.feeds.at(crd(lead["FA_CRD__c"]), day(lead[CONTACT])) for lead in counted(historical)]
    matched = [match[1] for match in found if match]
    assert 0.949 <= len(matched) / len(found) <= 0.98
    assert len(matched) / len(found) == pytest.approx(historical.summary.match_rate, abs=1e-9)
    for column, published in [
        ("DateOfHireAtCurrentFirm_NumberOfYears", 0.958),
        ("PriorFirm1_NumberOfYears", 0.785),
        ("Office_State", 0.976),
        ("Home_State", 0.529),
        ("MilesToWork", 0.387),
    ]:
        coverage = sum(row[column] != "" for row in matched) / len(found)
        assert coverage == pytest.approx(published, abs=0.025), column


def test_calls_come_after_the_published_number_of_days(historical: World) -> None:
    days = [number(row["days_to_conversion"]) for row in historical.truth.values() if row["days_to_conversion"]]
    later = [d for d in days if d >= 0]
    assert 1 - len(later) / len(days) == pytest.approx(0.11, abs=0.04)
    for bound, published in [(0, 0.36), (1, 0.54), (3, 0.65), (7, 0.76), (30, 0.88), (90, 0.94)]:
        assert sum(d <= bound for d in later) / len(later) == pytest.approx(published, abs=0.055), bound


def test_the_extract_knows_no_call_after_its_day(historical: World) -> None:
    for lead in historical.leads:
        drawn = historical.truth[lead["Id"]]["days_to_conversion"]
        if lead[CALL]:
            assert day(lead[CALL]) <= historical.spec.last_contact
            assert (day(lead[CALL]) - day(lead[CONTACT])).days == number(drawn)
            assert number(drawn) < 0 or lead[CALL][11:19] > lead[CONTACT][11:19] or number(drawn) > 0
        elif lead[CONTACT] and drawn:
            assert (historical.spec.last_contact - day(lead[CONTACT])).days < number(drawn)
