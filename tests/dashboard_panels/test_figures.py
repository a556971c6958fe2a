"""Figures that a panel prints: what is counted, and of which scores."""

from __future__ import annotations

from dataclasses import replace

from leadscore_v6.dashboard.page import State, Table
from leadscore_v6.dashboard_panels.gates import _verdict as gates_verdict
from leadscore_v6.dashboard_panels.home import dashboard_settings
from leadscore_v6.reports.status import StatusLine
from tests.dashboard_panels.story import Story


def test_what_has_nothing_to_judge_does_not_hold() -> None:
    line = StatusLine("1", "crm_leads", None, "a", "", "", "pass", "", None, "", stops=False)
    lines = [line, replace(line, gate="b"), replace(line, gate="c", verdict="not applicable")]
    found = gates_verdict(lines, [], dashboard_settings().panels[0])
    assert (found.state, found.says.split(" and ")[0]) == (State.HEALTHY, "All 2 gates of the latest attempts hold,")
    assert found.says.endswith("1 have nothing to judge (n/a).")


def test_a_models_holdout_has_one_figure_on_the_page() -> None:
    """That of the scores that ship, as the chart has it: step 4.1 measured before the calibration."""
    story = Story()
    story.extract()
    story.snapshot()
    story.model("20260101")
    story.attempt("trained_model", facts={"as_of": "x", "made_from": None}, version="20260303",
                  holdout_average_precision=0.4)  # fmt: skip
    panel = story.panel("models")
    (table,) = (one for one in panel.blocks if isinstance(one, Table) and one.caption.startswith("Every model"))
    shown = {row[0]: row[3] for row in table.rows}
    assert shown == {"20260303": "0.400", "20260101": "0.290"}
