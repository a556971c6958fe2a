"""Population stability index: has what the model sees moved away from what it was trained on (plan 6.1, R30).

Belongs here: bins frozen from training, the index, its null, the alert. Does not belong here: what a moved feature does
to the scores (`performance.py`).

PSI = Σ (q − p) · ln(q / p) over bins, p and q the shares of training and of now with half a lead added to each bin. A
missing value is a bin; so are the levels that training hardly knew, together, and so is what it never had: in one bin
with rare levels a new one would hardly show. Without drift PSI is about (B − 1)(1/n + 1/m), so at small m it is large
by chance alone: 50 states at m = 200 give .25. The null is simulated with the very counts at hand, for rare bins are
not chi-square; of a thousand zip codes a small training lacks some, and a quiet present has leads of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.modeling.columns import FeatureColumn, numbers
from leadscore_v6.monitoring.holm import holm
from leadscore_v6.monitoring.settings import DriftSettings

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
RARE: Final = "rare in training"
UNSEEN: Final = "not in training"
MISSING: Final = "missing"
SCORE: Final = "score"
_HALF: Final = 0.5


@dataclass(frozen=True)
class Reference:
    """The bins of one feature, frozen in training, and how many training leads were in each.

    kind     deciles: bin i holds values up to cuts[i], the last one those above; values, levels: one bin for each
    cuts     of deciles, rising; shown as text of the value for `values`, the level for `levels`
    counts   of the bins in order, of the rare levels together (if there are any), of what training did not have (0;
             unless deciles), of missing
    rare     levels that are no bin of their own
    alone    levels (or values) that one training lead had, and that two had. Without any drift as many leads as the
             first are to be expected, of a sample of that size, of what training never had (Good 1953)
    """

    feature: str
    kind: Literal["deciles", "values", "levels"]
    cuts: tuple[float | str, ...]
    counts: tuple[int, ...]
    rare: tuple[str, ...] = ()
    alone: tuple[int, int] = (0, 0)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, in words."""
        if self.kind != "deciles":
            shown = (cut if isinstance(cut, str) else f"{cut:g}" for cut in self.cuts)
            return (*shown, *([RARE] if self.rare else []), UNSEEN, MISSING)
        if not self.cuts:
            return ("any", MISSING)
        steps = [
            f"{high:.6g}" if np.nextafter(low, np.inf) == high else f"{low:.6g} to {high:.6g}"
            for low, high in zip(self.cuts, self.cuts[1:], strict=False)
        ]
        return (f"up to {self.cuts[0]:.6g}", *steps, f"above {self.cuts[-1]:.6g}", MISSING)

    def count(self, column: pd.Series[Any]) -> Counts:
        """(B,) leads of `column` in each bin. Raises InputError if it has another type than in training."""
        bins, place = len(self.counts), {cut: number for number, cut in enumerate(self.cuts)}
        if self.kind == "levels":
            return self._places(_texts(column, self.feature), place | dict.fromkeys(self.rare, len(self.cuts)))
        values = numbers(column, self.feature)
        if self.kind == "values":
            known = pd.Series(values).astype(object).where(~np.isnan(values), None)
            return self._places(known, place)
        missing = np.isnan(values)
        places = np.searchsorted(np.array(self.cuts, dtype=np.float64), values[~missing], side="left")
        found: Counts = np.bincount(places, minlength=bins).astype(np.int64)
        found[-1] = int(missing.sum())
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Reference:
        """The inverse of `as_dict`."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        return cls(**plain)

    def _places(self, values: pd.Series[Any], place: Mapping[Any, int]) -> Counts:
        bins, found = len(self.counts), np.zeros(len(self.counts), dtype=np.int64)
        for value, count in values.value_counts(dropna=False).items():
            at = bins - 1 if value is None or value != value else place.get(value, bins - 2)  # noqa: PLR0124 - NaN
            found[at] += int(count)
        return found


@dataclass(frozen=True)
class Shift:
    """One bin: its share of training and of now, and what it adds to PSI."""

    bin: str
    training: float
    now: float
    psi: float


@dataclass(frozen=True)
class FeatureDrift:
    """One feature, or the score.

    null_quantile  PSI that chance alone exceeds with probability significance / features: what Holm asks of the largest
    p_value        share of simulated quiet worlds with at least this PSI; adjusted is Holm's
    """

    feature: str
    psi: float
    null_quantile: float
    p_value: float
    adjusted: float
    is_large: bool
    is_beyond_null: bool
    shifts: tuple[Shift, ...]

    @property
    def alerts(self) -> bool:
        """R30: above the plan's threshold, and beyond chance."""
        return self.is_large and self.is_beyond_null


@dataclass(frozen=True)
class Drift:
    """All features and the score, largest PSI first; empty where there are too few leads to tell.

    leads, score_leads: whose features were looked at, and whose score.
    """

    leads: int
    score_leads: int
    is_judgeable: bool
    features: tuple[FeatureDrift, ...]

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the features (or the score) that alert."""
        return tuple(one.feature for one in self.features if one.alerts)

    def figures(self) -> dict[str, float | int | None]:
        """What gates and alerts read; None is not judgeable.

        max_psi, features_above_psi (the plan's literal), features_drifted (R30: and beyond the null), score_psi,
        score_drifted (0 or 1), drift_leads.
        """
        score = next((one for one in self.features if one.feature == SCORE), None)
        judged = self.is_judgeable
        return {
            "max_psi": max((one.psi for one in self.features), default=0.0) if judged else None,
            "features_above_psi": sum(one.is_large for one in self.features) if judged else None,
            "features_drifted": len(self.drifted) if judged else None,
            "score_psi": score.psi if score else None,
            "score_drifted": int(score.alerts) if score else None,
            "drift_leads": min(self.leads, self.score_leads),
        }

    def rows(self) -> list[dict[str, Any]]:
        """One plain row per feature, without its bins: the report's table."""
        hidden = {"shifts"}
        return [
            {name: value for name, value in vars(one).items() if name not in hidden} | {"alerts": one.alerts}
            for one in self.features
        ]


def freeze(frame: pd.DataFrame, columns: Sequence[FeatureColumn], settings: DriftSettings) -> tuple[Reference, ...]:
    """Bins of `columns` (those that the model uses) from its training leads: `frame` is (n, p), one row per lead."""
    return tuple(
        _freeze_levels(frame[column.name], column.name, settings)
        if column.type == "STRING"
        else freeze_numbers(numbers(frame[column.name], column.name), column.name, settings)
        for column in columns
    )


def freeze_numbers(values: Floats, name: str, settings: DriftSettings) -> Reference:
    """Bins of a number (n,), NaN is missing: deciles; with no more distinct values than bins, the values themselves.

    A value that a tenth of the leads share is a bin of its own, else a feature that is mostly 0 would have but one. The
    score's bins (`SCORE`) come from leads that the model was not trained on.
    """
    known = np.sort(values[~np.isnan(values)])
    missing = len(values) - len(known)
    distinct, times = np.unique(known, return_counts=True)
    if len(distinct) <= settings.bins:
        return Reference(
            name, "values", tuple(distinct.tolist()), (*times.tolist(), 0, missing), alone=_alone(times)
        )
    deciles = np.quantile(known, np.arange(1, settings.bins) / settings.bins, method="inverted_cdf")
    heavy = distinct[times >= len(known) / settings.bins]
    cuts = np.unique(np.concatenate([deciles, heavy, np.nextafter(heavy, -np.inf)]))
    cuts = cuts[(cuts >= distinct[0]) & (cuts < distinct[-1])]
    places = np.searchsorted(cuts, known, side="left")
    counts = np.bincount(places, minlength=len(cuts) + 1)
    # A cut just below a heavy value may leave no lead between it and the cut before.
    kept = counts[:-1] > 0
    return Reference(
        name, "deciles", tuple(cuts[kept].tolist()), (*counts[:-1][kept].tolist(), int(counts[-1]), missing)
    )


def drift(
    references: Sequence[Reference],
    frame: pd.DataFrame,
    settings: DriftSettings,
    seed: int,
    of_score: pd.DataFrame | None = None,
) -> Drift:
    """Every reference against its column of `frame`: (m, …) one row per lead, each advisor once at best.

    `of_score`: the leads whose score is looked at, where they are others: reference and present must be of one kind.
    The null takes leads for independent: an advisor with many rows in the window would look like drift. Raises
    InputError if a feature's column is not there, UsageError if the null has too few draws for Holm to reject anything.
    """
    scored = frame if of_score is None else of_score
    if min(len(frame), len(scored)) < settings.min_leads:
        return Drift(len(frame), len(scored), is_judgeable=False, features=())
    level = settings.significance / max(len(references), 1)
    needed = int(np.ceil(1 / level)) - 1
    if settings.null_draws < needed:
        raise UsageError(
            f"drift: {settings.null_draws} null_draws are too few for {len(references)} features at significance "
            f"{settings.significance:g}: no p-value could be small enough. Set null_draws to {needed} or more."
        )
    measured = [
        _measure(reference, scored if reference.feature == SCORE else frame, settings, (seed, place), level)
        for place, reference in enumerate(references)
    ]
    adjusted = holm([one[2] for one in measured])
    found = [
        FeatureDrift(
            feature=reference.feature,
            psi=psi,
            null_quantile=quantile,
            p_value=p_value,
            adjusted=corrected,
            is_large=psi > settings.psi,
            is_beyond_null=corrected <= settings.significance,
            shifts=shifts,
        )
        for reference, (psi, quantile, p_value, shifts), corrected in zip(references, measured, adjusted, strict=True)
    ]
    found.sort(key=lambda one: (-one.psi, one.feature))
    return Drift(len(frame), len(scored), is_judgeable=True, features=tuple(found))


def stability_index(training: Counts, now: Counts) -> Floats:
    """(…,) PSI of counts (…, B), half a lead added to each bin."""
    found: Floats = _parts(training, now)[2].sum(axis=-1)
    return found


def null_draws(
    training: Counts, leads: int, draws: int, seed: int | Sequence[int], alone: tuple[int, int] = (0, 0)
) -> Floats:
    """(draws,) PSI between two samples of one population, of the size of training and of `leads`.

    The population is training's shares, half a lead added to each bin: a bin empty in training is not impossible. The
    second sample has more in the last bin but one, of what the first never had: a `Reference`'s `alone` says how much,
    with the error of that (Esty 1983).
    """
    rng = np.random.default_rng(seed)
    size, (once, twice) = int(training.sum()), alone
    population = (training + _HALF) / (size + _HALF * len(training))
    now = np.tile(population, (draws, 1))
    if once:
        error = np.sqrt(once * (1 - once / size) + 2 * twice)
        unseen = np.clip(rng.normal(once, error, draws) / size, 0, 1)
        now *= (1 - unseen)[:, np.newaxis]
        now[:, -2] += unseen
    return stability_index(rng.multinomial(size, population, draws), rng.multinomial(leads, now))


def _measure(
    reference: Reference, frame: pd.DataFrame, settings: DriftSettings, seed: tuple[int, int], level: float
) -> tuple[float, float, float, tuple[Shift, ...]]:
    """PSI, its null quantile, its p-value, and the bins."""
    if reference.feature not in frame.columns:
        raise InputError("A feature of the drift reference is not there.", column=reference.feature, remedy=_REMEDY)
    training, now = np.array(reference.counts, dtype=np.int64), reference.count(frame[reference.feature])
    p, q, parts = _parts(training, now)
    psi = float(parts.sum())
    null = null_draws(training, len(frame), settings.null_draws, seed, reference.alone)
    # Rounding must not tell equal counts apart.
    p_value = (1 + int((null >= psi - 1e-12).sum())) / (settings.null_draws + 1)
    shifts = tuple(
        Shift(label, float(before), float(after), float(part))
        for label, before, after, part in zip(reference.labels, p, q, parts, strict=True)
    )
    return psi, float(np.quantile(null, 1 - level)), p_value, shifts


def _parts(training: Counts, now: Counts) -> tuple[Floats, Floats, Floats]:
    bins = training.shape[-1]
    p = (training + _HALF) / (training.sum(axis=-1, keepdims=True) + _HALF * bins)
    q = (now + _HALF) / (now.sum(axis=-1, keepdims=True) + _HALF * bins)
    return p, q, (q - p) * np.log(q / p)


def _freeze_levels(column: pd.Series[Any], name: str, settings: DriftSettings) -> Reference:
    texts = _texts(column, name)
    counts = texts.value_counts()
    levels = sorted(level for level, count in counts.items() if count >= settings.min_level_share * len(texts))
    rare = sorted(set(counts.index) - set(levels))
    places = [*(counts[level] for level in levels), *([counts[rare].sum()] if rare else []), 0, texts.isna().sum()]
    return Reference(name, "levels", tuple(levels), tuple(map(int, places)), tuple(rare), _alone(counts.to_numpy()))


def _alone(times: Counts) -> tuple[int, int]:
    return int((times == 1).sum()), int((times == 2).sum())


def _texts(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """The column as objects, text or None. Raises InputError on anything else."""
    texts = column.astype(object).where(column.notna(), None)
    strange = next((value for value in texts.unique() if not (value is None or isinstance(value, str))), None)
    if strange is not None:
        raise InputError(f"The column holds {type(strange).__name__} where training had text.", column=name)
    return texts


_REMEDY: Final = "bring the columns that the model was trained on, NULL where a value is not known"
