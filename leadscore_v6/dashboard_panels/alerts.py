"""Alerts that nobody has acknowledged, from the outbox (the plan's "no critical alerts triggered")."""

from __future__ import annotations

from leadscore_v6.alerting.outbox import Filed
from leadscore_v6.dashboard.page import Block, Folded, Panel, State, Table, Verdict
from leadscore_v6.dashboard.settings import PanelSettings
from leadscore_v6.dashboard_panels.home import Home

_SHOWN = 50


def alerts(home: Home, panel: PanelSettings) -> Panel:
    """Open ones first, newest first; those that were taken on behind a line to open."""
    unseen = [one for one in home.alerts if one.acknowledged is None]
    seen = [one for one in home.alerts if one.acknowledged is not None]
    blocks: list[Block] = []
    if unseen:
        blocks.append(_table("Alerts that nobody has taken on", unseen))
    if seen:
        blocks.append(Folded(f"Alerts that were taken on ({len(seen)})", (_table("Alerts that were taken on", seen),)))
    return Panel(panel.panel, panel.title, panel.asks, _verdict(unseen, panel), tuple(blocks))


def _verdict(unseen: list[Filed], panel: PanelSettings) -> Verdict:
    if not unseen:
        return Verdict(State.HEALTHY, "No alert waits for anybody.")
    critical = [one for one in unseen if one.alert.severity == "critical"]
    newest = (critical or unseen)[-1].alert
    says = (
        f"{len(unseen)} {'alert waits' if len(unseen) == 1 else 'alerts wait'} for somebody, {len(critical)} of them "
        f"critical; the newest {'of those ' if critical else ''}is of {newest.raised_at:%Y-%m-%d}: {newest.title}."
    )
    return Verdict(State.LOOK, says, panel.remedy)


def _table(caption: str, filed: list[Filed]) -> Table:
    rows = []
    for one in filed[: -_SHOWN - 1 : -1]:
        by = f"{one.acknowledged.by}, {one.acknowledged.at:%Y-%m-%d}" if one.acknowledged else "nobody"
        what = f"{one.alert.title}: {', '.join(one.alert.subjects)}" if one.alert.subjects else one.alert.title
        raised = f"{one.alert.raised_at:%Y-%m-%d %H:%M}"
        rows.append((what, one.alert.severity, raised, str(one.times), by, f"`{one.id}`"))
    if len(filed) > _SHOWN:
        caption += f", the newest {_SHOWN} of {len(filed)}"
    return Table(caption, ("alert", "severity", "raised", "times", "taken on by", "id"), tuple(rows), frozenset({3}))
