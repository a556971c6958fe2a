"""When production is watched without anyone's asking: a schedule for each rhythm of config/monitoring_schedule_v6.yaml.

Belongs here: which run a tick asks for, and why it asks for none. Does not belong here: what a run does (assets/), when
a file is landed (sensors.py). All of them are off until someone turns them on. A tick knows the time that Dagster gives
it, and the ledger; no other clock.

Days are those of the CRM extract (R47): a tick looks at the newest extract, as of its day, never at a day that nobody
knows yet. A tick that finds this done says so and runs nothing, so that Dagster shows an asset as late when no newer
extract comes. What failed is asked for again at the next tick.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from leadscore_v6.errors import UsageError
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.extract import known_extract_day, waits_to_be_built, why_no_extract
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.jobs import CLASS_BALANCE, DRIFT, PERFORMANCE, PRODUCTION_DAY, SHADOW_DAY
from leadscore_v6.monitoring.settings import MonitoringSettings, monitoring_settings
from leadscore_v6.partitions import days, register
from leadscore_v6.settings import from_environment

Asked = dg.RunRequest | dg.SkipReason


@dataclass(frozen=True)
class _Rhythm:
    """A schedule: its job, the asset that a tick looks for, its cron, whether it is about the model that serves."""

    name: str
    job: str
    asset: str
    cron: str
    says: str
    by_champion: bool = True


def monitoring_schedules(jobs: Mapping[str, Any]) -> list[dg.ScheduleDefinition]:
    """The schedules, for jobs by name."""
    return [_schedule(rhythm, jobs[rhythm.job]) for rhythm in _rhythms(monitoring_settings())]


def _rhythms(settings: MonitoringSettings) -> tuple[_Rhythm, ...]:
    return (
        _Rhythm(
            "production_daily",
            PRODUCTION_DAY,
            "production_scores_v6",
            settings.scoring.cron,
            "Scores the day of the newest CRM extract with the champion, and judges its health.",
        ),
        _Rhythm(
            "shadow_daily",
            SHADOW_DAY,
            "shadow_scores_v6",
            settings.scoring.shadow_cron,
            "Scores the leads of that day in shadow, by the newest validated model; nobody acts on it.",
            by_champion=False,
        ),
        _Rhythm(
            "class_balance_weekly",
            CLASS_BALANCE,
            "class_balance_v6",
            settings.class_balance.cron,
            "Holds the newest matured week's rate of conversions against training's (R29).",
        ),
        _Rhythm(
            "drift_monthly",
            DRIFT,
            "feature_drift_v6",
            settings.drift.cron,
            "Holds last month's leads against the bins that training froze (R30).",
        ),
        _Rhythm(
            "performance_monthly",
            PERFORMANCE,
            "model_performance_v6",
            settings.performance.cron,
            "Judges the champion on ninety days of matured leads.",
        ),
    )


def _schedule(rhythm: _Rhythm, job: Any) -> dg.ScheduleDefinition:
    def tick(context: dg.ScheduleEvaluationContext) -> Asked:
        at = context.scheduled_execution_time
        try:
            ledger, _ = read_ledger(from_environment(), lambda: at)
        except UsageError as nothing_there:
            return dg.SkipReason(str(nothing_there))
        asked = _ask(ledger, rhythm, at)
        if isinstance(asked, dg.RunRequest) and asked.partition_key is not None:
            register(context.instance, days, [asked.partition_key])
        return asked

    return dg.ScheduleDefinition(
        name=rhythm.name,
        job=job,
        cron_schedule=rhythm.cron,
        execution_timezone="UTC",
        description=rhythm.says,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        execution_fn=tick,
    )


def _ask(ledger: Ledger, rhythm: _Rhythm, at: datetime) -> Asked:
    """The run that a tick at `at` asks for, or why there is none."""
    extracted = known_extract_day(ledger)
    if extracted is None:
        return dg.SkipReason(why_no_extract(ledger))
    if waits_to_be_built(ledger):
        return dg.SkipReason(
            f"A newer Lead.csv was withdrawn, and the extract of {extracted} is not built again yet: `leadscore score`."
        )
    if rhythm.by_champion and champion(ledger) is None:
        return dg.SkipReason("No model serves: none was promoted yet (`leadscore promote`).")
    day = min(extracted, at.astimezone(UTC).date())
    key = f"{day:%Y%m%d}" if STEPS[rhythm.asset].partitioned else None
    if _is_done(ledger, rhythm, key):
        return dg.SkipReason(f"The newest CRM extract is of {extracted}, and {rhythm.asset} of it is there.")
    # By the tick: what failed is asked for again, a tick that a crash makes Dagster repeat is not.
    return dg.RunRequest(f"{rhythm.name}:{at.astimezone(UTC):{_MINUTE}}", partition_key=key)


def _is_done(ledger: Ledger, rhythm: _Rhythm, key: str | None) -> bool:
    """Whether it was published from what there is now, and by the champion that serves now."""
    attempt, reign = ledger.latest(rhythm.asset, key), champion(ledger)
    if attempt is None or attempt.state != "published" or ledger.outdated(attempt) or ledger.blocking(attempt):
        return False
    return not rhythm.by_champion or (reign is not None and attempt.facts.get("model_version") == reign.version)


_MINUTE: Final = "%Y-%m-%dT%H:%M"
