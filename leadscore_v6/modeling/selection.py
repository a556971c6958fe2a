"""Feature selection inside the folds only, and what it came to over all of them (plan 4.1).

Belongs here: who stays in one window, and the table over windows. Does not belong here: fitting (`booster.py`).
Conservative: a feature goes only if the window's own validation shows it to be of no use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadscore_v6.modeling.booster import FittedModel
from leadscore_v6.modeling.columns import FeatureColumn


@dataclass(frozen=True)
class SelectionRow:
    """One feature of the contract: in how many folds it was kept, and its mean share of mean |SHAP| there.

    `final` is its fate in the final model: `kept`, or the reason why not.
    """

    feature: str
    folds_kept: int
    folds: int
    mean_share: float
    final: str

    @property
    def is_selected(self) -> bool:
        """Whether the final model uses it: `selected_features_v6_….json`."""
        return self.final == "kept"


def selection_table(
    columns: Sequence[FeatureColumn], folds: Sequence[FittedModel], final: FittedModel
) -> tuple[SelectionRow, ...]:
    """One row per feature of the contract, in contract order."""
    shares = [{one.feature: one.share for one in model.selection} for model in folds]
    return tuple(
        SelectionRow(
            feature=column.name,
            folds_kept=sum(column.name in model.spec.names for model in folds),
            folds=len(folds),
            mean_share=sum(share.get(column.name, 0.0) for share in shares) / max(len(folds), 1),
            final="kept" if column.name in final.spec.names else final.spec.dropped[column.name],
        )
        for column in columns
    )
