"""What `config/monitoring_schedule_v6.yaml` says, as checked values.

Belongs here: one dataclass per section of the file, and reading it, held against
`config/schemas/monitoring_schedule.schema.json`. Does not belong here: making schedules of `cron` (schedules.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from leadscore_v6.contracts import load_document
from leadscore_v6.errors import UsageError
from leadscore_v6.paths import config_root

MONITORING_FILE: Final = "monitoring_schedule_v6.yaml"  # in the configuration folder; schema `monitoring_schedule`


@dataclass(frozen=True)
class ScoringSettings:
    """When the scores of a day are made: those that are acted on, and those in shadow."""

    cron: str
    shadow_cron: str


@dataclass(frozen=True)
class HealthSettings:
    """Health of each day's scores (R25) and the availability of the most important features (R40)."""

    min_leads_day: int
    pooled_days: int
    top_features: int
    missing_points: float
    significance: float


@dataclass(frozen=True)
class ClassBalanceSettings:
    """The weekly look at matured cohorts (R29)."""

    cron: str
    weeks: int
    relative_change: float
    significance: float
    min_leads: int
    label_window_days: int
    entry_lag_days: int

    @property
    def matures_after_days(self) -> int:
        """A lead's label is known so many days after contact."""
        return self.label_window_days + self.entry_lag_days


@dataclass(frozen=True)
class DriftSettings:
    """The population stability index and its null (R30)."""

    cron: str
    window_days: int
    bins: int
    min_level_share: float
    psi: float
    significance: float
    null_draws: int
    min_leads: int


@dataclass(frozen=True)
class PerformanceSettings:
    """What the model is worth on matured leads."""

    cron: str
    window_days: int
    min_positives: int
    min_positives_interval: int
    bootstrap_draws: int
    ece_bins: int
    auc_drop: float


@dataclass(frozen=True)
class ChampionSettings:
    """When a challenger takes the champion's place (plan 6.2, R31)."""

    policy: Literal["superior", "non_inferior"]
    non_inferior_margin: float
    ece: float
    train_test_gap: float
    cv_coefficient: float
    quarters: int
    min_positives_interval: int
    bootstrap_draws: int


@dataclass(frozen=True)
class MonitoringSettings:
    """All of `config/monitoring_schedule_v6.yaml`. freshness: by asset the hours after which it is late.

    What knows times (Dagster) asks `freshness`, what knows days only (the dashboard) `late_after_days`.
    """

    seed: int
    scoring: ScoringSettings
    health: HealthSettings
    class_balance: ClassBalanceSettings
    drift: DriftSettings
    performance: PerformanceSettings
    champion: ChampionSettings
    freshness: Mapping[str, int]

    def __post_init__(self) -> None:
        if self.performance.min_positives > self.performance.min_positives_interval:
            raise UsageError("performance: min_positives must not be above min_positives_interval.")

    def late_after_days(self, asset: str) -> int:
        """The whole days in that asset's hours."""
        return self.freshness[asset] // 24

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> MonitoringSettings:
        """From the content of the file, which holds against its schema. Raises UsageError on what cannot be."""
        return cls(
            seed=content["seed"],
            scoring=ScoringSettings(**content["scoring"]),
            health=HealthSettings(**content["health"]),
            class_balance=ClassBalanceSettings(**content["class_balance"]),
            drift=DriftSettings(**content["drift"]),
            performance=PerformanceSettings(**content["performance"]),
            champion=ChampionSettings(**content["champion"]),
            freshness=dict(content["freshness"]),
        )


def monitoring_settings() -> MonitoringSettings:
    """The product's, checked. Raises InputError with file and line, UsageError on what cannot be."""
    return MonitoringSettings.of(load_document(config_root() / MONITORING_FILE, "monitoring_schedule"))
