"""Watching production from one process: what is looked at day by day, week by week, month by month (plan step 6.1).

Belongs here: which runs follow which, and what each found in one line. Does not belong here: commands
(cli_monitoring.py), rhythms (schedules.py), a second pipeline: everything is done by Dagster's jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.champions import require_champion
from leadscore_v6.gates.extract import extract_day, waits_to_be_built
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.monitoring import DAILY, MONTHLY, PERIODS, WEEKLY
from leadscore_v6.reports.sections import headlines, topic
from leadscore_v6.settings import Settings

if TYPE_CHECKING:
    from leadscore_v6.runs import Runner, Summary

Progress = Callable[[str], None]
_LOOKS: Final = {
    DAILY: ("production_scores_v6",),
    WEEKLY: ("class_balance_v6",),
    MONTHLY: ("feature_drift_v6", "model_performance_v6"),
}


@dataclass(frozen=True)
class MonitorRequest:
    """What to look at, as of which days: none is the day of the CRM extract. land: take a newer extract in first."""

    periods: tuple[str, ...] = PERIODS
    days: tuple[date, ...] = ()
    land: bool = False


def monitor(settings: Settings, request: MonitorRequest, progress: Progress) -> Summary:
    """Look, as of each day in turn. A look that is stopped keeps none of the others from being taken.

    Raises UsageError where nothing was ever landed, GateBlocked where no model serves (before anything is landed);
    WrongDay, before any look, for a day that is named and that the extract does not reach.
    """
    ledger, _ = read_ledger(settings)
    if not ledger.snapshots():
        raise UsageError(
            f"There is nothing to watch in {settings.home}: nothing was ever landed there.\n"
            "  what to do: `leadscore run --data DIR --through shadow` first, or name another home with --home."
        )
    require_champion(ledger)
    with open_bench(settings, "leadscore monitor", progress) as bench:
        from leadscore_v6.assets.production.data import require_known
        from leadscore_v6.runs import LEADS, open_runner

        lands = request.land or waits_to_be_built(bench.ledger)
        with open_runner(settings, {}, progress, [], int(lands)) as runner:
            if lands:
                runner.run(LEADS, None)
            if not runner.summary.failures:
                now = replace(bench, ledger=Ledger(bench.store, bench.ledger.gates, bench.ledger.today))
                for day in request.days:
                    require_known(now, day)
                for day in sorted(request.days) or [extract_day(now.ledger)]:
                    _look(runner, request.periods, day)
            return runner.summary


def findings(ledger: Ledger, settings: Settings, request: MonitorRequest) -> Iterator[tuple[str, str, str]]:
    """Of each look that was taken at the days asked for: the asset and its day, what it found, where its report is."""
    for day in sorted(request.days) or [extract_day(ledger)]:
        for asset in (asset for period in PERIODS if period in request.periods for asset in _LOOKS[period]):
            key = f"{day:%Y%m%d}" if STEPS[asset].partitioned else None
            attempt = ledger.latest(asset, key)
            if attempt is None or attempt.state not in ("judged", "published"):
                continue
            # Without a partition the newest attempt may be of another day: this look was stopped before it, or a later
            # one was taken since.
            if key is None and attempt.facts.get("as_of") != day.isoformat():
                continue
            report, failed = STEPS[asset].report.format(version=attempt.version), attempt.state != "published"
            place = f"failed/{attempt.key}/" if failed else f"{key}/" if key else ""
            said = headlines(topic(report), attempt.figures, attempt.facts)
            yield f"{asset} as of {day}", said[0] if said else "", str(settings.artifacts / f"{place}{report}")


def months_between(first: date, last: date) -> Sequence[date]:
    """The first days of the months after `first`, up to `last`."""
    number = range(first.year * 12 + first.month, last.year * 12 + last.month)
    return [date(month // 12, month % 12 + 1, 1) for month in number]


def _look(runner: Runner, periods: tuple[str, ...], day: date) -> None:
    from leadscore_v6.partitions import days, register
    from leadscore_v6.runs import CLASS_BALANCE, DRIFT, PERFORMANCE, PRODUCTION_DAY

    key = f"{day:%Y%m%d}"
    register(runner.instance, days, [key])
    runner.options = {"as_of": day.isoformat()}
    jobs = {DAILY: (PRODUCTION_DAY,), WEEKLY: (CLASS_BALANCE,), MONTHLY: (DRIFT, PERFORMANCE)}
    asked = [job for period in PERIODS if period in periods for job in jobs[period]]
    runner.total += len(asked)
    for job in asked:
        runner.run(job, None if job == CLASS_BALANCE else key)
