"""From a check's figures to alerts, by the rules of the configuration.

Belongs here: whether a figure misses what its rule asks. Does not belong here: the figures (monitoring/), the rules
themselves (`config/alerting_config_v6.json`).
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from leadscore_v6.alerting.alert import Alert, without_values
from leadscore_v6.alerting.settings import AlertingSettings, Rule
from leadscore_v6.errors import LeadscoreError

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Finding:
    """What a check found. `figures` are all of the check's; an alert carries them along.

    check: health, class_balance, drift, performance, champion, input, freshness or run. subjects: by figure what it is
    about: the features that drifted, the step that failed, the week; the same rule about other subjects, or for another
    reason, is another alert.
    is_synthetic: whether what was looked at is the sample world's. about_day: as of which day was looked. why: the
    message of an error, of which an alert says no more than may leave the house (`without_values`).
    """

    check: str
    figures: Mapping[str, float | int | None]
    subjects: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_synthetic: bool = False
    about_day: date | None = None
    why: str = ""


def alerts_for(finding: Finding, settings: AlertingSettings, at: datetime) -> tuple[Alert, ...]:
    """Alerts of a check, in the order of the rules.

    Raises LeadscoreError for a check without a rule, a figure that a rule reads and the check does not give (an alarm
    that is silently never raised is worse than none), or a finding of which nobody is told again and that has no
    subject: the next one would be taken for it.
    """
    check, figures = finding.check, finding.figures
    rules = [rule for rule in settings.rules if rule.check == check]
    if not rules:
        raise LeadscoreError(f"No rule of the alerting configuration is about {check!r}.")
    lacking = sorted({rule.figure for rule in rules} - set(figures))
    if lacking:
        raise LeadscoreError(f"The check {check!r} does not give {', '.join(lacking)}, which alerting rules read.")
    return tuple(_alert(rule, finding, at) for rule in rules if _misses(rule, figures[rule.figure]))


def _alert(rule: Rule, finding: Finding, at: datetime) -> Alert:
    subjects = tuple(finding.subjects.get(rule.figure, ()))
    if rule.again == "never" and not subjects:
        raise LeadscoreError(f"{rule.name} is told once per finding, and {finding.check!r} does not say what it found.")
    why = without_values(finding.why)
    return Alert(
        key=_key(rule, (*sorted(subjects), why) if why else tuple(sorted(subjects))),
        severity=rule.severity,
        title=rule.title,
        says=rule.says,
        figures=finding.figures,
        subjects=subjects,
        to=rule.to,
        raised_at=at,
        is_synthetic=finding.is_synthetic,
        once=rule.again == "never",
        about_day=finding.about_day,
        why=why,
    )


def _misses(rule: Rule, figure: float | None) -> bool:
    # NaN compares as false with everything: it would be an alert under ">" and none under "==".
    if figure is None or figure != figure:  # noqa: PLR0124
        return rule.unknown == "alert"
    return not _OPERATORS[rule.op](figure, rule.value)


def _key(rule: Rule, about: tuple[str, ...]) -> str:
    if not about:
        return rule.name
    return f"{rule.name}-{hashlib.sha256(' '.join(about).encode()).hexdigest()[:8]}"
