"""A challenger is judged on leads that the champion chose to dial: does R20's null of ECE then stop a right model?

After a test, and more so once a model serves, later leads are dialled by a former model's score, while the calibration
block is older and was dialled as the leads came. Who is dialled depends on features alone, so a true probability stays
what it is; what could move is the mean truth at one *score of the challenger's*, among leads that the champion thinks
well of. The truth is the demo world's, the features those that it is made of; no file is written.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from leadscore_v6.contracts import load_document
from leadscore_v6.modeling.booster import fit
from leadscore_v6.modeling.calibration import fit_segments
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.modeling.data import TrainingData, training_data
from leadscore_v6.modeling.reliability import equal_mass_bins, expected_calibration_error, null_ece
from leadscore_v6.modeling.settings import MODEL_FILE, ModelSettings
from leadscore_v6.modeling.splits import Rows, final_split
from leadscore_v6.paths import config_root
from leadscore_v6.sample_world import WorldSpec
from leadscore_v6.sample_world.evidence import Evidence, EvidenceCollector
from leadscore_v6.sample_world.firms import draw_firms, draw_surplus
from leadscore_v6.sample_world.leads import draw_leads
from leadscore_v6.sample_world.outcomes import probabilities
from leadscore_v6.sample_world.panel import Panel
from leadscore_v6.sample_world.roster import draw_roster
from leadscore_v6.sample_world.traits import draw_traits

pytestmark = pytest.mark.prove
SPEC = WorldSpec(scenario="demo", seed=31)
FEATURES = (
    *("experience", "tenure", "prior_mean", "prior_count", "states", "licences", "series65", "cfp", "dual", "owner"),
    *("linkedin", "firm_reps"),
)
DRAWS, CAPACITY = 200, 0.45
Truth = NDArray[np.float64]


def drawn_world() -> tuple[TrainingData, Truth]:
    """The demo's history as a training set, labels drawn from the truth, and the truth (n,) in its order."""
    roster = draw_roster(SPEC)
    traits, firms = draw_traits(SPEC, roster), draw_firms(SPEC)
    leads = draw_leads(SPEC, roster, traits)
    collector = EvidenceCollector(leads, traits, len(firms.crd))
    for snapshot in Panel(SPEC, roster, traits, firms, draw_surplus(SPEC, roster, firms)).snapshots():
        collector.look(snapshot)
    evidence: Evidence = collector.evidence()
    truth = probabilities(SPEC.scenario, evidence)
    size = pd.cut(evidence.firm_reps, [0, 1, 5, 20, np.inf], labels=["1", "2_5", "6_20", "21_plus"])
    frame = pd.DataFrame({name: getattr(evidence, name) for name in FEATURES}).assign(
        Id=leads.id,
        FA_CRD__c=leads.crd.astype(str),
        contact_date=evidence.day.astype("datetime64[D]"),
        target_label=(np.random.default_rng(SPEC.seed).random(len(truth)) < truth).astype(int),
        firm_rep_count_bin=pd.Series(size).astype(object),
    )
    data = training_data(frame, [FeatureColumn(name, "FLOAT64") for name in FEATURES], ())
    of = dict(zip(leads.id, truth.tolist(), strict=True))
    return data, np.array([of[lead] for lead in data.lead_ids])


def stopped(
    data: TrainingData, truth: Truth, margin: Truth, blocks_of: tuple[Rows, Rows], settings: ModelSettings
) -> int:
    """In how many draws of both blocks' outcomes ECE lies beyond its null, whose percentile is taken once in twenty."""
    rng, count = np.random.default_rng(5), 0
    early, holdout = blocks_of
    blocks = (margin[early], data.segments[early]), (margin[holdout], data.segments[holdout])
    for draw in range(DRAWS):
        label, later = (rng.random(len(rows)) < truth[rows] for rows in (early, holdout))
        calibrator = fit_segments(*blocks[0][:1], label.astype(np.int8), blocks[0][1], "size", settings.calibration)
        if draw % 20 == 0:
            of = settings.calibration, replace(settings.evaluation, null_draws=200)
            limit = np.percentile(null_ece(*blocks, calibrator, of, draw), 95)
        bins = equal_mass_bins(calibrator.probability(*blocks[1]), later.astype(np.int8), settings.evaluation.ece_bins)
        count += expected_calibration_error(bins) > limit
    return count


def test_leads_that_a_former_model_chose_do_not_make_a_right_challenger_fail() -> None:
    """As often as leads that nobody chose, and about as often as the 95th percentile says."""
    settings = ModelSettings.of(load_document(config_root() / MODEL_FILE, "model"))
    data, truth = drawn_world()
    split = final_split(data, settings.split)
    former = fit(data, split.train[: int(0.9 * len(split.train))], settings).model.margin(data.features)
    margin = fit(data, split.train, settings).model.margin(data.features)
    chosen = split.holdout[former[split.holdout] >= np.quantile(former[split.holdout], 1 - CAPACITY)]
    assert truth[chosen].mean() > 1.8 * truth[split.holdout].mean(), "the former model knows whom to choose"
    most = int(binom.ppf(0.999, DRAWS, 0.10))  # this world's booster fails 5 to 7.5 %, others up to 13 %: docs/adr/0044
    for holdout in (split.holdout, chosen):
        assert stopped(data, truth, margin, (split.calibrate, holdout), settings) <= most
    # Had the chosen answered otherwise than their score says, it would be seen: here by a quarter of their odds.
    odds = 1.25 * truth / (1 - truth)
    answers = np.where(np.isin(np.arange(len(truth)), chosen), odds / (1 + odds), truth)
    assert stopped(data, answers, margin, (split.calibrate, chosen), settings) > most
