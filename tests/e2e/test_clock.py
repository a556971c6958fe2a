"""A machine whose clock goes back, gone through by command: what is refused, what serves, and that mending it suffices.

The clock names versions and lines of the ledger and orders none (R39); what has not come by it is not taken in (R48).
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6.gates.bench import read_ledger, wall_clock
from leadscore_v6.settings import Settings
from tests.e2e import at_clock
from tests.e2e.model_world import Modelled
from tests.e2e.process import REPOSITORY, leadscore
from tests.e2e.production_world import associates_file, own_copy, rows_of, scored_day
from tests.e2e.sabotage import edit
from tests.e2e.test_bad_input import PROMOTED, contents
from tests.e2e.test_faults import command, environment, without_versions

pytestmark = pytest.mark.prove
VIEW = "view v_latest_training_dataset_v6"
# Before the home was made, after all that was delivered to it; and before its newest snapshot.
A_YEAR_BACK, BEFORE_THE_FEED = "2025-10-01T09:00", "2024-02-01T09:00"
NEWEST = "RIARepDataFeed_20240331.csv"


def at(time: str, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """`leadscore WORDS` by a clock that stands at `time`."""
    return subprocess.run(
        [sys.executable, at_clock.__file__, time, *map(str, words)],
        cwd=REPOSITORY,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def served(home: Path) -> str:
    """The version that is served, as `leadscore status` says."""
    found = re.search(r"v_latest_training_dataset_v6 serves version (\w+)", leadscore("status", "--home", home).stdout)
    assert found is not None
    return found[1]


def test_what_is_built_meanwhile_has_an_odd_name_and_is_the_newest(
    world: Path, finished_home: Path, home: Path
) -> None:
    before, version = contents(finished_home), served(home)
    known = at(A_YEAR_BACK, *command(world, home))
    assert known.returncode == 0, known.stderr
    assert contents(home) == before

    anew = at(A_YEAR_BACK, *command(world, home, "--rebuild"))
    assert anew.returncode == 0, anew.stderr
    assert served(home).startswith("20251001_09")
    assert served(home) < version
    built = contents(home)
    assert built[VIEW] != before[VIEW]
    assert built[PROMOTED] == before[PROMOTED]

    # The clock is right again: the same delivery is known, and what was built last serves, whatever its name.
    again = leadscore(*command(world, home))
    assert again.returncode == 0, again.stderr
    assert contents(home) == built
    back = leadscore("rollback", "--dataset", version, "--home", home, "--by", "Bob")
    assert back.returncode == 0, back.stderr
    assert served(home) == version


def test_what_has_not_come_by_it_is_refused_by_name_and_what_served_serves_on(
    feed: Path, home: Path, finished_home: Path
) -> None:
    before = contents(finished_home)
    refused = at(BEFORE_THE_FEED, *command(feed, home))
    assert refused.returncode == 2
    assert "This snapshot is dated 2024-03-31, after the day it was received (2024-02-01)" in refused.stderr
    assert NEWEST in refused.stderr

    (feed / NEWEST).rename(feed.parent / NEWEST)
    refused = at(BEFORE_THE_FEED, *command(feed, home))
    assert refused.returncode == 2
    assert re.search(r"timestamp is of 20\d\d-\d\d-\d\d, after the day it was .*file Lead\.csv", refused.stderr)
    assert "Traceback" not in refused.stderr
    assert contents(home) == before

    (feed.parent / NEWEST).rename(feed / NEWEST)
    mended = leadscore(*command(feed, home))
    assert mended.returncode == 0, mended.stderr
    assert without_versions(contents(home)) == without_versions(before)


def test_a_waiver_that_had_expired_holds_again_meanwhile(feed: Path, home: Path) -> None:
    edit(feed / "Lead.csv", lambda records: records.__delitem__(slice(100)))
    assert leadscore(*command(feed, home)).returncode == 3
    stopped = read_ledger(Settings(home=home, data=feed))[0].latest("crm_leads")
    ends = wall_clock().date() + timedelta(days=7)
    waived = leadscore(
        "waive", "leads_of_before_still_there", "--attempt", stopped.key, "--home", home,
        "--by", "Ann", "--reason", "archived", "--expires", ends,
    )  # fmt: skip
    assert waived.returncode == 0, waived.stderr
    assert leadscore(*command(feed, home)).returncode == 0

    after = f"{datetime.combine(ends, datetime.min.time(), UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    expired = at(after, *command(feed, home))
    assert expired.returncode == 3
    assert "leads_of_before_still_there" in expired.stderr
    assert leadscore(*command(feed, home)).returncode == 0


def test_production_goes_on_by_the_days_of_its_data(
    production_home: Path, modelled: Modelled, tmp_path: Path
) -> None:
    """Scores, list and alerts are of the extract's day, which no clock decides; nothing is late that was just made."""
    with own_copy(production_home, modelled, tmp_path) as settings:
        day, home = scored_day(settings), settings.home
        before = rows_of(settings, day)
        where = {"LEADSCORE_HOME": str(home), "LEADSCORE_DATA": str(settings.data)}
        back = f"{day + timedelta(days=30)}T06:00"
        for words in (
            ("score", "--rebuild"),
            ("call-list", "--associates", associates_file(settings)),
            ("alerts", "send"),
        ):
            done = at(back, *words, **where)
            assert done.returncode == 0, done.stderr
        after = rows_of(settings, day)
        same = ["Id", "FA_CRD__c", "probability", "percentile", "decile", "model_version"]
        pd.testing.assert_frame_equal(after[same], before[same], check_exact=True)
        alerts = leadscore("alerts", "list", "--all", "--home", home)
        assert "Something did not come" not in alerts.stdout
        assert read_ledger(settings)[0].latest("production_scores_v6", f"{day:%Y%m%d}").state == "published"
        assert scored_day(settings) == day
