"""Plots beside a report, where a person would rather look than read. PNG, the same bytes for the same figures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any


def plot(asset: str, facts: Mapping[str, Any], *, synthetic: bool) -> bytes | None:
    """The picture that goes with an asset's report, if it has one."""
    if asset == "step_3_3_training_dataset_v6":
        return class_balance(facts["quarters"], synthetic=synthetic)
    return None


def class_balance(quarters: Sequence[Mapping[str, Any]], *, synthetic: bool) -> bytes:
    """Leads per quarter of contact as bars, and the share that scheduled a call within 30 days as a line.

    `quarters`: `quarter` (text), `leads`, `positives`, `positive_percent`. The line carries the 95 % Wilson interval of
    each quarter's share, because a quarter of few leads says little.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [row["quarter"] for row in quarters]
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    bars = figure.add_subplot()
    bars.bar(names, [row["leads"] for row in quarters], color="#c9d6e3")
    bars.set_ylabel("leads")
    bars.tick_params(axis="x", rotation=45)
    line = bars.twinx()
    shares = [row["positive_percent"] for row in quarters]
    bounds = [wilson(row["positives"], row["leads"]) for row in quarters]
    below = [share - 100 * low for share, (low, _) in zip(shares, bounds, strict=True)]
    above = [100 * high - share for share, (_, high) in zip(shares, bounds, strict=True)]
    line.errorbar(names, shares, yerr=[below, above], color="#b3261e", marker="o", capsize=3)
    line.set_ylabel("call within 30 days, % (95 % interval)", color="#b3261e")
    line.set_ylim(bottom=0)
    figure.suptitle("Leads and conversion by quarter of contact" + (" - SYNTHETIC DATA" if synthetic else ""))
    picture = io.BytesIO()
    figure.set_canvas(FigureCanvasAgg(figure))
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (Wilson 1927), as shares in [0, 1]."""
    z = 1.959963984540054
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * ((share * (1 - share) + z * z / (4 * trials)) / trials) ** 0.5
    scale = 1 + z * z / trials
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
