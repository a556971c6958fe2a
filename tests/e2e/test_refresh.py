"""A quarter is added, and the refresh decides (plan 6.2, R31, R58): by command, from files to the written decision.

The champion's own shadow days and the programme's go are claimed (tests/gates/later_steps.py), so is a running test;
the challenger's are real.
"""

from __future__ import annotations

import csv
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from leadscore_v6.gates.bench import open_bench
from leadscore_v6.gates.champions import role
from leadscore_v6.gates.models import model_of
from tests.e2e.model_world import Modelled
from tests.e2e.refresh_world import (
    CHANGE,
    NINTH,
    TENTH,
    Home,
    archive,
    change_pattern,
    copied,
    follow_the_page,
    go_on,
    quiet,
    run_past_gates,
)
from tests.gates.later_steps import under_way, went

BY = ("--by", "Ann")
pytestmark = pytest.mark.prove


# --- a world that goes on as it was ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quiet_world(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Eight quarters and their champion, a ninth, and one refresh on the younger half of the leads: a weaker model."""
    home = copied(modelled, tmp_path_factory.mktemp("refresh") / "quiet")
    go_on(home, 11)
    assert (home.feed / NINTH).exists()
    archive(home, date(2024, 8, 1))
    run_past_gates(home, command=("refresh", *BY))
    return home


def test_a_weaker_challenger_leaves_the_champion_and_the_page_says_why(quiet_world: Home) -> None:
    first, second = quiet_world.versions()
    assert quiet_world.serving() == first
    page = quiet_world.page(second)
    assert page.splitlines()[4].startswith("**🛑 the champion stays.**")
    assert "the lower bound of the difference" in page
    assert "shadow scoring shows no degradation" in page
    assert f"Champion until now: {first}. Asked for by Ann." in page
    serving = (Path(str(quiet_world.settings.artifacts)) / "production_model_v6.md").read_text()
    assert f"**{first} serves**, promoted on" in serving
    assert second in serving


def test_the_ninth_quarter_is_in_the_training_set_and_the_undialled_are_not(quiet_world: Home) -> None:
    ledger = quiet_world.ledger
    training = ledger.latest("step_3_3_training_dataset_v6")
    staging = ledger.latest("step_3_1_staging_join_v6")
    assert "20260104" in ledger.snapshots()
    with (quiet_world.feed / "Dials.csv").open(newline="") as file:
        dialled = {row["Id"]: row["dialled_at"][:10] for row in csv.DictReader(file)}
    assert staging.figures["dials_logged_since"] == min(dialled.values())
    assert staging.figures["leads_dial_logged"] > 1000
    assert training.figures["dropped_undialled"] > 500
    assert training.figures["dropped_dial_unknown"] > 100


def test_the_same_delivery_again_is_known_and_decides_the_same(quiet_world: Home) -> None:
    before, page = quiet_world.versions(), quiet_world.page(quiet_world.versions()[-1])
    again = quiet_world("refresh", *BY)
    assert again.returncode == 0, again.stderr
    assert quiet_world.versions() == before
    assert quiet_world.page(before[-1]) == page


def test_a_run_goes_on_to_the_champions_scores_of_the_extracts_day(quiet_world: Home) -> None:
    done = quiet_world("run", "--through", "production")
    assert done.returncode == 0, done.stderr
    ledger = quiet_world.ledger
    (day,) = ledger.keys("production_scores_v6")
    assert day == ledger.latest("crm_leads").facts["crm_extracted_at"].replace("-", "")
    assert ledger.latest("production_scores_v6", day).facts["model_version"] == quiet_world.serving()


def test_a_tenth_quarter_makes_a_third_model_and_of_the_old_champion_that_stays_nothing_more_is_heard(
    quiet_world: Home, tmp_path: Path
) -> None:
    """The runbook's section on `champion_age`, where the challenger does not win."""
    home = Home(Path(shutil.copytree(quiet_world.folder, tmp_path / "tenth")))
    first = home.serving()
    go_on(home, 17)
    archive(home, date(2024, 8, 1))
    assert (home.feed / TENTH).exists()
    assert home.heard("champion_age") == []
    home("score", "--data", home.feed)
    (alert,) = home.heard("champion_age")
    assert alert.alert.subjects == (first,)
    said = follow_the_page(home, "champion_age", ID=alert.id, WHY="the champion was kept, see its decision page")
    assert len(home.versions()) == 3
    assert "20260405" in home.ledger.snapshots()
    assert f"Model {home.versions()[-1]}: kept." in said
    assert home.serving() == first
    assert f"The champion {first} is as of" in home.page(home.versions()[-1])
    (heard,) = home.heard("champion_age")
    assert heard.acknowledged is not None
    assert heard.acknowledged.note == "the champion was kept, see its decision page"
    assert heard.deliveries == alert.deliveries
    sent = home("alerts", "send")
    assert sent.returncode == 0, sent.stderr
    assert home.heard("champion_age") == [heard]


def test_the_demo_goes_on_to_a_refresh(tmp_path: Path) -> None:
    home = Home(tmp_path)
    done = home("demo", "--through", "refresh")
    assert done.returncode == 0, done.stderr
    first, second = home.versions()
    assert f"Model {second}: kept." in done.stdout
    assert home.serving() == first


# --- a world whose pattern changes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def changed_world(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A champion of the time before the change; eleven quarters are delivered."""
    home = Home(tmp_path_factory.mktemp("refresh") / "changed")
    change_pattern(home)
    early = home.folder / "early"
    early.mkdir()
    shutil.copy(home.feed / "Lead.csv", early)
    as_of = CHANGE + timedelta(days=30)
    for file in home.feed.glob("RIARepDataFeed_*.csv"):
        if file.stem[-8:] <= f"{as_of:%Y%m%d}":
            shutil.copy(file, early)
    run_past_gates(home, "--as-of", f"{as_of}", feed=early)
    home.crown()
    archive(home, CHANGE)
    return home


@pytest.fixture(scope="module")
def refreshed(changed_world: Home) -> Home:
    """Refreshed on all of them while a test runs; the champion was told of as old before."""
    changed_world("score", "--data", changed_world.feed)
    assert changed_world.waive_what_stopped()  # the CRM has archived leads
    changed_world("score", "--data", changed_world.feed)
    (alert,) = changed_world.heard("champion_age")
    assert alert.alert.subjects == (changed_world.serving(),)
    with open_bench(changed_world.settings, "test", quiet) as bench:
        under_way(bench)
    said = run_past_gates(changed_world, command=("refresh", *BY))
    assert "queued" in said
    return changed_world


def test_a_change_of_pattern_is_won_by_the_challenger_but_a_running_test_is_not_disturbed(refreshed: Home) -> None:
    first, second = refreshed.versions()
    assert refreshed.serving() == first
    page = refreshed.page(second)
    assert "⏳ the challenger waits until the running experiment has ended (R58)" in page
    low = re.search(r"`challenger_minus_champion_low` \| ([-.\d]+)", page)
    assert low is not None
    assert float(low.group(1)) > 0.1
    ledger = refreshed.ledger
    assert "waits until the running experiment has ended" in role(ledger, model_of(ledger, second))


def test_when_the_test_has_ended_it_is_told_and_the_next_refresh_promotes(refreshed: Home) -> None:
    first, second = refreshed.versions()
    with open_bench(refreshed.settings, "test", quiet) as bench:
        went(bench)
    # The runbook's section on `champion_age`, where the challenger wins.
    (alert,) = refreshed.heard("champion_age")
    said = follow_the_page(refreshed, "champion_age", ID=alert.id, WHY="its challenger serves")
    assert "the experiment that it waited for has ended" in said
    assert f"Model {second}: promoted." in said
    assert refreshed.serving() == second
    (heard,) = refreshed.heard("champion_age")
    assert (heard.times, heard.last_raised, heard.deliveries) == (alert.times, alert.last_raised, alert.deliveries)
    scores = refreshed.ledger.latest("production_scores_v6", refreshed.ledger.keys("production_scores_v6")[-1])
    assert scores.facts["model_version"] == second
    # The same delivery once more: known, and the decision that stands is told.
    same = refreshed("refresh", *BY)
    assert same.returncode == 0, same.stderr
    assert f"Model {second}: stands." in same.stdout
    assert f"champion_decision_v6_{second}.md" in same.stdout
    serving = (Path(str(refreshed.settings.artifacts)) / "production_model_v6.md").read_text()
    assert serving.index(f"**{second} serves**, promoted on") < serving.index("## Who served")
    assert f"| {first} |" in serving
    # What served is kept, and is a command away.
    kept = refreshed("gc", "--keep", "1")
    assert kept.returncode == 0, kept.stderr
    back = refreshed("rollback", "--model", first, "--by", "Bob", "--reason", "slow")
    assert back.returncode == 0, back.stderr
    again = refreshed("refresh", *BY)
    assert "only a person brings it back" in refreshed.page(second), again.stderr
    assert refreshed.serving() == first
