"""From a check's figures to alerts, by the rules of the configuration.

Belongs here: whether a figure misses what its rule asks. Does not belong here: the figures (monitoring/), the rules
themselves (`config/alerting_config_v6.json`).
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadscore_v6.alerting.alert import Alert
from leadscore_v6.alerting.settings import AlertingSettings, Rule
from leadscore_v6.errors import LeadscoreError

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def alerts_for(
    check: str,
    figures: Mapping[str, float | int | None],
    settings: AlertingSettings,
    at: datetime,
    subjects: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Alert, ...]:
    """Alerts of `check` (health, class_balance, drift, performance, champion or run), in the order of the rules.

    `figures` are all of the check's; an alert carries them along. `subjects` says by figure what it is about: the
    features that drifted, the step that failed. The same rule about other subjects is another alert.

    Raises LeadscoreError for a check without a rule, or a figure that a rule reads and the check does not give: an
    alarm that is silently never raised is worse than none.
    """
    rules = [rule for rule in settings.rules if rule.check == check]
    if not rules:
        raise LeadscoreError(f"No rule of the alerting configuration is about {check!r}.")
    lacking = sorted({rule.figure for rule in rules} - set(figures))
    if lacking:
        raise LeadscoreError(f"The check {check!r} does not give {', '.join(lacking)}, which alerting rules read.")
    about = subjects or {}
    return tuple(
        Alert(
            key=_key(rule, tuple(about.get(rule.figure, ()))),
            severity=rule.severity,
            title=rule.title,
            says=rule.says,
            figures=figures,
            subjects=tuple(about.get(rule.figure, ())),
            to=rule.to,
            raised_at=at,
        )
        for rule in rules
        if _misses(rule, figures[rule.figure])
    )


def _misses(rule: Rule, figure: float | None) -> bool:
    # NaN compares as false with everything: it would be an alert under ">" and none under "==".
    if figure is None or figure != figure:  # noqa: PLR0124
        return rule.unknown == "alert"
    return not _OPERATORS[rule.op](figure, rule.value)


def _key(rule: Rule, subjects: tuple[str, ...]) -> str:
    if not subjects:
        return rule.name
    return f"{rule.name}-{hashlib.sha256(' '.join(sorted(subjects)).encode()).hexdigest()[:8]}"
