"""Arms against a twin that deals by hand; what stands stays, whatever comes in whichever order."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import hypergeom

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.experiments.assignment import (
    ASSIGNMENT_COLUMNS,
    MISSING,
    assign,
    block_balance,
    coverage_balance,
    no_assignments,
)
from tests.experiments.trials import START, settings, week

OF = settings().assignment


def weeks(count: int, of: Any = OF, shuffled: int | None = None) -> pd.DataFrame:
    """The table after so many weeks; `shuffled` seeds another order of the leads, and of the rows that stand."""
    standing = no_assignments()
    for number in range(count):
        leads = week(number)
        if shuffled is not None:
            leads = leads.sample(frac=1, random_state=shuffled + number)
            standing = standing.sample(frac=1, random_state=shuffled)
        rows = assign(standing, leads, START + timedelta(weeks=number), of).rows
        standing = rows if standing.empty else pd.concat([standing, rows], ignore_index=True)
    return standing


def sha(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


def by_hand(batches: list[pd.DataFrame]) -> dict[str, str]:
    """Arm of each lead: a loop that keeps a list of places per segment."""
    arms: dict[str, str] = {}
    of_lead: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for leads in batches:
        new: dict[str, list[str]] = {}
        for lead in sorted(leads.to_dict("records"), key=lambda lead: lead["lead_id"]):
            segment = lead["segment"] or MISSING
            if lead["crd"] not in arms and not any(lead["crd"] in known for known in new.values()):
                new.setdefault(segment, []).append(lead["crd"])
        for segment, advisors in new.items():
            for crd in sorted(advisors, key=lambda crd: sha(OF.salt, "advisor", crd)):
                dealt = places.setdefault(segment, [])
                block, place = len(dealt) // 4, len(dealt) % 4
                cards = ["treatment", "treatment", "control", "control"]
                order = sorted(range(4), key=lambda card: sha(OF.salt, "block", segment, block, card))
                dealt.append(cards[order[place]])
                arms[crd] = dealt[-1]
        of_lead |= {lead: arms[crd] for lead, crd in zip(leads["lead_id"], leads["crd"], strict=True)}
    return of_lead


def test_arms_are_those_of_the_twin() -> None:
    found = weeks(4)
    assert dict(zip(found["lead_id"], found["arm"], strict=True)) == by_hand([week(number) for number in range(4)])
    assert set(found["arm"]) == {"treatment", "control"}


def test_leads_of_one_advisor_that_come_together_are_in_one_arm() -> None:
    found = assign(no_assignments(), week(0, advisors=40), START, OF)
    assert found.dealt == found.rows["crd"].nunique() == 40
    assert found.rows.groupby("crd")["arm"].nunique().max() == 1
    assert found.rows["arm"].nunique() == 2


def test_the_order_of_arrival_and_of_the_table_does_not_matter() -> None:
    by_lead = [weeks(4, shuffled=seed).sort_values("lead_id", ignore_index=True) for seed in (3, 4)]
    for found in by_lead:
        assert_frame_equal(found, weeks(4).sort_values("lead_id", ignore_index=True))


def test_what_stands_stays_and_a_second_run_adds_nothing() -> None:
    """R28: append-only, stable for ever."""
    three, four = weeks(3), weeks(4)
    assert_frame_equal(four.head(len(three)), three)
    again = assign(four, week(3), START + timedelta(weeks=3), OF)
    assert (len(again.rows), again.already, again.dealt) == (0, 200, 0)
    assert tuple(again.rows.columns) == ASSIGNMENT_COLUMNS
    earlier = assign(four, week(0), START, OF)
    assert len(earlier.rows) == 0, "a queue of the past may be asked for again"


def test_a_restart_in_the_middle_of_a_week_changes_no_arm() -> None:
    """Half of a week's leads are appended, the process dies, the whole week comes again."""
    standing, leads = weeks(2), week(2)
    half = assign(standing, leads.head(90), START + timedelta(weeks=2), OF).rows
    whole = assign(pd.concat([standing, half]), leads, START + timedelta(weeks=2), OF)
    assert whole.already == 90
    arms = pd.concat([half, whole.rows]).drop_duplicates("crd").set_index("crd")["arm"]
    assert (half["arm"].to_numpy() == arms[half["crd"]].to_numpy()).all()
    assert block_balance(pd.concat([standing, half, whole.rows]), OF)["off"].sum() == 0


def test_a_known_advisors_new_leads_follow_him_even_if_his_segment_changed() -> None:
    standing = weeks(2)
    crd, arm, segment = standing.loc[7, ["crd", "arm", "segment"]]
    leads = pd.DataFrame({"lead_id": ["N1", "N2"], "crd": [crd, crd], "segment": ["another", None]})
    found = assign(standing, leads, START + timedelta(weeks=2), OF)
    assert (found.followed, found.dealt) == (2, 0)
    assert set(found.rows["arm"]) == {arm}
    assert set(found.rows["segment"]) == {segment}


def test_numbers_and_text_are_one_advisor() -> None:
    """Both engines: one hands CRDs over as integers, the other as text."""
    numbers = week(0).assign(crd=lambda leads: leads["crd"].astype("int64"))
    assert_frame_equal(assign(no_assignments(), numbers, START, OF).rows, weeks(1))


@pytest.mark.parametrize("ratio", [{"treatment": 1, "control": 1}, {"treatment": 3, "control": 1}])
def test_every_full_block_holds_the_ratio(ratio: dict[str, int]) -> None:
    of = settings(assignment={"ratio": ratio, "block_size": 8}).assignment
    found = weeks(4, of)
    balance = block_balance(found, of)
    advisors = found.drop_duplicates("crd").groupby(["segment", "block"])["arm"].value_counts()
    full = balance[balance["full"]]
    assert len(full) > 40
    for segment, block in zip(full["segment"], full["block"], strict=True):
        assert advisors[segment, block].get("treatment", 0) == 8 * ratio["treatment"] // sum(ratio.values())
    assert balance["off"].sum() == 0
    assert (~balance["full"]).sum() <= 5, "one open block in each segment"


def test_a_table_that_was_changed_by_hand_shows_in_its_blocks() -> None:
    found = weeks(3)
    first = found.loc[found["block"] == 0].iloc[0]
    found.loc[found["crd"] == first["crd"], "arm"] = "control" if first["arm"] == "treatment" else "treatment"
    assert block_balance(found, OF)["off"].sum() == 1


def test_another_salt_deals_anew() -> None:
    other = settings(assignment={"salt": "the-next-test"}).assignment
    same = (weeks(3)["arm"].to_numpy() == weeks(3, other)["arm"].to_numpy()).mean()
    assert 0.4 < same < 0.6


@pytest.mark.parametrize(
    "change",
    [{"salt": "another-salt"}, {"segment": "firm_size"}, {"ratio": {"treatment": 3, "control": 1}}],
    ids=lambda change: next(iter(change)),
)
def test_a_running_tests_design_cannot_be_changed(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="was changed") as refused:
        assign(weeks(1), week(1), START + timedelta(weeks=1), settings(assignment=change).assignment)
    assert OF.fingerprint in str(refused.value)


def test_nobody_is_enrolled_in_the_past() -> None:
    with pytest.raises(UsageError, match="only appended"):
        assign(weeks(2), week(5), START, OF)


@pytest.mark.parametrize("crd", ["", "0123", "1234567.0", "None", -5])
def test_an_invalid_crd_is_refused(crd: object) -> None:
    leads = week(0, 3).assign(crd=["7", crd, "8"])
    with pytest.raises(InputError, match="1 leads to enrol have no valid CRD, the first is lead L0000001"):
        assign(no_assignments(), leads, START, OF)


def test_a_lead_that_comes_twice_and_a_table_that_contradicts_itself_are_refused() -> None:
    twice = pd.concat([week(0, 3), week(0, 1)])
    with pytest.raises(InputError, match="lead L0000000 is to be enrolled twice"):
        assign(no_assignments(), twice, START, OF)
    torn = weeks(1)
    torn.loc[len(torn)] = {**torn.iloc[0].to_dict(), "lead_id": "X", "arm": "neither"}
    with pytest.raises(InputError, match="stands in the assignments in two ways"):
        assign(torn, week(1), date(2026, 1, 1), OF)


# --- are the arms what was dealt? ---------------------------------------------------------------------------------


def test_coverage_is_compared_between_advisors_by_fishers_exact_test() -> None:
    found = weeks(2)
    matched = (found["crd"].astype(int) % 7 > 0) & ~((found["arm"] == "control") & (found["crd"].astype(int) % 3 == 0))
    first = found.assign(matched=matched).drop_duplicates("crd")
    a, b = (first.loc[first["arm"] == arm, "matched"] for arm in ("treatment", "control"))
    result = coverage_balance(found, matched)
    assert (result.treatment, result.control) == (a.mean(), b.mean())
    null = hypergeom(len(first), first["matched"].sum(), len(a))
    chances = null.pmf(range(len(a) + 1))
    assert result.p == pytest.approx(chances[chances <= null.pmf(a.sum()) * (1 + 1e-7)].sum(), rel=1e-6)
    assert result.p < 1e-3
