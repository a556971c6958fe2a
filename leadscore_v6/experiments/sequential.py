"""Looking at a test more than once without fooling oneself: two-sided group-sequential boundaries (R26).

Belongs here: boundaries, p-value and interval for a z statistic with independent increments. Does not belong here: what
z is made of (`effect.py`), when a look is due (`readout.py`).

The score process S(t) = z·√t, t the information as a share of what was planned, is a Brownian motion with drift: a true
effect of d standard errors at t = 1 has drift d. The chance to cross a boundary comes by integrating the density of S
over the region where the test went on, from look to look (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000,
ch. 19), here with Gauss-Legendre nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_NODES: Final = 160  # of the integration over one look; 320 change nothing before the ninth decimal
_FAR: Final = 10.0  # standard errors: a boundary that is never crossed


@dataclass(frozen=True)
class Boundaries:
    """Looks of a test: at `information[k]`, |z| ≥ `critical[k]` crosses; `spent[k]` is alpha spent up to then."""

    information: tuple[float, ...]
    critical: tuple[float, ...]
    spent: tuple[float, ...]

    def power(self, drift: float) -> float:
        """Chance that z crosses the upper boundary at a look; `drift` is the effect over its error at t = 1."""
        return float(crossing(self.information, self.critical, drift)[:, 0].sum())


def obrien_fleming_spending(information: float, alpha: float) -> float:
    """Alpha that may be spent up to `information` (> 0; from 1 on it is `alpha`): two-sided, half on each side.

    Lan & DeMets 1983: on each side 2 − 2Φ(z / √t), with z = Φ⁻¹(1 − alpha / 4).
    """
    from scipy.special import ndtr, ndtri

    if information >= 1:
        return alpha
    return float(4 * ndtr(ndtri(alpha / 4) / np.sqrt(information)))


def lan_demets(information: Sequence[float], alpha: float) -> Boundaries:
    """Boundaries of the looks taken so far, by O'Brien-Fleming-type spending at their actual information (rising)."""
    spent = [obrien_fleming_spending(at, alpha) for at in information]
    return Boundaries(tuple(information), critical_values(information, spent), tuple(spent))


def lan_demets_final(information: Sequence[float], alpha: float) -> Boundaries:
    """As `lan_demets`, for looks of which the last is the final one: it spends what is left, whatever its information.

    A test that ends a little short of its plan, or beyond it, so keeps its alpha exactly.
    """
    spent = [*(obrien_fleming_spending(at, alpha) for at in information[:-1]), alpha]
    return Boundaries(tuple(information), critical_values(information, spent), tuple(spent))


def obrien_fleming(looks: int, alpha: float) -> Boundaries:
    """The classic design (O'Brien & Fleming 1979): equal steps of information, critical values C / √t."""
    from scipy.optimize import brentq

    information = tuple((look + 1) / looks for look in range(looks))

    def critical(constant: float) -> tuple[float, ...]:
        return tuple(min(float(constant / np.sqrt(at)), _FAR) for at in information)

    found = brentq(lambda c: crossing(information, critical(c)).sum() - alpha, 0.5, _FAR, xtol=1e-9)
    spent = np.cumsum(crossing(information, critical(found)).sum(axis=1))
    return Boundaries(information, critical(found), tuple(map(float, spent)))


def crossing(information: Sequence[float], critical: Sequence[float], drift: float = 0.0) -> Floats:
    """(looks, 2) chance to cross the upper and the lower boundary at each look, not having crossed before."""
    walk, found = _Walk(drift), []
    for at, edge in zip(information, critical, strict=True):
        walk.go(at)
        found.append((walk.above(edge), walk.below(-edge)))
        walk.stay_within(edge)
    return np.array(found)


def critical_values(information: Sequence[float], spent: Sequence[float]) -> tuple[float, ...]:
    """Critical values such that without an effect the chance to cross up to look k is `spent[k]` (rising)."""
    from scipy.optimize import brentq

    walk, found, before = _Walk(0.0), [], 0.0
    for at, total in zip(information, spent, strict=True):
        walk.go(at)
        step = total - before
        if walk.above(_FAR) + walk.below(-_FAR) >= step:
            edge = _FAR  # so early that there is nothing to spend
        else:
            edge = brentq(lambda c, step=step: walk.above(c) + walk.below(-c) - step, 0.0, _FAR, xtol=1e-9)
        walk.stay_within(edge)
        found.append(float(edge))
        before = total
    return tuple(found)


def upper_tail(information: Sequence[float], earlier: Sequence[float], z: float, drift: float = 0.0) -> float:
    """Chance of a result at least as far up as `z` at the last look, in the stage-wise order.

    Further up is: to have crossed the upper boundary at a look before (critical values `earlier`, one fewer than
    looks), or to have reached the last look and to be at or above `z` there (Tsiatis, Rosner & Mehta 1984).
    """
    walk, found = _Walk(drift), 0.0
    for at, edge in zip(information[:-1], earlier, strict=True):
        walk.go(at)
        found += walk.above(edge)
        walk.stay_within(edge)
    walk.go(information[-1])
    return found + walk.above(z)


def adjusted_p(information: Sequence[float], earlier: Sequence[float], z: float) -> float:
    """Two-sided p-value in the stage-wise order, of a test that ended at the last of these looks."""
    up = upper_tail(information, earlier, z)
    return min(1.0, 2 * min(up, 1 - up))


def drift_interval(
    information: Sequence[float], earlier: Sequence[float], z: float, alpha: float
) -> tuple[float, float]:
    """The drifts that a two-sided test of level `alpha` in the stage-wise order does not reject: exact coverage.

    At the last look with information t, drift d is an effect of d·√t standard errors.
    """
    from scipy.optimize import brentq

    reach = (abs(z) + _FAR) / np.sqrt(information[0])

    def at(level: float) -> float:
        return float(brentq(lambda d: upper_tail(information, earlier, z, d) - level, -reach, reach, xtol=1e-7))

    return at(alpha / 2), at(1 - alpha / 2)


class _Walk:
    """Density of the score process among the tests that still go on: masses at points of S."""

    def __init__(self, drift: float) -> None:
        """Every test begins at S = 0 with no information."""
        self._drift, self._at = drift, 0.0
        self._points, self._mass = np.zeros(1), np.ones(1)
        self._step = 0.0

    def go(self, information: float) -> None:
        """On to the next look."""
        self._step = information - self._at
        self._at = information

    def above(self, z: float) -> float:
        """Chance to be on until now, and at or above `z` here."""
        from scipy.special import ndtr

        return float(self._mass @ ndtr((self._mean - z * np.sqrt(self._at)) / np.sqrt(self._step)))

    def below(self, z: float) -> float:
        """The same, at or below `z`."""
        from scipy.special import ndtr

        return float(self._mass @ ndtr((z * np.sqrt(self._at) - self._mean) / np.sqrt(self._step)))

    def stay_within(self, z: float) -> None:
        """Only tests with |z| below `z` here go on."""
        nodes, weights = _nodes()
        edge, sd = z * np.sqrt(self._at), np.sqrt(self._step)
        points = edge * nodes
        apart = (points[:, None] - self._mean[None, :]) / sd
        density = np.exp(-0.5 * apart**2) @ self._mass / (sd * np.sqrt(2 * np.pi))
        self._points, self._mass = points, edge * weights * density

    @property
    def _mean(self) -> Floats:
        return self._points + self._drift * self._step


@cache
def _nodes() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights
