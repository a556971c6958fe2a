"""Feature selection inside the folds only, and what it came to over all of them (plan 4.1).

Belongs here: who stays in one window, and the table over windows. Does not belong here: fitting (`booster.py`).
Conservative: a feature goes only if the window's own validation shows it to be of no use.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SelectionRow:
    """One feature of the contract: in how many folds it was kept, its mean share of mean |SHAP|, and its fate in the
    final model: `kept`, or the reason why not."""

    feature: str
    folds_kept: int
    folds: int
    mean_share: float
    final: str

    @property
    def is_selected(self) -> bool:
        """Whether the final model uses it: `selected_features_v6_….json`."""
        return self.final == "kept"
