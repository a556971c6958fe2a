"""The report of one attempt: which signs its gates carry."""

from __future__ import annotations

import pytest

from leadscore_v6.reports.step import GateLine, StepReport, render_report


@pytest.mark.parametrize(
    ("word", "blocks", "shown"),
    [
        ("not judgeable", True, "🛑 NOT JUDGEABLE"),
        ("not judgeable", False, "not judgeable"),
        ("fail", True, "🛑 FAIL"),
        ("warn", False, "⚠️ warn"),
    ],
)
def test_only_what_stops_has_a_sign_to_stop(word: str, blocks: bool, shown: str) -> None:
    gate = GateLine("auc_kept", "6.1", "AUC holds.", "auc_drop = not measured", "", "<= 0.05", word, blocks)
    failed = (gate.name,) if blocks else ()
    text = render_report(StepReport("A step", "a1", None, (gate,), failed, {}, {}, synthetic=False))
    assert f"| {shown} |" in text
    assert ("🛑" in text) == blocks


def test_what_to_do_is_told_of_the_gates_that_do_not_hold_and_of_no_other() -> None:
    advice = {"cause": "A hole.", "check": "`lost`.", "remedy": "Fill it."}
    missed = GateLine("no_hole", "1.1", "None.", "lost = 3", "", "== 0", "fail", blocks=True, advice=advice)
    held = GateLine("enough", "1.1", "Some.", "rows = 3", "", ">= 1", "pass")
    told = render_report(StepReport("A step", "a1", None, (missed, held), ("no_hole",), {}, {}, synthetic=False))
    section = told.partition("## What to do\n\n")[2].partition("\n\n## ")[0]
    assert section == "**`no_hole`**\n\n- cause: A hole.\n- check: `lost`.\n- remedy: Fill it."
    quiet = render_report(StepReport("A step", "a1", None, (held,), (), {}, {}, synthetic=False))
    assert "What to do" not in quiet
