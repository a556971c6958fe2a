"""Sample ratio mismatch: whether the arms are of the sizes that were dealt (R28).

Belongs here: the test, of the two things that the design splits: advisors, and the capacity to dial. Does not belong
here: dealing (`assignment.py`), and what follows from a mismatch (`readout.py`).

Assignments are only appended to, so that their own sizes are right for ever. What can get lost is what a reading
counts: advisors whose leads are gone from the extract, and dials that one arm was not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from leadscore_v6.experiments.settings import ARMS, Arm, AssignmentSettings


@dataclass(frozen=True)
class Srm:
    """Counts per arm, the chi-square statistic of the design's ratio (1 degree of freedom), the exact binomial p."""

    treatment: int
    control: int
    chi_square: float
    p: float


@dataclass(frozen=True)
class SampleRatios:
    """`advisors` who are read, and `dials`: matured first dials, of which each arm has its share of the capacity."""

    advisors: Srm
    dials: Srm

    @property
    def p(self) -> float:
        """The smaller p: below the alarm nothing is read."""
        return min(self.advisors.p, self.dials.p)


def sample_ratios(leads: pd.DataFrame, matured: pd.DataFrame, settings: AssignmentSettings) -> SampleRatios:
    """Of a cohort's `leads`, and of those whose first dial has `matured`."""
    advisors, dialled = leads.groupby("arm")["crd"].nunique(), matured.groupby("arm").size()
    return SampleRatios(
        *(srm({arm: int(of.get(arm, 0)) for arm in ARMS}, settings) for of in (advisors, dialled)),
    )


def srm(counts: Mapping[Arm, int], settings: AssignmentSettings) -> Srm:
    """Exact binomial test, two-sided, of the arms' sizes against the design's ratio; the chi-square beside it.

    Blocks keep the sizes closer together than a coin would, so that a loss on the way stands out all the more.
    """
    from scipy.stats import binomtest

    treatment, control = (counts.get(arm, 0) for arm in ARMS)
    share, together = settings.treatment_share, treatment + control
    if not together:
        return Srm(0, 0, 0.0, 1.0)
    chi_square = (treatment - together * share) ** 2 / (together * share * (1 - share))
    return Srm(treatment, control, chi_square, float(binomtest(treatment, together, share).pvalue))
