"""Running the plan from one process: the CLI's front to the same assets that the UI and the sensor run.

Belongs here: which runs follow which, what goes on beside them, and how they end for a person. Does not belong here:
commands and arguments (cli.py), running a job (runs.py), or a second pipeline: everything is done by Dagster's jobs.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from leadscore_v6.alerting.raising import raise_finding
from leadscore_v6.assets.intake import withdrawal_of
from leadscore_v6.assets.production.alarms import failure
from leadscore_v6.contracts import contract
from leadscore_v6.driver_experiment import go_on
from leadscore_v6.errors import (
    DiskFull,
    GateBlocked,
    InputError,
    LeadscoreError,
    UsageError,
    WrongDay,
    ran_out_of_space,
)
from leadscore_v6.gates.bench import open_bench, read_ledger, wall_clock
from leadscore_v6.gates.champions import require_champion
from leadscore_v6.gates.extract import extract_day, known_extract_day, waits_to_be_built
from leadscore_v6.gates.ledger import Ledger, Place
from leadscore_v6.gates.programme import GO, experiment_runs
from leadscore_v6.locations import Location, reaching
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.landing import CRM_FILES, FeedFile, Landed, feed_files, file_mark, landing_ahead
from leadscore_v6.warehouse.landing.leads import FILE_NAME as LEADS_FILE
from leadscore_v6.warehouse.protocol import Warehouse

if TYPE_CHECKING:
    from leadscore_v6.gates.attempt import Bench
    from leadscore_v6.runs import Runner, Summary

_log = logging.getLogger(__name__)
Progress = Callable[[str], None]
# How far a run may go, in order.
THROUGH = ("dataset", "model", "shadow", "experiment", "production")
# Bytes; less than SQLite needs for one commit.
_NOTHING_LEFT = 1 << 20


def run_through(settings: Settings, through: str, options: dict[str, Any], progress: Progress) -> Summary:
    """Every feed file of `settings.data`, then views, join, training set, promotion, and on as far as `through` says.

    "model": steps 4.1 to 4.4 too; "shadow": then the last seven days of the extract are scored in shadow (5.1);
    "experiment": then the test is planned, or its next week assigned (5.2, 5.3); "production": then (the test only if
    it is not read to its end) the champion scores the day of the extract (6.1).

    Raises InputError or UsageError when the folder cannot be read as a feed, WarehouseBusy when another process holds
    the warehouse, GateBlocked when production is reached and no model serves. A step that fails is in the summary.
    Leads that fail end it; of the snapshots all are judged, and the fan-in is run if none failed.
    """
    feeds = feed_files(settings.data, wall_clock().date())
    _require_leads(settings)
    with _told_when_full(settings):
        return _run_all(settings, options, progress, feeds, through)


def train(settings: Settings, options: dict[str, Any], progress: Progress) -> Summary:
    """Steps 4.1-4.4 alone, on what is promoted. Raises UsageError where nothing was ever landed."""
    ledger, _ = read_ledger(settings)
    if not ledger.snapshots():
        raise UsageError(
            f"There is no training set in {settings.home}: nothing was ever landed there.\n"
            "  what to do: `leadscore run --data DIR` first, or name another home with --home."
        )
    with _told_when_full(settings), open_bench(settings, "leadscore train", progress):
        from leadscore_v6.runs import MODEL, open_runner

        with open_runner(settings, options, progress, [], 1) as runner:
            runner.run(MODEL, None)
            return runner.summary


@dataclass(frozen=True)
class ShadowRequest:
    """What to score in shadow: `day`, or the last `days` days of the extract (by default as many as are judged).

    land: take a newer extract in first.
    """

    day: date | None = None
    days: int | None = None
    land: bool = False


def shadow(settings: Settings, options: dict[str, Any], request: ShadowRequest, progress: Progress) -> Summary:
    """Step 5.1 on the newest validated model: the serving copy, the days asked for, and the seven days judged.

    Raises UsageError where nothing was ever landed, InputError when there is an extract to land and it is not there.
    """
    ledger, _ = read_ledger(settings)
    if not ledger.snapshots():
        raise UsageError(
            f"There is nothing to score in {settings.home}: nothing was ever landed there.\n"
            "  what to do: `leadscore run --data DIR --through shadow` first, or name another home with --home."
        )
    if request.land:
        _require_leads(settings)
    with _told_when_full(settings), open_bench(settings, "leadscore shadow", progress) as bench:
        from leadscore_v6.runs import LEADS, open_runner

        lands = request.land or waits_to_be_built(bench.ledger)
        with open_runner(settings, options, progress, [], 2 + lands) as runner:
            if lands:
                runner.run(LEADS, None)
            _score_in_shadow(bench, runner, request, progress)
            return runner.summary


@dataclass(frozen=True)
class ScoreRequest:
    """What production is to score: `day`, by default that of the extract. land: take a newer extract in first."""

    day: date | None = None
    land: bool = False


def score(settings: Settings, options: dict[str, Any], request: ScoreRequest, progress: Progress) -> Summary:
    """Step 6.1 for one day: the serving copy, open leads and prospects by the champion, and the class balance.

    Raises UsageError where nothing was ever landed, GateBlocked where no model serves (before anything is landed).
    Whatever else keeps it from being run is an alert too, as a failed step is: nobody may be at the terminal. Not so a
    day that was named and cannot be scored (WrongDay, before any of its steps): who named it is told.
    """
    ledger, _ = read_ledger(settings)
    if not ledger.snapshots():
        raise UsageError(
            f"There is nothing to score in {settings.home}: nothing was ever landed there.\n"
            "  what to do: `leadscore run --data DIR --through shadow` first, or name another home with --home."
        )
    require_champion(ledger)
    with _alerted(settings, ledger, "production_scores_v6"):
        return _score(settings, options, request, progress)


def _score(settings: Settings, options: dict[str, Any], request: ScoreRequest, progress: Progress) -> Summary:
    if request.land:
        _require_leads(settings)
    with _told_when_full(settings), open_bench(settings, "leadscore score", progress) as bench:
        from leadscore_v6.runs import LEADS, SERVING, open_runner

        lands = request.land or waits_to_be_built(bench.ledger)
        with open_runner(settings, options, progress, [], 2 + lands) as runner:
            if lands:
                runner.run(LEADS, None)
            if not runner.summary.failures:
                runner.run(SERVING, None)
            _score_in_production(bench, runner, request.day)
            return runner.summary


def _score_in_shadow(bench: Bench, runner: Runner, request: ShadowRequest, progress: Progress) -> None:
    """Serving copy, days, and the seven days together; each only if all before it went well."""
    from leadscore_v6.runs import SERVING, SHADOW, SHADOW_DAY

    if not runner.summary.failures:
        runner.run(SERVING, None)
    if not runner.summary.failures:
        wanted = _days_asked(bench, request)
        progress(f"shadow days: {wanted[0]} to {wanted[-1]}")
        runner.run_days(SHADOW_DAY, wanted, only="shadow_scores_v6")
    if not runner.summary.failures:
        runner.run(SHADOW, None)


def _score_in_production(bench: Bench, runner: Runner, day: date | None) -> None:
    """The champion's scores of a day, by default that of the extract, and what is watched beside them."""
    from leadscore_v6.runs import CLASS_BALANCE, PRODUCTION_DAY

    if not runner.summary.failures:
        if day is not None:
            _require_day(bench, day)
        runner.run_days(PRODUCTION_DAY, _days_asked(bench, ShadowRequest(day, days=1)), only="production_scores_v6")
    if not runner.summary.failures:
        runner.run(CLASS_BALANCE, None)


def _require_day(bench: Bench, day: date) -> None:
    """Raise WrongDay for a named day that cannot be scored. Where no extract's day is known the step says why."""
    from leadscore_v6.assets.production.data import require_day

    now = replace(bench, ledger=_ledger_now(bench))
    if known_extract_day(now.ledger) is not None:
        require_day(now, day)


def _beyond_the_model(bench: Bench, runner: Runner, beyond: Sequence[str], progress: Progress) -> None:
    """Shadow scores; the test, which production asks for only until it is read to its end; the champion's scores."""
    if "shadow" in beyond:
        _score_in_shadow(bench, runner, ShadowRequest(), progress)
    if not runner.summary.failures and "experiment" in beyond:
        ledger = _ledger_now(bench)
        if "production" not in beyond or not _is_tested(ledger):
            go_on(runner, ledger, progress)
    if not runner.summary.failures and "production" in beyond:
        require_champion(_ledger_now(bench))
        _score_in_production(bench, runner, None)


def _is_tested(ledger: Ledger) -> bool:
    """Whether a test of the programme was read, and none is under way."""
    return ledger.latest(GO) is not None and not experiment_runs(ledger)


def _days_asked(bench: Bench, request: ShadowRequest) -> list[str]:
    from leadscore_v6.assets.shadow.data import scoring_settings
    from leadscore_v6.partitions import last_days

    if request.day is not None:
        return [f"{request.day:%Y%m%d}"]
    return last_days(extract_day(_ledger_now(bench)), request.days or scoring_settings().shadow.days)


def _ledger_now(bench: Bench) -> Ledger:
    """Read anew: the runs have written to it."""
    return Ledger(bench.store, bench.ledger.gates, bench.ledger.today)


def _run_all(
    settings: Settings, options: dict[str, Any], progress: Progress, feeds: list[FeedFile], through: str
) -> Summary:
    # Open from here to the end, so that the runs share what the engine has read, and it is written back once. Another
    # program may have the file open: said here once, with progress, and not by each run.
    with ExitStack() as held:
        bench = held.enter_context(open_bench(settings, "leadscore run", progress))
        with reaching(settings.data):
            used = list(_in_use(bench.ledger, feeds, settings, progress))
            known = {feed.key: facts for feed in used if (facts := _landed(bench.ledger, feed, settings))}
        fresh, keys = [feed for feed in used if feed.key not in known], [feed.key for feed in used]
        begin = partial(_begin, bench.warehouse, settings)
        held.enter_context(landing_ahead(fresh, settings.store, contract("feed").names, begin))
        # Loaded only now: Dagster takes as long to load as a file to land.
        from leadscore_v6.assets.snapshots import begin_typing, standing
        from leadscore_v6.runs import LEADS, MODEL, SNAPSHOT, TRAINING_SET, open_runner

        if options.get("rebuild"):
            for key, facts in known.items():
                begin_typing(bench.warehouse, settings, key, facts)
        fan_in = [TRAINING_SET] if through == "dataset" else [TRAINING_SET, MODEL]
        beyond = THROUGH[2 : THROUGH.index(through) + 1]
        # The serving copy and the seven days, the test, the class balance; days are counted as they come.
        others = 1 + len(fan_in) + (0, 2, 3, 4)[len(beyond)]
        # The small file first: a mistake in it shows at once, not after every snapshot has been built.
        runner = held.enter_context(open_runner(settings, options, progress, keys, others))
        runner.run(LEADS, None)
        if not runner.summary.failures:
            for key in keys:
                stands = standing(bench, settings, key) if key in known and not options.get("rebuild") else []
                if not runner.passes_over(SNAPSHOT, key, stands):
                    runner.run(SNAPSHOT, key)
        for job in fan_in:
            if not runner.summary.failures:
                runner.run(job, None)
        _beyond_the_model(bench, runner, beyond, progress)
        return runner.summary


def _begin(warehouse: Warehouse, settings: Settings, feed: FeedFile, landed: Landed) -> None:
    from leadscore_v6.assets.leads import landed_facts
    from leadscore_v6.assets.snapshots import begin_typing

    begin_typing(warehouse, settings, feed.key, landed_facts(landed))


def raise_for(summary: Summary) -> None:
    """Raise the summary's failures as one error with the exit code of the gravest: 1, then 2, then 3."""
    if not summary.failures:
        return
    text = "\n".join(
        failure.message + (f"\n  report: {failure.report}" if failure.report else "") for failure in summary.failures
    )
    codes = {failure.exit_code for failure in summary.failures}
    if 1 in codes:
        raise LeadscoreError(text)
    if 2 in codes:
        raise InputError(text)
    raise GateBlocked(text)


def _in_use(ledger: Ledger, feeds: list[FeedFile], settings: Settings, progress: Progress) -> Iterator[FeedFile]:
    """The snapshots that there is something to build from; files that were withdrawn are named."""
    inputs: list[tuple[Place, Location, FeedFile | None]] = []
    if settings.leads_in_folder:
        files = ((asset, settings.data / name) for name, asset in CRM_FILES.items())
        inputs += [((asset, None), file, None) for asset, file in files if file.is_file()]
    inputs += [(("snapshot_reps_raw", feed.key), feed.path, feed) for feed in feeds]
    for place, file, feed in inputs:
        taken_back, earlier = withdrawal_of(ledger, place, file), ledger.usable(place)
        if taken_back is not None:
            instead = f"; the one landed on {earlier[-1]['at']:%Y-%m-%d %H:%M} serves" if earlier else ""
            progress(
                f"{file.name} is left out: it was withdrawn on {taken_back.at:%Y-%m-%d %H:%M}{instead}. "
                f"To use it after all: leadscore withdraw --undo {file.name}"
            )
        if feed is not None and (taken_back is None or earlier):
            yield feed


def _landed(ledger: Ledger, feed: FeedFile, settings: Settings) -> dict[str, Any] | None:
    """What is known of this very file; the step that it belongs to will not read it again. None: nothing."""
    mark, landed = file_mark(feed.path), ledger.landed.get(("snapshot_reps_raw", feed.key), [])
    known = (facts for facts in reversed(landed) if facts["fingerprint"] == mark)
    return next((facts for facts in known if (settings.store / facts["stored_as"]).is_file()), None)


def _require_leads(settings: Settings) -> None:
    """Say at once that Lead.csv is missing, not after every snapshot has been built."""
    if not settings.leads_in_folder:
        return
    with reaching(settings.data):
        there = (settings.data / LEADS_FILE).is_file()
    if not there:
        raise InputError(
            "There is no Lead.csv in the folder of the feed",
            file=str(settings.data / LEADS_FILE),
            remedy="export the CRM's leads there (Id, FA_CRD__c, Stage_Entered_Contacting__c, "
            "Stage_Entered_Call_Scheduled__c).",
        )


@contextmanager
def _alerted(settings: Settings, ledger: Ledger, step: str) -> Iterator[None]:
    """An error for a person reaches those whom the configuration names, and the page; then whoever gave the command."""
    try:
        yield
    except WrongDay:
        raise
    except LeadscoreError as error:
        raise_finding(settings.outbox, failure(ledger, step, error), wall_clock())
        _show(settings)
        raise


def _show(settings: Settings) -> None:
    """Write the dashboard; where that cannot be done it is told, and the older page stays."""
    from leadscore_v6.dashboard_panels.assemble import write_dashboard

    try:
        write_dashboard(settings)
    except (LeadscoreError, OSError) as error:
        _log.warning("the dashboard could not be written: %s", error)


@contextmanager
def _told_when_full(settings: Settings) -> Iterator[None]:
    """Dagster's storage is the first to notice a full disk, and would tell it by a stack trace."""
    try:
        yield
    except Exception as error:
        # For want of space SQLite may also say "disk I/O error", as for a broken disk.
        is_full = "disk I/O error" in str(error) and shutil.disk_usage(settings.home).free < _NOTHING_LEFT
        if isinstance(error, LeadscoreError) or not (is_full or ran_out_of_space(error)):
            raise
        raise DiskFull(settings.home) from None
