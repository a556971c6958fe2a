"""Plots of phase 1: intervals that are those of another library, and data that leaves nothing to draw."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from leadscore_v6.reports.plots import class_balance, wilson


def test_wilson_is_that_of_statsmodels_and_holds_the_share() -> None:
    for trials in (1, 3, 10, 24, 25, 400, 9045):
        for successes in {0, 1, trials // 7, trials - 1, trials}:
            low, high = wilson(successes, trials)
            assert (low, high) == pytest.approx(proportion_confint(successes, trials, method="wilson"), abs=1e-12)
            assert 0 <= low <= successes / trials <= high <= 1


def test_a_quarter_of_few_leads_and_no_call_or_nothing_but_calls_can_be_drawn() -> None:
    """Rounding gave an error bar of negative length, which matplotlib refuses: the step broke with exit 1."""
    quarters = [
        {"quarter": f"Q{number}", "leads": leads, "positives": positives, "positive_percent": 100 * positives / leads}
        for number, (leads, positives) in enumerate([(3, 0), (7, 0), (25, 25), (400, 14)])
    ]
    assert class_balance(quarters, synthetic=True).startswith(b"\x89PNG")
