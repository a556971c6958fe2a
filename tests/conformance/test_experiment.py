"""The experiment's tables on both engines: what was dealt comes back as it was, and is dealt no second time."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from leadscore_v6.assets.experiment.plan import ASSIGNMENTS, QUEUE, experiment_settings, rows, text, whole_table
from leadscore_v6.assets.tables import figures_of, write_table
from leadscore_v6.experiments.assignment import assign, no_assignments
from leadscore_v6.settings import Settings
from tests.conformance.conftest import writing

FIRST, SECOND = date(2025, 12, 8), date(2025, 12, 15)
ENTERED = pd.Timestamp("2025-12-05 10:11:12.345678", tz="UTC")
SERVED, CANDIDATE = f"LeadScoring.{ASSIGNMENTS}", f"LeadScoring.candidate__{ASSIGNMENTS}__k"
LEADS = tuple(f"00Q{(number * 37) % 64:03}{'aZ'[number % 2]}" for number in range(64))  # in no order


def crm_leads() -> pd.DataFrame:
    """Three enter in one instant; some have no CRD, a call, another day; of the rest every fifth is dialled."""
    number = pd.Series(range(64))
    entered = ENTERED + pd.to_timedelta(number // 3 % 4, unit="D")
    return pd.DataFrame(
        {
            "Id": LEADS,
            "crd": [None if n == 7 else str(1000 + n % 45) for n in number],
            "Stage_Entered_Contacting__c": entered.where(number != 11, ENTERED - pd.Timedelta(days=30)),
            "Stage_Entered_Call_Scheduled__c": (entered + pd.Timedelta(hours=1)).where(number % 17 == 3),
            "contacting_unparsed": 0,
            "scheduled_unparsed": 0,
        }
    )


def crm_dials() -> pd.DataFrame:
    dialled = [(lead, ENTERED + pd.Timedelta(days=5)) for lead in LEADS[::5]]
    # After the extract: not known yet.
    dialled += [(lead, ENTERED + pd.Timedelta(days=60)) for lead in LEADS[1::5]]
    return pd.DataFrame(dialled, columns=["Id", "dialled_at"])


def test_who_came_and_in_which_order_is_the_same_on_both_engines(settings: Settings) -> None:
    """Against a count by hand: with ties, times to the microsecond, and what keeps a lead out."""
    came = crm_leads().assign(day=lambda leads: leads["Stage_Entered_Contacting__c"].dt.date)
    came = came[came["day"] >= FIRST - timedelta(days=7)]
    came = came.sort_values(["Stage_Entered_Contacting__c", "Id"])
    dialled, called = set(LEADS[::5]), set(LEADS[3::17])
    expected = [
        (lead, crd, entered, int(lead in dialled), int(lead in called))
        for lead, crd, entered in came[["Id", "crd", "Stage_Entered_Contacting__c"]].itertuples(index=False)
    ]
    columns = ("lead_id", "crd", "entered_at", "dialled_already", "called_already")
    with writing(settings) as warehouse:
        write_table(warehouse, "LeadScoring.crm_leads", crm_leads(), "crm_leads")
        write_table(warehouse, "LeadScoring.crm_dials", crm_dials(), "crm_dials")
        sql = text(warehouse, f"{ASSIGNMENTS}/arrivals.sql", leads="crm_leads", crm_dials="crm_dials")
        found = rows(warehouse, sql, {"first_day": FIRST - timedelta(days=7), "as_of": SECOND}, columns)
    found = found.assign(entered_at=pd.to_datetime(found["entered_at"], utc=True))
    assert [tuple(row) for row in found.astype(object).itertuples(index=False)] == expected
    assert len(expected) == 63
    assert found["entered_at"].duplicated().sum() > 40


def test_assignments_are_the_same_on_both_engines(settings: Settings) -> None:
    design = experiment_settings().assignment
    leads = pd.DataFrame(
        {
            "lead_id": [f"00Q{number:03}" for number in range(60)],
            "crd": [str(1000 + number % 45) for number in range(60)],
            "segment": [["1", "2_5", None][number % 3] for number in range(60)],
        }
    )
    first = assign(no_assignments(), leads[:30], FIRST, design).rows
    with writing(settings) as warehouse:
        assert whole_table(warehouse, ASSIGNMENTS, "assignments").empty
        write_table(warehouse, SERVED, first.assign(has_snapshot=1, entered_at=ENTERED), ASSIGNMENTS)
        standing = whole_table(warehouse, ASSIGNMENTS, "assignments")
        added = assign(standing, leads, SECOND, design).rows
        pd.testing.assert_frame_equal(added, assign(first, leads, SECOND, design).rows, check_dtype=False)
        whole = pd.concat([standing, added.assign(has_snapshot=0, entered_at=ENTERED)], ignore_index=True)
        write_table(warehouse, CANDIDATE, whole, ASSIGNMENTS)
        figures = figures_of(warehouse, CANDIDATE, ASSIGNMENTS, {}, earlier=SERVED)
        moved = whole.assign(arm=whole["arm"].map({"treatment": "control", "control": "treatment"}))
        write_table(warehouse, CANDIDATE, moved, ASSIGNMENTS)
        spoiled = figures_of(warehouse, CANDIDATE, ASSIGNMENTS, {}, earlier=SERVED)
    sound = {"earlier_rows_changed": 0, "advisors_in_two_arms": 0, "leads_doubled": 0, "contract_violations": 0}
    assert figures == {"assignments": 60, **sound}
    assert spoiled["earlier_rows_changed"] == 30


def test_a_queue_keeps_its_times_and_its_scores(settings: Settings) -> None:
    row = {"queue_date": pd.Timestamp(SECOND), "arm": "treatment", "position": 1, "Id": "00Q1", "FA_CRD__c": "1000"}
    rest = {"model_version": "20251125", "model_digest": "d", "fingerprint": "f"}
    queued = [
        {**row, "entered_at": ENTERED, "probability": 0.1 + 0.2, **rest},
        {**row, "arm": "control", "Id": "00Q2", "entered_at": ENTERED, "probability": None, **rest},
    ]
    with writing(settings) as warehouse:
        write_table(warehouse, f"LeadScoring.{QUEUE}", pd.DataFrame(queued), QUEUE)
        found = whole_table(warehouse, QUEUE, "queue")
    assert found["arm"].tolist() == ["treatment", "control"]
    assert pd.to_datetime(found["entered_at"], utc=True).tolist() == [ENTERED, ENTERED]
    assert found["probability"].tolist()[0] == 0.1 + 0.2
    assert pd.isna(found["probability"].tolist()[1])


def test_a_table_of_the_crm_that_is_not_there_is_none(settings: Settings) -> None:
    with writing(settings) as warehouse:
        file = warehouse.crm_file("Dials", settings.data, settings.crm_spool, ["Id"])
    assert file is None or not file.is_file()
