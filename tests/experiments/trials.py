"""Small tests of known truth: leads of some weeks, assigned, dialled within capacity, converted at planted rates.

Belongs here: frames as the product's callers hand them in. Does not belong here: assertions, and big simulations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from leadscore_v6.contracts import load_document
from leadscore_v6.experiments.assignment import assign, no_assignments
from leadscore_v6.experiments.settings import EXPERIMENT_FILE, TREATMENT, ExperimentSettings
from leadscore_v6.paths import config_root

START = date(2025, 11, 10)
SEGMENTS = np.array(["1", "2_5", "6_20", "21_plus", None], dtype=object)


def settings(**sections: dict[str, Any]) -> ExperimentSettings:
    """The product's settings; `sections` change some."""
    content = load_document(config_root() / EXPERIMENT_FILE, "experiment")
    for section, values in sections.items():
        content[section] |= values
    return ExperimentSettings.of(content)


def week(number: int, leads: int = 200, seed: int = 1, advisors: int = 1500) -> pd.DataFrame:
    """Leads of one week; some advisors come again."""
    rng = np.random.default_rng([seed, number])
    crd = rng.integers(0, advisors, leads)
    return pd.DataFrame(
        {
            "lead_id": [f"L{number:02d}{row:05d}" for row in range(leads)],
            "crd": (crd + 1000).astype(str),
            "segment": SEGMENTS[crd % 5],
        }
    )


@dataclass(frozen=True)
class Trial:
    """A whole test: what the three tables of the CRM hold at its end."""

    assignments: pd.DataFrame
    dials: pd.DataFrame
    outcomes: pd.DataFrame


def trial(weeks: int = 8, leads: int = 800, rates: tuple[float, float] = (0.10, 0.06), seed: int = 1) -> Trial:
    """Weekly queues, 45 % of each arm dialled within the week after, of which `rates` (treatment, control) convert."""
    rng = np.random.default_rng(seed)
    standing = no_assignments()
    of = settings().assignment
    for number in range(weeks):
        enrolled = assign(standing, week(number, leads, seed), START + timedelta(weeks=number), of).rows
        standing = enrolled if standing.empty else pd.concat([standing, enrolled], ignore_index=True)
    treated = (standing["arm"] == TREATMENT).to_numpy()
    dialled = rng.random(len(standing)) < 0.45
    days = pd.to_timedelta(rng.integers(1, 6, len(standing)), unit="D")
    dials = pd.DataFrame(
        {
            "lead_id": standing["lead_id"],
            "dialled_at": standing["enrolled_on"] + days,
            "queue": np.where(treated, np.where(rng.random(len(standing)) < 0.9, "model", "own"), "usual"),
        }
    )[dialled]
    converts = rng.random(len(standing)) < np.where(treated, *rates)
    after = pd.to_timedelta(rng.integers(0, 30, len(standing)), unit="D")
    outcomes = pd.DataFrame(
        {
            "lead_id": standing["lead_id"],
            "converted_on": (standing["enrolled_on"] + days + after).where(converts & dialled),
        }
    )
    return Trial(standing, dials.reset_index(drop=True), outcomes)
