"""Plots beside a report, where a person would rather look than read. PNG, the same bytes for the same figures.

Those of the model's reports are in `model_plots.py`, of shadow scoring in `shadow_plots.py`, of the experiment in
`experiment_plots.py`, the monthly ones in `monitoring_plots.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore_v6.reports import experiment_plots, model_plots, monitoring_plots, shadow_plots
from leadscore_v6.reports.figure import BARS, JUDGED, png, sheet


def plots(about: str, facts: Mapping[str, Any], *, synthetic: bool) -> dict[str, bytes]:
    """The pictures that go with a report (`sections.topic`), by a word each; "" is the only one of its report."""
    if about == "step_3_3_class_imbalance_analysis":
        return {"": class_balance(facts["quarters"], synthetic=synthetic)}
    own = {**model_plots.PLOTS, **shadow_plots.PLOTS, **experiment_plots.PLOTS, **monitoring_plots.PLOTS}
    made = own.get(about, {})
    return {which: draw(facts, synthetic=synthetic) for which, draw in made.items()}


def class_balance(quarters: Sequence[Mapping[str, Any]], *, synthetic: bool) -> bytes:
    """Leads per quarter of contact as bars, and the share that scheduled a call within 30 days as a line.

    `quarters`: `quarter` (text), `leads`, `positives`, `positive_percent`. The line carries the 95 % Wilson interval of
    each quarter's share, because a quarter of few leads says little.
    """
    names = [row["quarter"] for row in quarters]
    figure = sheet("Leads and conversion by quarter of contact", synthetic=synthetic)
    bars = figure.add_subplot()
    bars.bar(names, [row["leads"] for row in quarters], color=BARS)
    bars.set_ylabel("leads")
    bars.tick_params(axis="x", rotation=45)
    line = bars.twinx()
    shares = [row["positive_percent"] for row in quarters]
    bounds = [wilson(row["positives"], row["leads"]) for row in quarters]
    below = [share - 100 * low for share, (low, _) in zip(shares, bounds, strict=True)]
    above = [100 * high - share for share, (_, high) in zip(shares, bounds, strict=True)]
    line.errorbar(names, shares, yerr=[below, above], color=JUDGED, marker="o", capsize=3)
    line.set_ylabel("call within 30 days, % (95 % interval)", color=JUDGED)
    line.set_ylim(bottom=0)
    return png(figure)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (Wilson 1927), as shares in [0, 1]."""
    z = 1.959963984540054
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * ((share * (1 - share) + z * z / (4 * trials)) / trials) ** 0.5
    scale = 1 + z * z / trials
    # None and all end exactly at 0 and 1; what rounding leaves would be an error bar of negative length.
    low = (middle - half) / scale if successes else 0.0
    high = (middle + half) / scale if successes < trials else 1.0
    return low, high
