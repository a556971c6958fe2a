"""Two arms compared by a ratio, advisors as clusters: conversions per dial, dials per lead, days per first dial.

Belongs here: sums by advisor, the test statistic, ratios and differences with robust errors. Does not belong here:
which leads count (`cohort.py`), boundaries (`sequential.py`), what follows from it (`readout.py`).

Leads of one advisor share what makes them convert, and an advisor is what was randomised (R28), so errors are taken
over advisors. Every field of `RatioSums` may be an array, one element per experiment: the simulations of the operating
characteristics run through the same lines as the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = Any  # a float, or an array with one element per experiment


@dataclass(frozen=True)
class RatioSums:
    """One arm: sums over its advisors of what is counted (y) and what it is counted per (d), and of their products."""

    advisors: Values
    counted: Values
    per: Values
    counted_squared: Values
    counted_per: Values
    per_squared: Values

    @classmethod
    def of(cls, counted: Floats, per: Floats, advisors: NDArray[np.int64]) -> RatioSums:
        """From one value each per lead, and the advisor of each (n,). No leads: all sums are 0."""
        _, codes = np.unique(advisors, return_inverse=True)
        y, d = np.bincount(codes, weights=counted), np.bincount(codes, weights=per)
        return cls(len(y), float(y.sum()), float(d.sum()), float(y @ y), float(y @ d), float(d @ d))

    @property
    def ratio(self) -> Values:
        """Counted per one; NaN where there is none to count per."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.true_divide(self.counted, self.per)

    def variance_around(self, ratio: Values) -> Values:
        """Robust variance of this arm's ratio, if `ratio` is the true one: mean square of y − ratio·d over advisors."""
        squares = self.counted_squared - 2 * ratio * self.counted_per + ratio**2 * self.per_squared
        with np.errstate(divide="ignore", invalid="ignore"):
            return squares * np.true_divide(self.advisors, np.subtract(self.advisors, 1)) / np.square(self.per)

    @property
    def variance(self) -> Values:
        """Robust variance of this arm's ratio."""
        return self.variance_around(self.ratio)


@dataclass(frozen=True)
class Comparison:
    """Treatment against control."""

    treatment: RatioSums
    control: RatioSums

    @property
    def z(self) -> Values:
        """Score statistic: the difference of the ratios over its error if there is none (one ratio for both).

        With one lead per advisor and arms of one size it is the pooled z of two proportions. NaN without any event.
        """
        counted, per = (np.add(getattr(self.treatment, of), getattr(self.control, of)) for of in ("counted", "per"))
        with np.errstate(divide="ignore", invalid="ignore"):
            both = counted / per
            variance = self.treatment.variance_around(both) + self.control.variance_around(both)
            return (self.treatment.ratio - self.control.ratio) / np.sqrt(variance)

    @property
    def difference(self) -> Values:
        """Treatment's ratio minus control's."""
        return self.treatment.ratio - self.control.ratio

    @property
    def difference_error(self) -> Values:
        """Its standard error."""
        return np.sqrt(self.treatment.variance + self.control.variance)

    @property
    def log_ratio(self) -> Values:
        """Logarithm of treatment's ratio over control's: the relative lift is exp of it, minus 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(self.treatment.ratio / self.control.ratio)

    @property
    def log_ratio_error(self) -> Values:
        """Its standard error, by the delta method."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.sqrt(
                self.treatment.variance / self.treatment.ratio**2 + self.control.variance / self.control.ratio**2
            )


def complier_effect(
    arms: Comparison, counted: Floats, per: Floats, adopted: Floats, advisors: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Adoption, the effect among adopters (difference / adoption), and its standard error.

    The four arrays are the treatment arm's leads, as for `RatioSums.of`; adoption is the share of leads that adopted.
    Right if whoever does not follow the treatment's order dials as control does (Imbens & Angrist 1994). The error is
    by the delta method over advisors, adoption's own error included. NaN where nobody adopted.
    """
    _, codes = np.unique(advisors, return_inverse=True)
    y, d, a, n = (np.bincount(codes, weights=values) for values in (counted, per, adopted, np.ones(len(codes))))
    adoption = float(a.sum() / n.sum()) if len(codes) else 0.0
    if adoption == 0:
        return 0.0, np.nan, np.nan
    effect = float(arms.difference) / adoption
    apart = (y - arms.treatment.ratio * d) / d.sum() - effect * (a - adoption * n) / n.sum()
    clusters = len(y) / (len(y) - 1) if len(y) > 1 else np.nan
    error = np.sqrt(clusters * (apart @ apart) + arms.control.variance) / adoption
    return adoption, effect, float(error)
