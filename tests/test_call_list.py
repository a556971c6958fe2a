"""What a call list is made from: of files it is said what is wrong, of a delivery that does not hold there is none."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6 import call_list
from leadscore_v6.call_list import CallListRequest, Written, lists_by, read_associates, read_exclusions, write_call_list
from leadscore_v6.errors import GateBlocked, InputError
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.registry import load_gates
from leadscore_v6.production.call_list import CallList
from leadscore_v6.settings import Settings
from tests.dashboard_panels.story import SCORES, TODAY, Story

DAY = date(2025, 11, 3)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "file.csv"
    file.write_bytes(text.encode("latin-1"))
    return file


def test_the_active_ones_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "associate,weekly_capacity,active\nDot,1,yes\n Ann ,1,TRUE\n\nBob,1,0\nCid,1,y\n")
    assert read_associates(file) == ["Dot", "Ann", "Cid"]
    assert read_associates(written(tmp_path, "associate\nAnn\n")) == ["Ann"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\nAnn\n", r"There is no column associate \(file .*file.csv, column associate\)"),
        ("associate\nAnn\nAnn\n", r"who is there twice|is there twice .*row 3"),
        ("associate\n \n", r"has no name|without a name"),
        ("associate,active\nAnn,no\n", "No associate is active"),
        ("associate,active\nAnn,perhaps\n", r"'perhaps' does not say .*column active, row 2"),
        ("associate,active\nAnn,\n", r"'' does not say .*column active, row 2"),
        ("associate\nAnn\n=cmd|x\n", r"begins with '='.*spreadsheet .*column associate, row 3"),
        ("associate\n@Ann\n", "begins with '@'"),
        ("associate,associate\nAnn,Bob\n", r"The column associate is there twice .*row 1"),
        ("associate,active\nAnn,yes\nMiller, Ann,yes\n", r"The row has 3 fields, the first line names 2 .*row 3"),
        ("associate,active\nAnn\n", "The row has 1 fields"),
        ('associate\n"Ann\n', "no CSV in UTF-8"),
        ("associate\n\xe9\n", "no CSV in UTF-8"),
        ("", "There is no column associate"),
    ],
)
def test_a_file_of_associates_that_is_none(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_associates(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_associates(tmp_path / "none.csv")


def test_crds_as_the_crm_spells_them_until_their_day_is_over(tmp_path: Path) -> None:
    text = "FA_CRD__c,until\n007,\n 12.0 ,2025-11-03\n13,2025-11-02\n14.,2026-01-01\n"
    assert read_exclusions(written(tmp_path, text), DAY) == {"7", "12", "14"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FA_CRD__c\n12x\n", r"no CRD \(.*column FA_CRD__c, row 2\)"),
        ("FA_CRD__c\n0\n", "no CRD"),
        ("FA_CRD__c\n1.5\n", "no CRD"),
        ("FA_CRD__c\n-7\n", "no CRD"),
        ("FA_CRD__c,until\n7,soon\n", r"'soon' is no day .*row 2"),
    ],
)
def test_an_exclusion_that_is_none_is_refused_and_not_left_out(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_exclusions(written(tmp_path, text), DAY)


# --- lists that were written ------------------------------------------------------------------------------------------


def test_lists_of_a_model_are_found_and_those_that_do_not_say(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, data=tmp_path / "feed")
    assert lists_by(settings, "20260101") == []
    files = {
        "call_list_v6_20260302.csv": "FA_CRD__c,model_version\n20260102,20260101\n",
        "call_list_v6_20260303.csv": "FA_CRD__c,model_version\n20260101,20260102\n",
        "call_list_v6_20260304.csv": "FA_CRD__c,model_version\n",
        "call_list_v6_20260201.csv": "\ufeffFA_CRD__c;model_version\n7;20260102\n",
        "call_list_v6_20260302_crm_import.csv": "Lead_Score_Model__c\n20260101\n",
    }
    settings.artifacts.mkdir(parents=True)
    for name, text in files.items():
        (settings.artifacts / name).write_text(text, encoding="utf-8")
    (settings.artifacts / "call_list_v6_20260305.csv").write_bytes("Müller,model_version\n".encode("cp1252"))
    assert [file.name for file in lists_by(settings, "20260101")] == [
        "call_list_v6_20260201.csv", "call_list_v6_20260302.csv", "call_list_v6_20260305.csv"
    ]  # fmt: skip


# --- the delivery -----------------------------------------------------------------------------------------------------


class ReachedError(Exception):
    """The warehouse would be read now: nothing of the ledger is against a list."""


@pytest.fixture
def delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A day that the champion scored, on a delivery of three files."""

    def opened(*_asked: object, **_named: object) -> None:
        raise ReachedError

    story = Story()
    story.extract()
    story.attempt("crm_associates")
    story.snapshot()
    story.attempt("crm_dials")
    story.model("20260101")
    story.day(f"{TODAY:%Y%m%d}")
    monkeypatch.setattr(call_list, "read_ledger", lambda _settings: (story.ledger(), False))
    monkeypatch.setattr(call_list, "open_warehouse", opened)
    return story


def asked_of(tmp_path: Path, day: date | None = None) -> None:
    request = CallListRequest(written(tmp_path, "associate\nAnn\n"), day=day)
    write_call_list(Settings(home=tmp_path / "home", data=tmp_path / "feed"), request)


def stopped_by(tmp_path: Path) -> str:
    """What keeps a list from being made; empty if nothing does."""
    with pytest.raises((GateBlocked, ReachedError)) as stopped:
        asked_of(tmp_path)
    return str(stopped.value)


@pytest.mark.parametrize(("what", "asset"), [("leads", "crm_leads"), ("associates", "crm_associates")])
def test_no_list_of_a_delivery_whose_dials_were_never_read(
    delivered: Story, tmp_path: Path, what: str, asset: str
) -> None:
    with pytest.raises(ReachedError):
        asked_of(tmp_path)
    # What follows it is kept from beginning, so that the log before stays the latest one.
    delivered.line("refused", asset, "this week's", {"why": "the file is cut off", "facts": {}})
    dials = delivered.ledger().latest("crm_dials")
    assert dials is not None
    assert dials.state == "published"
    assert re.search(rf"No call list from {what} that do not hold[\s\S]*refused: the file is cut", stopped_by(tmp_path))


def test_no_list_of_files_that_were_not_delivered_together(delivered: Story, tmp_path: Path) -> None:
    """A run that was killed between two files; what it had read stands, and all of its gates hold."""
    delivered.extract()
    for what, asset, newer in (
        ("associates", "crm_associates", "crm_leads"),
        ("dials", "crm_dials", "crm_associates and crm_leads"),
    ):
        says = rf"No call list from {what}[\s\S]*not delivered with {newer}, .* again: `leadscore run --data DIR`, or"
        assert re.search(says, stopped_by(tmp_path))
        delivered.attempt(asset)
    with pytest.raises(ReachedError):
        asked_of(tmp_path)


def scored_before(story: Story, days: int) -> date:
    """Another extract is delivered with all that goes with it, so many days after the one that was scored."""
    story.extract(TODAY + timedelta(days=days))
    story.attempt("crm_associates")
    story.attempt("crm_dials")
    return TODAY


@pytest.mark.parametrize("is_stale", [False, True])
def test_no_list_by_scores_that_are_far_behind_the_extract(delivered: Story, tmp_path: Path, is_stale: bool) -> None:
    scored_before(delivered, 7 + is_stale)
    says = r"stale scores. .* of 2026-03-02, and the newest CRM extract is 8 days newer[\s\S]*`--day 2026-03-02`"
    assert bool(re.search(says, stopped_by(tmp_path))) is is_stale


@pytest.mark.parametrize("is_stale", [False, True])
def test_nor_by_scores_of_a_feed_that_has_stopped(
    delivered: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stale: bool
) -> None:
    """The extract's day stands still with the scores'."""
    made = delivered.ledger().latest(SCORES, f"{TODAY:%Y%m%d}").started_at.date()
    later = Ledger(delivered, load_gates(), made + timedelta(days=7 + is_stale))
    monkeypatch.setattr(call_list, "read_ledger", lambda _settings: (later, False))
    assert bool(re.search("they were made 8 days ago", stopped_by(tmp_path))) is is_stale


def test_whoever_names_the_day_gets_the_list_and_the_list_says_how_old_it_is(delivered: Story, tmp_path: Path) -> None:
    day = scored_before(delivered, 30)
    with pytest.raises(ReachedError):
        asked_of(tmp_path, day)
    attempt = delivered.ledger().latest(SCORES, f"{day:%Y%m%d}")
    age = call_list._age(delivered.ledger(), attempt, 7)
    written_down = Written(listed("lead"), day, "20260101", [age], False, True, None)
    for shown in (str(written_down), written_down.page()):
        assert "The scores are of 2026-03-02, and the newest CRM extract is 30 days newer." in shown


def test_a_day_after_the_extract_that_serves_is_not_the_newest(delivered: Story, tmp_path: Path) -> None:
    """Its extract was taken back, or a clock was wrong."""
    delivered.day(f"{TODAY + timedelta(days=3):%Y%m%d}")
    attempt = call_list._scored(delivered.ledger(), None)
    assert attempt.partition == f"{TODAY:%Y%m%d}"


@pytest.mark.parametrize(
    ("logs_dials", "until", "says"),
    [
        (False, None, "for having been dialled lately: no Dials.csv was landed."),
        (True, None, "for having been dialled lately: the log of dials is empty."),
        (True, DAY, f"Dials are known up to {DAY}."),
    ],
)
def test_an_empty_log_is_not_none_at_all(logs_dials: bool, until: date | None, says: str) -> None:
    assert says in str(Written(listed("lead"), DAY, "20251101", [], False, logs_dials, until))


def listed(*kinds: str, dialled: int = 0, contacted: int = 0, records: tuple[int, ...] = (1, 1, 1)) -> CallList:
    """Ann's list: somebody of each kind, the first with a probability of 0.1, the others of 0.2.

    The first `dialled` were dialled before, the last `contacted` were contacted before. records: of each in the CRM.
    """
    count = len(kinds)
    chances = [0.1, 0.2, 0.2][:count]
    given = {
        "associate": "Ann",
        "kind": kinds,
        "probability": chances,
        "reasons": "long in one firm",
        "crm_records": records[:count],
        "last_dial_on": pd.Series([pd.Timestamp(DAY)] * dialled + [pd.NaT] * (count - dialled)),
        "last_contact_on": pd.Series([pd.NaT] * (count - contacted) + [pd.Timestamp(DAY)] * contacted),
    }
    return CallList(rows=pd.DataFrame(given), expected={"Ann": sum(chances), "Bob": 0.0}, left_out={})


def test_calls_are_expected_of_leads_and_prospects_are_told_apart() -> None:
    """For prospects nothing was ever calibrated (R51)."""
    both = Written(listed("lead", "prospect", "prospect", contacted=1), DAY, "20251101", [], False, True, DAY)
    one_dial = "calls expected of one dial each (of whom 0 were dialled before, 0.00)"
    for text in (str(both), both.page()):
        told = " ".join(text.split())
        assert f"Ann 1 leads, 0.10 {one_dial}; 2 prospects, 0.40 if they were leads" in told
        assert f"Bob 0 leads, 0.00 {one_dial}; 0 prospects, 0.00 if they were leads" in told
        assert "of prospects, who have no open lead (1 of these 2 were contacted before), it says" in told
        assert "Expect fewer calls" not in told
    assert "who have no open lead" not in str(Written(listed("lead"), DAY, "20251101", [], False, True, DAY))


def test_calls_expected_of_those_dialled_before_are_told_apart() -> None:
    """They gave none when they were first dialled, which is what the model learned of (R50)."""
    told = str(Written(listed("lead", "lead", "prospect", dialled=1), DAY, "20251101", [], False, True, DAY))
    assert "2 leads,     0.30 calls expected of one dial each (of whom 1 were dialled before, 0.10);" in told
    assert "of leads that were dialled before, and gave no call, it says what it would have said then" in told


def test_whom_the_crm_does_not_find_by_the_crd_is_counted() -> None:
    told = str(Written(listed("lead", "lead", "prospect", records=(2, 1, 0)), DAY, "20251101", [], False, True, DAY))
    assert "of 1 advisors it has several records, of 1 none (`crm_records`)" in told
    assert "crm_records" not in str(Written(listed("lead"), DAY, "20251101", [], False, True, DAY))
