"""Leaks: features that know the outcome. Planted ones must be caught, and real ones that look like it are flagged (R8).

Belongs here: the detector, and the planted columns that prove in every run that it sees. Does not belong here: what
becomes of a finding (`leak_canaries` in `config/gates.yaml`: never waivable, R38).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.modeling.columns import numbers
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.importance import evenly
from leadscore_v6.modeling.metrics import Ranking, auc_roc
from leadscore_v6.modeling.settings import CanarySettings
from leadscore_v6.modeling.splits import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Leak:
    """A feature that the detector takes for a leak, and why: `auc` is univariate, max(AUC, 1 − AUC)."""

    feature: str
    auc: float
    why: str


@dataclass(frozen=True)
class CanaryReport:
    """Planted columns by name and whether each was caught; the features of the data that look like leaks.

    `strongest` lists every feature's univariate AUC, highest first.
    """

    planted: dict[str, bool]
    leaks: tuple[Leak, ...]
    strongest: tuple[tuple[str, float], ...]

    @property
    def missed(self) -> int:
        """Planted columns that were not caught: above 0 the detector is blind and nothing may follow."""
        return sum(not caught for caught in self.planted.values())


def sing(data: TrainingData, rows: Rows, settings: CanarySettings, seed: int) -> CanaryReport:
    """Look for leaks among the features of `rows`, with label, audit and future columns planted among them.

    Two tests, on each column's values and on whether it is NULL: its AUC for the label beyond `max_univariate_auc`,
    and its rank correlation with a label or audit column beyond `max_rank_correlation`. Categories count by the rate of
    their level in the first half of the time, tested on the second.
    """
    label = data.label[rows]
    audit = _audit_columns(data.audit.iloc[rows])
    groups = _alike(audit)
    found = {name: _judge(views, label, groups, settings) for name, views in _features(data, rows)}
    planted = {
        name: _judge([values], label, groups, settings)[1] is not None
        for name, values in _plants(label, audit, seed).items()
    }
    strongest = sorted(((name, auc) for name, (auc, _) in found.items()), key=lambda pair: (-pair[1], pair[0]))
    leaks = tuple(Leak(name, auc, found[name][1] or "") for name, auc in strongest if found[name][1])
    return CanaryReport(planted, leaks, tuple(strongest))


@dataclass(frozen=True)
class _View:
    """One way to read a column as numbers, on `leads` of the window (all, unless said)."""

    values: Floats
    leads: NDArray[np.intp]


def univariate_auc(values: Floats, label: NDArray[np.int8]) -> float:
    """max(AUC, 1 − AUC) of one column of numbers for the label; 0.5 where it cannot be told. No NaN."""
    if values.min() == values.max():
        return 0.5
    curves = Ranking.of(label, values).curves(np.ones((1, len(label)), dtype=np.float32))
    found = float(auc_roc(*curves)[0])
    return max(found, 1 - found) if found == found else 0.5  # noqa: PLR0124 - NaN is not itself


def _features(data: TrainingData, rows: Rows) -> Iterator[tuple[str, list[_View]]]:
    everything = np.arange(len(rows))
    for column in data.columns:
        series = data.features[column.name].iloc[rows]
        missing = series.isna().to_numpy()
        views = [_View(missing.astype(float), everything)]
        if column.type == "STRING":
            views.append(_level_rates(series, data.label[rows]))
        else:
            views += _number_views(numbers(series, column.name))
        yield column.name, views


def _number_views(values: Floats) -> list[_View]:
    """Missing at the bottom, missing at the top, and the known alone: a leak may hide behind its NULLs."""
    everything, known = np.arange(len(values)), np.flatnonzero(~np.isnan(values))
    views = [_View(values[known], known)]
    if len(known) < len(values):
        views += [_View(np.where(np.isnan(values), end, values), everything) for end in (-np.inf, np.inf)]
    return views


def _level_rates(series: pd.Series[Any], label: NDArray[np.int8]) -> _View:
    half = len(label) // 2
    codes, levels = pd.factorize(series, use_na_sentinel=False)
    hits = np.bincount(codes[:half], weights=label[:half], minlength=len(levels))
    seen = np.bincount(codes[:half], minlength=len(levels))
    base = hits.sum() / max(seen.sum(), 1)
    rate = (hits + 20 * base) / (seen + 20)
    return _View(rate[codes[half:]], np.arange(half, len(label)))


def _judge(
    views: Sequence[_View], label: NDArray[np.int8], audit: Sequence[_AuditColumns], settings: CanarySettings
) -> tuple[float, str | None]:
    """The highest AUC of the views, and why the column is taken for a leak, if it is."""
    auc = max((univariate_auc(view.values, label[view.leads]) for view in views if len(view.leads)), default=0.5)
    if auc > settings.max_univariate_auc:
        return auc, f"alone it has AUC {auc:.3f}, above {settings.max_univariate_auc:g}"
    for view in views:
        for group in audit:
            sizes = group.rank_correlations(view)
            place = int(sizes.argmax())
            if sizes[place] > settings.max_rank_correlation:
                return auc, f"it is {group.names[place]} in other numbers (rank correlation {sizes[place]:.3f})"
    return auc, None


@dataclass(frozen=True)
class _AuditColumns:
    """Audit columns that are known of the same leads: `known` (n,), `values` (m, n)."""

    names: tuple[str, ...]
    known: NDArray[np.bool_]
    values: Floats

    def rank_correlations(self, view: _View) -> Floats:
        """(m,) |Spearman| over (at most 2,000, evenly spaced) leads where both are known.

        0 for fewer than 30 leads, or a constant.
        """
        from scipy.stats import rankdata

        none = np.zeros(len(self.names))
        both = evenly(np.flatnonzero(~np.isnan(view.values) & self.known[view.leads]), _SAMPLE)
        # Most columns are never NULL, so that their being NULL is a constant: not worth a sort.
        if len(both) < _FEWEST or view.values[both].min() == view.values[both].max():
            return none
        ranks = rankdata(np.vstack([view.values[both], self.values[:, view.leads[both]]]), axis=1)
        ranks -= ranks.mean(axis=1, keepdims=True)
        size = np.sqrt((ranks**2).sum(axis=1))
        products = np.abs((ranks[1:] * ranks[0]).sum(axis=1))
        found: Floats = np.divide(products, size[1:] * size[0], out=none, where=size[1:] > 0)
        return found


def _audit_columns(frame: pd.DataFrame) -> dict[str, Floats]:
    """Label and audit columns as numbers; times as days, NULL as NaN."""
    columns = {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column.dtype):
            columns[str(name)] = column.to_numpy(dtype=float, na_value=np.nan)
        else:
            times = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[s]")
            columns[str(name)] = np.where(np.isnat(times), np.nan, times.astype(np.int64) / 86_400)
    return columns


def _alike(audit: Mapping[str, Floats]) -> list[_AuditColumns]:
    """Those that are known of the same leads together: a column is ranked once for all of them."""
    together: dict[bytes, list[str]] = {}
    for name, values in audit.items():
        together.setdefault(np.isnan(values).tobytes(), []).append(name)
    return [
        _AuditColumns(tuple(names), ~np.isnan(audit[names[0]]), np.array([audit[name] for name in names]))
        for names in together.values()
    ]


def _plants(label: NDArray[np.int8], audit: Mapping[str, Floats], seed: int) -> dict[str, _View]:
    """Columns that no honest feature can be: the label blurred, audit columns rescaled, what only the future knows."""
    rng = np.random.default_rng(seed)
    n = len(label)
    everything = np.arange(n)
    plants = {
        "label": label.astype(float),
        "label, one in ten wrong": np.where(rng.random(n) < 0.1, 1 - label, label).astype(float),
        # What the next snapshot would show of those who moved: known after the call only.
        "future value": label * 1.5 + rng.normal(size=n),
        "future, mostly unknown": np.where((label == 1) & (rng.random(n) < 0.75), rng.random(n), -1.0),
    }
    views = {name: _View(values, everything) for name, values in plants.items()}
    for name, values in audit.items():
        known = np.flatnonzero(~np.isnan(values))
        if len(known) >= _FEWEST and values[known].min() < values[known].max():
            # An order-keeping change of unit, so that equality alone would not find it.
            views[f"{name}, other unit"] = _View(3.0 - 2.0 * values[known], known)
    return views


_FEWEST: Final = 30
_SAMPLE: Final = 2000
