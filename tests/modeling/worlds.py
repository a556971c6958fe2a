"""Small worlds of known truth: a training view with a planted signal, and settings that train on it in a second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore_v6.contracts import load_document
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.modeling.data import TrainingData, training_data
from leadscore_v6.modeling.explain import Words
from leadscore_v6.modeling.settings import MODEL_FILE, ModelSettings
from leadscore_v6.paths import config_root

COLUMNS = (
    FeatureColumn("tenure", "FLOAT64"),
    FeatureColumn("experience", "FLOAT64"),
    FeatureColumn("states", "INT64"),
    FeatureColumn("cfp", "INT64"),
    FeatureColumn("state", "STRING"),
    FeatureColumn("firm_rep_count_bin", "STRING"),
    FeatureColumn("noise", "FLOAT64"),
    FeatureColumn("nothing", "FLOAT64"),
    FeatureColumn("always", "INT64"),
)
DROPLIST = ("FirstName", "RepCRD")
WORDS = Words(
    {
        "tenure": {"family": "firm", "value": "joined the firm {duration} ago", "missing": "joined at an unknown time"},
        "experience": {"family": "career", "value": "an advisor for {duration}", "missing": "career not known"},
        "states": {"family": "registration", "value": "registered in {number} states", "missing": "states not known"},
        "cfp": {"family": "career", "one": "holds the CFP", "zero": "no CFP", "missing": "CFP not known"},
        "state": {"family": "place", "value": "works in {text}", "missing": "place not known"},
        "firm_rep_count_bin": {"family": "firm", "value": "a firm of size {text}", "missing": "size not known"},
        "noise": {"family": "noise", "value": "{number}", "missing": "no noise"},
    }
)


def settings(**sections: dict[str, Any]) -> ModelSettings:
    """The product's settings, made small: fewer and longer steps, fewer draws; `sections` change more."""
    content = load_document(config_root() / MODEL_FILE, "model")
    small: dict[str, dict[str, Any]] = {
        "split": {"min_positives_train": 20, "min_positives_test": 10},
        "features": {"min_level_leads": 60},
        "booster": {"max_rounds": 60, "learning_rate": 0.15, "early_stopping_rounds": 10},
        "evaluation": {"bootstrap_draws": 200, "null_draws": 100, "min_positives_interval": 20, "shap_rows": 300},
    }
    for changes in (small, sections):
        for section, values in changes.items():
            content[section] |= values
    return ModelSettings.of(content)


def frame(leads: int = 6000, seed: int = 7) -> pd.DataFrame:
    """A training view over two years, some advisors twice in it, about 9 % positive; `truth` is its probability."""
    rng = np.random.default_rng(seed)
    advisors = rng.integers(0, int(leads * 0.9), leads)
    tenure, experience = rng.gamma(2, 3, leads), rng.gamma(4, 4, leads)
    states, cfp = rng.poisson(4, leads), rng.random(leads) < 0.3
    logit = -4.2 + 2.6 * ((tenure < 4) & (experience > 12)) + 1.6 * (cfp & (states > 3)) + 0.5 * (tenure < 2)
    truth = 1 / (1 + np.exp(-logit))
    label = rng.random(leads) < truth
    contact = np.datetime64("2024-01-08") + np.sort(rng.integers(0, 650, leads))
    made = pd.DataFrame(
        {
            "Id": [f"L{number:06d}" for number in rng.permutation(leads)],
            "FA_CRD__c": (advisors + 1000).astype(str),
            "target_label": label.astype(np.int64),
            "tenure": np.where(rng.random(leads) < 0.05, np.nan, tenure),
            "experience": experience,
            "states": pd.array(np.where(rng.random(leads) < 0.1, -1, states), dtype="Int64"),
            "cfp": cfp.astype(np.int64),
            "state": rng.choice(["NY", "CA", "TX", "WY", None], leads, p=[0.4, 0.3, 0.2, 0.003, 0.097]),
            "firm_rep_count_bin": rng.choice(
                ["1", "2_5", "6_20", "21_plus", None], leads, p=[0.1, 0.2, 0.3, 0.35, 0.05]
            ),
            "noise": rng.normal(size=leads),
            "nothing": np.nan,
            "always": 3,
            "days_to_conversion": pd.array(np.where(label, rng.integers(0, 31, leads), 99), dtype="Int64"),
            "contact_date": contact,
            "rep_snapshot_at": contact - rng.integers(0, 90, leads),
            "truth": truth,
        }
    )
    made.loc[made["states"] == -1, "states"] = pd.NA
    made.loc[~label, "days_to_conversion"] = pd.NA
    return made.sample(frac=1, random_state=seed).reset_index(drop=True)


def data(leads: int = 6000, seed: int = 7) -> TrainingData:
    """The same, taken apart."""
    return training_data(frame(leads, seed), COLUMNS, DROPLIST)


def shuffled(of: TrainingData, seed: int = 3) -> TrainingData:
    """The same leads with labels that mean nothing."""
    label = np.random.default_rng(seed).permutation(of.label)
    audit = of.audit.drop(columns="days_to_conversion").assign(target_label=label)
    return replace(of, label=label, audit=audit)
