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
