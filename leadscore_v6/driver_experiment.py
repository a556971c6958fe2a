"""Running the experiment from one process: planning it, its weeks, its looks (plan steps 5.2 and 5.3).

Belongs here: which runs follow which, and where the test stands in words. Does not belong here: commands
(cli_experiment.py), statistics (experiments/), a second pipeline: everything is done by Dagster's jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.bench import open_bench, read_ledger, require_home
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.programme import Stopped, stop_of
from leadscore_v6.gates.programme import stop as end_test
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.settings import Settings

if TYPE_CHECKING:
    from leadscore_v6.gates.attempt import Bench
    from leadscore_v6.gates.ledger import Attempt
    from leadscore_v6.runs import Runner, Summary

Progress = Callable[[str], None]
# Longest enrolment and follow-up of any plan, and some: a world that is played on for ever would never end.
_MOST_WEEKS: Final = 30
_POWER, _ASSIGNMENTS, _QUEUE = "ab_test_power_analysis_v6", "ab_test_assignments_v6", "ab_test_queue_v6"
_DAILY, _INTERIM, _FINAL = "ab_test_daily_metrics_v6", "ab_test_interim_analysis_v6", "ab_test_final_analysis_v6"


def plan(settings: Settings, options: dict[str, Any], progress: Progress) -> Summary:
    """Step 5.2. The extract that serves is the one it plans from."""
    from leadscore_v6.runs import PLAN

    with _running(settings, options, progress, runs=1) as test:
        test.runner.run(PLAN, None)
        return test.runner.summary


def assign(settings: Settings, options: dict[str, Any], progress: Progress, *, land: bool) -> Summary:
    """Step 5.3 of a week: arms, the queue, the daily metrics. `land`: what is new of the CRM is taken in first."""
    with _running(settings, options, progress, runs=1 + land) as test:
        _week(test.runner, land=land)
        return test.runner.summary


def analyse(settings: Settings, options: dict[str, Any], progress: Progress, *, look: str, land: bool) -> Summary:
    """The look that is due, after the week's steps. `look`: "due", "interim" or "final"; one that is not due fails."""
    from leadscore_v6.runs import FINAL, INTERIM

    with _running(settings, options, progress, runs=2 + land) as test:
        _week(test.runner, land=land)
        if not test.runner.summary.failures:
            asked = {"interim": INTERIM, "final": FINAL}.get(look) or _due_job(test.ledger)
            test.runner.run(asked, None)
        return test.runner.summary


def stop(settings: Settings, by: str, reason: str, progress: Progress) -> Stopped:
    """End the test that runs without reading it, by a line of the ledger with who and why."""
    require_home(settings)
    with open_bench(settings, "leadscore experiment stop", progress) as bench:
        return end_test(bench, by, reason)


def play_out(settings: Settings, next_week: Callable[[Path | None], None], progress: Progress) -> Summary:
    """A test from its plan to its final analysis, for a world that is played beside it.

    `next_week` lets a week go by: it is given the queue that was published for it, or None where there is none, and
    leaves what the CRM knows then in `settings.data`. Ends at the first step that fails.
    """
    from leadscore_v6.runs import FINAL, INTERIM, PLAN

    published_in = settings.artifacts
    if not isinstance(published_in, Path):
        raise UsageError("A played world reads the queue from a folder of this machine; unset LEADSCORE_ARTIFACTS.")
    with _running(settings, {}, progress, runs=1) as test:
        runner, queue = test.runner, None
        runner.run(PLAN, None)
        for _ in range(_MOST_WEEKS):
            if runner.summary.failures:
                break
            next_week(queue)
            runner.total += 2
            _week(runner, land=True)
            ledger = test.ledger
            daily, published = _facts(ledger, _DAILY) or {}, _facts(ledger, _QUEUE) or {}
            queue = published_in / f"{_QUEUE}.csv" if any(published.get("leads", {}).values()) else None
            if daily.get("due") is not None and not runner.summary.failures:
                runner.total += 1
                runner.run(FINAL if daily["due"] == _FINAL else INTERIM, None)
                if daily["due"] == _FINAL:
                    break
        return runner.summary


def estimate(ledger: Ledger) -> dict[str, float | None] | None:
    """The lift of the last look at which the arms were compared, with its interval; None before the first."""
    for asset in (_FINAL, _INTERIM):
        facts = _facts(ledger, asset, judged=True)
        if facts is not None and facts.get("lift"):
            found: dict[str, float | None] = facts["lift"]
            return found
    return None


def go_on(runner: Runner, ledger: Ledger, progress: Progress) -> None:
    """What `leadscore run --through experiment` does after shadow scoring: plan a test, or go on with the one planned.

    Looks are left to people: `leadscore experiment analyse`.
    """
    from leadscore_v6.runs import PLAN, WEEK

    if _facts(ledger, _POWER) is None:
        runner.run(PLAN, None)
        return
    end = _end(ledger)
    if end is not None:
        progress(f"The test was {end}. `leadscore experiment plan` plans the next one, under a salt of its own.")
        return
    started, extracted = _plan(ledger)["started_on"], extract_day(ledger)
    if extracted < date.fromisoformat(started):
        progress(f"The test starts on {started}; the CRM extract is of {extracted}. Land a newer one to go on.")
        return
    runner.run(WEEK, None)


def status(ledger: Ledger) -> dict[str, Any]:
    """Where the test stands, as plain data. Raises UsageError where none was ever planned."""
    if _facts(ledger, _POWER) is None:
        raise UsageError("No test is planned here yet: `leadscore experiment plan`.")
    planned, daily, dealt = _plan(ledger), _facts(ledger, _DAILY) or {}, _newest(ledger, _ASSIGNMENTS)
    figures = dealt.figures if dealt is not None else {}
    end = _end(ledger)
    looks = {name: _facts(ledger, asset, judged=True) for name, asset in (("interim", _INTERIM), ("final", _FINAL))}
    return {
        "started_on": planned["started_on"],
        "model_version": planned["model_version"],
        "planned_dials": planned["dials"],
        "as_of": daily.get("as_of"),
        "advisors": {arm: figures.get(f"advisors_{arm}", 0) for arm in ("treatment", "control")},
        "progress": daily.get("newest", {}),
        "next_look": f"It was {end}; it is not read." if end else daily.get("next_look", "Nothing was assigned yet."),
        "due_on": None if end else daily.get("due_on"),
        "stopped": {"on": end.at.date().isoformat(), "by": end.by, "reason": end.reason} if end else None,
        "queue_date": (_facts(ledger, _QUEUE) or {}).get("queue_date"),
        "decisions": {name: facts["decision"] for name, facts in looks.items() if facts},
    }


def reports(ledger: Ledger, settings: Settings) -> dict[str, str]:
    """What to open, by what it is about."""
    about = {
        "the test's design": _POWER,
        "how it goes": _DAILY,
        "the interim look": _INTERIM,
        "the final analysis": _FINAL,
    }
    found = {}
    for says, asset in about.items():
        attempt = _newest(ledger, asset, judged=True)
        if attempt is not None:
            failed = "" if attempt.state == "published" else f"failed/{attempt.key}/"
            found[says] = str(settings.artifacts / f"{failed}{STEPS[asset].report}")
    return found


@dataclass(frozen=True)
class _Open:
    """A runner, and the bench that is held for as long as it runs."""

    runner: Runner
    bench: Bench

    @property
    def ledger(self) -> Ledger:
        """Read anew: the runs have written to it."""
        return Ledger(self.bench.store, self.bench.ledger.gates, self.bench.ledger.today)


@contextmanager
def _running(settings: Settings, options: dict[str, Any], progress: Progress, *, runs: int) -> Iterator[_Open]:
    ledger, _ = read_ledger(settings)
    if not ledger.snapshots():
        raise UsageError(
            f"There is nothing to experiment with in {settings.home}: nothing was ever landed there.\n"
            "  what to do: `leadscore run --data DIR --through shadow` first, or name another home with --home."
        )
    with open_bench(settings, "leadscore experiment", progress) as bench:
        from leadscore_v6.runs import open_runner

        with open_runner(settings, options, progress, [], runs) as runner:
            yield _Open(runner, bench)


def _week(runner: Runner, *, land: bool) -> None:
    from leadscore_v6.runs import LEADS, WEEK

    if land:
        runner.run(LEADS, None)
    if not runner.summary.failures:
        runner.run(WEEK, None)


def _due_job(ledger: Ledger) -> str:
    """The job of the look that may be taken now; else of the next one, which says when it is due."""
    from leadscore_v6.runs import FINAL, INTERIM

    due = (_facts(ledger, _DAILY) or {}).get("due")
    if due is not None:
        return FINAL if due == _FINAL else INTERIM
    taken = _facts(ledger, _INTERIM, judged=True)
    return FINAL if taken else INTERIM


def _facts(ledger: Ledger, asset: str, *, judged: bool = False) -> dict[str, Any] | None:
    """Facts of `_newest`."""
    newest = _newest(ledger, asset, judged=judged)
    return newest.facts if newest is not None else None


def _newest(ledger: Ledger, asset: str, *, judged: bool = False) -> Attempt | None:
    """The latest attempt that was published, or at least judged, under the plan in force; of the plan the latest.

    What an earlier test came to is told by its own reports.
    """
    states = ("judged", "published") if judged else ("published",)
    found = [one for one in ledger.attempts.values() if one.asset == asset and one.state in states]
    if asset != _POWER:
        plan = _newest(ledger, _POWER)
        found = [one for one in found if plan is not None and one.facts.get("plan") == plan.key]
    return max(found, key=lambda one: one.seq, default=None)


def _plan(ledger: Ledger) -> dict[str, Any]:
    facts = _facts(ledger, _POWER)
    assert facts is not None, "asked before"
    planned: dict[str, Any] = facts["plan"]
    return planned


def _end(ledger: Ledger) -> Stopped | None:
    """What a person decided, where the test of the plan in force was stopped."""
    plan = _newest(ledger, _POWER)
    return stop_of(ledger, plan.key) if plan is not None else None
