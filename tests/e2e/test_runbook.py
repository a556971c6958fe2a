"""Every alert's section of the production runbook: a home is broken as the section says, its commands heal it.

The commands are those of the page (docs/production_runbook_v6.md), run as they stand there; only the words in capitals
are filled in. So page and product cannot part (issue 6, done when 5).
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from leadscore_v6 import cli
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.alerting.settings import alerting_settings
from leadscore_v6.assets.production import scores as production
from leadscore_v6.assets.production.alarms import tell_what_is_due
from leadscore_v6.backup import back_up
from leadscore_v6.driver import ScoreRequest, raise_for, run_through, score
from leadscore_v6.driver_monitoring import MONTHLY, MonitorRequest, monitor
from leadscore_v6.gates.bench import open_bench, read_ledger, wall_clock
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.judge import Verdict
from leadscore_v6.gates.models import folder_of, known_models
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.settings import Settings
from tests.e2e.model_world import Modelled
from tests.e2e.process import REPOSITORY
from tests.e2e.production_world import in_production, quiet
from tests.e2e.sabotage import Product, Row, edit
from tests.e2e.test_model_gates import ASSETS, Fitted
from tests.gates.later_steps import reigning

PAGE = (REPOSITORY / "docs" / "production_runbook_v6.md").read_text(encoding="utf-8")
MONTH = MonitorRequest((MONTHLY,))
RULES = {rule.name: rule for rule in alerting_settings().rules}


# --- the page ---------------------------------------------------------------------------------------------------------


def section(alert: str) -> str:
    """What the page says of an alert."""
    found = re.search(rf"^### .*`{alert}`.*\n([\s\S]*?)(?=^###? )", PAGE, re.MULTILINE)
    assert found is not None, f"docs/production_runbook_v6.md has no section on {alert}"
    return found[1]


def commands(alert: str) -> list[str]:
    """The lines of the section's fence."""
    fences = re.findall(r"^```sh\n([\s\S]*?)^```", section(alert), re.MULTILINE)
    return [line for fence in fences for line in fence.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("alert", RULES)
def test_every_alert_has_cause_check_and_remedy_and_commands_that_there_are(alert: str) -> None:
    for word in ("**Cause**", "**Check**", "**Remedy**"):
        assert word in section(alert)
    assert commands(alert)
    for line in commands(alert):
        program, *words = shlex.split(line)
        assert program == "leadscore"
        # As click would, up to the point where the command would run.
        context, command = click.Context(cli.cli), cli.cli
        while isinstance(command, click.Group):
            _, found, words = command.resolve_command(context, words)
            assert found is not None
            context, command = click.Context(found, parent=context), found
        command.make_context(command.name, list(words))


# --- a home, and what breaks it ---------------------------------------------------------------------------------------


@dataclass
class Home:
    """A home in production; `words` are what the page has in capitals."""

    settings: Settings
    modelled: Modelled
    patch: pytest.MonkeyPatch
    words: dict[str, str] = field(default_factory=dict)

    @property
    def feed(self) -> Path:
        """What is delivered next."""
        return Path(self.words["FEED"])

    def score(self, *, land: bool = False) -> None:
        """The daily run, whatever becomes of it."""
        score(replace(self.settings, data=self.feed), {}, ScoreRequest(land=land), quiet)

    def deliver(self, change: Callable[[list[Row]], None]) -> None:
        """Another Lead.csv is delivered and scored; the right one lies in the folder when a person looks."""
        edit(self.feed / "Lead.csv", change)
        self.score(land=True)
        shutil.copyfile(self.modelled.feed / "Lead.csv", self.feed / "Lead.csv")

    def heard(self, alert: str) -> dict[str, int]:
        """How often alerts of a rule were raised, by what they were about; in the new home, once there is one."""
        new = Path(self.words.get("NEW_HOME", self.settings.home))
        filed = Outbox((new if new.exists() else self.settings.home) / "outbox").filed()
        return {one.alert.key: one.times for one in filed if one.alert.key.partition("-")[0] == alert}


@pytest.fixture(scope="module")
def finished(production_home: Path, modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion and a former one, scored for the day of the extract; nobody may change it."""
    home = Path(shutil.copytree(production_home, tmp_path_factory.mktemp("runbook") / "home"))
    with in_production(home, modelled.feed) as settings:
        assert Fitted(Product(settings, [], {}), modelled.fitted()).run(ASSETS).stops == []
        with open_bench(settings, "test", quiet) as bench:
            reigning(bench, known_models(bench.ledger)[0].version)
        raise_for(score(settings, {}, ScoreRequest(), quiet))
        # In so small a world a feature has drifted by the way in which it was made; that is no fault that is planted.
        raise_for(monitor(settings, MONTH, quiet))
    assert {one.alert.key.partition("-")[0] for one in Outbox(home / "outbox").filed()} <= {"feature_drift"}
    return home


@pytest.fixture
def home(finished: Path, modelled: Modelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home of one's own."""
    place = Path(shutil.copytree(finished, tmp_path / "home"))
    feed = Path(shutil.copytree(modelled.feed, tmp_path / "feed"))
    with in_production(place, feed) as settings:
        yield Home(settings, modelled, monkeypatch, {"FEED": str(feed), "NAME": "Ann", "WHY": "the runbook"})


def day_of(home: Home) -> date:
    return date.fromisoformat(read_ledger(home.settings)[0].latest("crm_leads").facts["crm_extracted_at"])


def an_export_without_open_leads(home: Home) -> None:
    """Every lead has a call, on the day of its contact, or of the extract."""

    def change(records: list[Row]) -> None:
        last = max(row["Stage_Entered_Contacting__c"] for row in records)
        for row in records:
            row["Stage_Entered_Call_Scheduled__c"] = (
                row["Stage_Entered_Call_Scheduled__c"] or row["Stage_Entered_Contacting__c"] or last
            )

    home.deliver(change)


def a_model_that_cannot_score_some_leads(home: Home) -> None:
    ledger, _ = read_ledger(home.settings)
    serving = champion(ledger)
    home.words["FORMER_MODEL"] = next(one.version for one in known_models(ledger) if one.version != serving.version)
    honest = production._batch

    def spoiled(rows: Any, model: Any) -> Any:
        if model.version == serving.version and (
            (rows["kind"] == "lead") & (rows["FA_CRD__c"].astype(str).str[-1] == "7")
        ).any():
            raise ValueError("Feature shape mismatch, expected: 90, got 91")
        return honest(rows, model)

    home.patch.setattr(production, "_batch", spoiled)
    home.patch.setattr(production, "production_code_hash", lambda: "another release")
    home.score()


def a_slow_disk(home: Home) -> None:
    slow, honest = home.settings.home, production._judge

    def judged(bench: Any, *given: Any) -> Any:
        found = honest(bench, *given)
        is_slow = bench.folders.path("").is_relative_to(slow)
        return replace(found, latency_ms=found.latency_ms + 700) if is_slow else found

    home.patch.setattr(production, "_judge", judged)
    home.patch.setattr(production, "production_code_hash", lambda: "as slow as the disk")
    home.score()
    home.words |= {"ARCHIVE": str(home.settings.home.parent / "b.tar"), "NEW_HOME": str(slow.parent / "local")}


def a_snapshot_with_an_empty_column(home: Home) -> None:
    newest = max(home.feed.glob("RIARepDataFeed_*.csv"))
    home.words["SNAPSHOT"] = newest.stem.rpartition("_")[2]
    honest = newest.read_bytes()

    def change(records: list[Row]) -> None:
        for row in records:
            row.update(dict.fromkeys(EMPTY, ""))

    edit(newest, change)
    run_through(replace(home.settings, data=home.feed), "dataset", {}, quiet)
    home.score()
    newest.write_bytes(honest)


def a_snapshot_that_counts_otherwise(home: Home) -> None:
    newest = max(home.feed.glob("RIARepDataFeed_*.csv"))
    home.words["SNAPSHOT"] = newest.stem.rpartition("_")[2]
    honest = newest.read_bytes()

    def change(records: list[Row]) -> None:
        for place, row in enumerate(records):
            row["Number_RegisteredStates"] = str(100 + place % 40)

    edit(newest, change)
    run_through(replace(home.settings, data=home.feed), "dataset", {}, quiet)
    newest.write_bytes(honest)
    monitor(home.settings, MONTH, quiet)


def otherwise(home: Home, change: Callable[[list[Row]], None]) -> None:
    """Calls of the leads that have matured in the last months stand otherwise in an extract; the month is looked at."""
    last = day_of(home) - timedelta(days=30)

    def of_the_last_months(records: list[Row]) -> None:
        days = [row["Stage_Entered_Contacting__c"][:10] for row in records]
        change(
            [
                row
                for row, day in zip(records, days, strict=True)
                if day and last - timedelta(days=90) <= date.fromisoformat(day) <= last
            ]
        )

    edit(home.feed / "Lead.csv", of_the_last_months)
    monitor(replace(home.settings, data=home.feed), replace(MONTH, land=True), quiet)
    shutil.copyfile(home.modelled.feed / "Lead.csv", home.feed / "Lead.csv")


def called_a_day_later(row: Row) -> str:
    return f"{datetime.fromisoformat(row['Stage_Entered_Contacting__c'][:19]) + timedelta(days=1):%Y-%m-%d %H:%M:%S}"


def calls_at_the_wrong_leads(home: Home) -> None:
    def change(rows: list[Row]) -> None:
        called = [bool(row["Stage_Entered_Call_Scheduled__c"]) for row in rows]
        np.random.default_rng(5).shuffle(called)
        for row, has_call in zip(rows, called, strict=True):
            row["Stage_Entered_Call_Scheduled__c"] = called_a_day_later(row) if has_call else ""

    otherwise(home, change)


def every_second_call_is_missing(home: Home) -> None:
    def change(rows: list[Row]) -> None:
        for row in [row for row in rows if row["Stage_Entered_Call_Scheduled__c"]][::2]:
            row["Stage_Entered_Call_Scheduled__c"] = ""

    otherwise(home, change)


def calls_that_there_were_not(home: Home) -> None:
    def change(rows: list[Row]) -> None:
        for row in [row for row in rows if not row["Stage_Entered_Call_Scheduled__c"]][::4]:
            row["Stage_Entered_Call_Scheduled__c"] = called_a_day_later(row)

    otherwise(home, change)


def calls_that_were_not_entered(home: Home) -> None:
    last = day_of(home) - timedelta(days=30)

    def change(records: list[Row]) -> None:
        for row in records:
            contacted = row["Stage_Entered_Contacting__c"][:10]
            if contacted and last - timedelta(days=21) <= date.fromisoformat(contacted) <= last:
                row["Stage_Entered_Call_Scheduled__c"] = ""

    home.deliver(change)


def an_extract_that_is_cut_off(home: Home) -> None:
    with (home.feed / "Lead.csv").open("a") as file:
        file.write("00Q,\n")
    home.score(land=True)
    shutil.copyfile(home.modelled.feed / "Lead.csv", home.feed / "Lead.csv")


def a_model_file_that_was_altered(home: Home) -> None:
    archive = home.settings.home.parent / "b.tar"
    back_up(home.settings, archive, quiet)
    serving = champion(read_ledger(home.settings)[0]).calibrated
    (file,) = (home.settings.model_folders / folder_of(serving).partition("/")[2]).glob("*.ubj")
    file.chmod(0o600)
    file.write_bytes(b"other trees")
    home.patch.setattr(production, "production_code_hash", lambda: "the day after")
    home.score()
    home.words |= {"ARCHIVE": str(archive), "NEW_HOME": str(home.settings.home.parent / "restored")}


def no_extract_for_some_days(home: Home) -> None:
    """Three days go by in which nothing is delivered; then the CRM's newest extract, with one lead more, comes."""
    with duckdb.connect(str(home.settings.warehouse_file)) as warehouse:
        warehouse.execute('UPDATE LeadScoring.attempt_ledger SET "at" = "at" - INTERVAL 3 DAY')
    tell_what_is_due(home.settings, wall_clock())
    edit(home.feed / "Lead.csv", lambda records: records.append(records[-1] | {"Id": "00Q000000000NEWAA0"}))


# Columns of the feed without which important features are missing.
EMPTY = ("DateBecameRep_NumberOfYears", "DateOfHireAtCurrentFirm_NumberOfYears")
# Answered by a whole refresh (tests/e2e/test_refresh.py), and raised once for each champion: no healing is to be seen.
ELSEWHERE = {"champion_age"}
BREAKS: dict[str, Callable[[Home], None]] = {
    "scoring_success": an_export_without_open_leads,
    "scoring_errors": a_model_that_cannot_score_some_leads,
    "scoring_latency": a_slow_disk,
    "feature_availability": a_snapshot_with_an_empty_column,
    "class_balance": calls_that_were_not_entered,
    "feature_drift": a_snapshot_that_counts_otherwise,
    "performance_drop": calls_at_the_wrong_leads,
    "expected_above_observed": every_second_call_is_missing,
    "expected_below_observed": calls_that_there_were_not,
    "input_refused": an_extract_that_is_cut_off,
    "late": no_extract_for_some_days,
    "run_failed": a_model_file_that_was_altered,
}


def test_every_alert_has_a_way_to_be_broken() -> None:
    assert set(BREAKS) | ELSEWHERE == set(RULES)


@pytest.mark.prove
@pytest.mark.parametrize("alert", BREAKS)
def test_whoever_follows_the_page_heals_it(home: Home, alert: str) -> None:
    before = home.heard(alert)
    BREAKS[alert](home)
    raised = home.heard(alert)
    told = {key for key, times in raised.items() if times > before.get(key, 0)}
    assert told, f"{alert} was not raised; there are {[one.alert.key for one in Outbox(home.settings.outbox).filed()]}"
    for line in commands(alert):
        words = shlex.split(line)
        for word, value in home.words.items():
            words = [re.sub(rf"(?<![A-Za-z]){word}(?![A-Za-z_])", value, one) for one in words]
        done = CliRunner().invoke(cli.cli, words[1:], catch_exceptions=True)
        assert done.exit_code == 0, f"{line}: {done.exception}\n{done.output}"
        # A home from before has not heard of it.
        raised = home.heard(alert) if words[1] == "restore" else raised
    now = home.heard(alert)
    assert set(now) == set(raised)
    assert {key: now.get(key) for key in told} == {key: raised.get(key) for key in told}
    at = replace(home.settings, home=Path(home.words.get("NEW_HOME", home.settings.home)))
    ledger, _ = read_ledger(at)
    for asset in ("production_scores_v6", "class_balance_v6", "feature_drift_v6", "model_performance_v6"):
        attempt = ledger.latest(asset, f"{day_of(home):%Y%m%d}" if STEPS[asset].partitioned else None)
        assert attempt.state == "published"
        missed = {one.gate.name for one in ledger.verdicts(attempt) if not _is_quiet(one)}
        assert missed <= {"drift_within_bounds"}


def _is_quiet(verdict: Verdict) -> bool:
    """Whether nothing is wrong: in so small a world an alarm may have too few leads to be judged."""
    return verdict.word in ("pass", "not applicable") or (verdict.word == "not judgeable" and not verdict.blocks)
