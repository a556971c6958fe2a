"""A sheet to draw on, and its bytes: the one place that speaks to matplotlib's canvas.

Belongs here: how every plot begins and ends. Does not belong here: what is on one (plots.py, model_plots.py).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that hold in greyscale and for colour-blind eyes: bars, what is judged, what it is compared with.
BARS, JUDGED, OTHER, QUIET = "#c9d6e3", "#b3261e", "#1f5f99", "#7a7a7a"


def sheet(title: str, *, synthetic: bool) -> Figure:
    """An empty figure with its title, which says so when the data is synthetic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    figure.suptitle(title + (" - SYNTHETIC DATA" if synthetic else ""))
    return figure


def png(figure: Figure) -> bytes:
    """The figure as PNG; the same bytes for the same figures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    picture = io.BytesIO()
    figure.set_canvas(FigureCanvasAgg(figure))
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
