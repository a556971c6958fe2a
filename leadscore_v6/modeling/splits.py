"""Splits in time: no training lead's label window reaches the block that tests it, no advisor stands on both sides.

Belongs here: index arrays out of contact days, advisors and labels (R16, R17). Does not belong here: fitting.

Contract: a training lead is purged when `dial + label window + entry lag + embargo >= first day of the test block`;
a training lead whose advisor has a lead in the test block is left out. Days are never cut in two: a block ends at the
end of a day. Indices point into the leads in order of contact, ascending.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadscore_v6.errors import InputError
from leadscore_v6.modeling.data import Days, TrainingData
from leadscore_v6.modeling.settings import SplitSettings

Rows = NDArray[np.intp]
Method = Literal["blocked_time_series", "stratified_kfold"]


@dataclass(frozen=True)
class Block:
    """Training leads and the later leads that test what was learned from them.

    `purged` and `advisor_excluded` count the leads that training lost; `method` says how the block was made, and
    `stratified_kfold` must be shown in red (R16).
    """

    train: Rows
    test: Rows
    purged: int
    advisor_excluded: int
    method: Method = "blocked_time_series"


@dataclass(frozen=True)
class FinalSplit:
    """R17: three disjoint times, train < calibrate < holdout.

    `train` is purged of what would reach calibration or holdout, `calibrate` of what would reach the holdout.
    `*_before` are the same blocks before purge and advisor exclusion.
    """

    train: Rows
    calibrate: Rows
    holdout: Rows
    train_before: Rows
    calibrate_before: Rows


def final_split(data: TrainingData, settings: SplitSettings) -> FinalSplit:
    """The split of the matured leads that the shipped model is made with (R17).

    Raises InputError saying how many positives are needed where there are too few, and when the times are too short
    for three blocks with their gaps.
    """
    cuts = _cuts(data.contact, np.array([settings.train_share, settings.train_share + settings.calibrate_share, 1.0]))
    train, calibrate, holdout = (np.arange(low, high) for low, high in zip((0, *cuts[:-1]), cuts, strict=True))
    kept = exclude(data, calibrate, holdout, settings).train
    learned = exclude(data, train, np.concatenate([calibrate, holdout]), settings).train
    split = FinalSplit(learned, kept, holdout, train, calibrate)
    require_positives(data, split.train, settings.min_positives_train, "the training block")
    require_positives(data, split.calibrate, settings.min_positives_test, "the calibration block")
    require_positives(data, split.holdout, settings.min_positives_test, "the holdout block")
    return split


def folds(data: TrainingData, rows: Rows, settings: SplitSettings) -> tuple[Block, ...]:
    """Expanding blocks within `rows` (ascending): `settings.folds` test blocks after the first training share.

    With `fallback: stratified_kfold` the folds are random, as the plan allows; each says so in `method`. Raises
    InputError where a block has too few positives.
    """
    if settings.fallback == "stratified_kfold":
        made = _random_folds(data, rows, settings)
    else:
        ends = np.linspace(settings.first_train_share, 1.0, settings.folds + 1)
        cuts = _cuts(data.contact[rows], ends)
        made = tuple(exclude(data, rows[:start], rows[start:end], settings) for start, end in pairwise(cuts))
    for number, block in enumerate(made, start=1):
        require_positives(data, block.train, settings.min_positives_train, f"the training leads of fold {number}")
        require_positives(data, block.test, settings.min_positives_test, f"the test block of fold {number}")
    return made


def tail(data: TrainingData, rows: Rows, share: float, settings: SplitSettings) -> Block:
    """The last `share` of `rows` as a test block of the rest: it chooses rounds, or fits a fold's calibrator."""
    if settings.fallback == "stratified_kfold":
        return _random_tail(data, rows, share)
    cut = _cuts(data.contact[rows], np.array([1 - share, 1.0]))[0]
    return exclude(data, rows[:cut], rows[cut:], settings)


def exclude(data: TrainingData, train: Rows, test: Rows, settings: SplitSettings) -> Block:
    """Purge `train` of the leads whose label could not be known when `test` begins, and of the advisors of `test`."""
    if not len(test):
        return Block(train, test, 0, 0)
    start = data.contact[test].min()
    known = data.dialled[train] + np.timedelta64(settings.gap_days, "D") < start
    apart = ~np.isin(data.advisors[train], data.advisors[test])
    return Block(
        train=train[known & apart],
        test=test,
        purged=int((~known).sum()),
        advisor_excluded=int((known & ~apart).sum()),
    )


def require_positives(data: TrainingData, rows: Rows, needed: int, where: str) -> None:
    """Raise InputError, saying how many are needed, if `rows` hold too few positives, or no negative."""
    found = int(data.label[rows].sum())
    if found < needed or found == len(rows):
        raise InputError(
            f"Too few positives: {where} has {found} among {len(rows)} leads, {needed} are needed.",
            column="target_label",
            remedy="take in more months of leads, or set fewer folds (split in v6_model.yaml)",
        )


def membership(data: TrainingData, blocks: tuple[Block, ...]) -> dict[str, dict[str, list[str]]]:
    """Lead Ids of every fold, `{"fold_1": {"train": […], "test": […]}, …}`: what `cv_fold_indices` keeps (R16)."""
    return {
        f"fold_{number}": {
            "train": data.lead_ids[block.train].tolist(),
            "test": data.lead_ids[block.test].tolist(),
        }
        for number, block in enumerate(blocks, start=1)
    }


def _cuts(contact: Days, shares: NDArray[np.float64]) -> list[int]:
    """For each share, how many of the (ascending) days lie in it, whole days only."""
    n = len(contact)
    cuts = []
    for share in shares:
        at = min(max(round(share * n), 0), n)
        cuts.append(n if at >= n else int(np.searchsorted(contact, contact[at], side="left")))
    return cuts


def _random_folds(data: TrainingData, rows: Rows, settings: SplitSettings) -> tuple[Block, ...]:
    """The plan's fallback. Random folds inflate AUC-PR by 40-54 % when advisors have several leads (R16)."""
    from sklearn.model_selection import StratifiedKFold

    few = int(min(np.bincount(data.label[rows], minlength=2)))
    if few < settings.folds:
        raise InputError(
            f"Too few positives for {settings.folds} folds: {few} in the smaller class.", column="target_label"
        )
    dealt = StratifiedKFold(settings.folds, shuffle=True, random_state=0).split(rows, data.label[rows])
    return tuple(Block(rows[train], rows[test], 0, 0, "stratified_kfold") for train, test in dealt)


def _random_tail(data: TrainingData, rows: Rows, share: float) -> Block:
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(rows, test_size=share, random_state=0, stratify=data.label[rows])
    return Block(np.sort(train), np.sort(test), 0, 0, "stratified_kfold")
