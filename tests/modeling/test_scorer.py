"""The model object: one lead as in the batch, what it says of each, and what it refuses to be put together from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.metrics import average_precision_score, get_scorer
from sklearn.utils.validation import check_is_fitted

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.modeling.calibrated import Calibration
from leadscore_v6.modeling.data import TrainingData
from leadscore_v6.modeling.scorer import LeadScorer, ModelParts, build_scorer
from leadscore_v6.modeling.training import Training
from tests.modeling import worlds


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    """Leads that the model never saw, some of them strange."""
    made = worlds.frame(400, seed=99)
    made.loc[3, "state"] = "ZZ"
    made.loc[4, "experience"] = 500.0
    made.loc[5, "experience"] = np.nan
    made.loc[6, "firm_rep_count_bin"] = "a new size"
    return made


def test_one_lead_alone_scores_as_in_the_batch_to_the_bit(scorer: LeadScorer, leads: pd.DataFrame) -> None:
    batch = scorer.score_leads(leads, reasons=3)
    for (_, row), lead in zip(batch.iterrows(), leads.to_dict("records"), strict=True):
        alone = scorer.score_lead(lead, reasons=3)
        assert alone.probability.hex() == float(row["probability"]).hex()
        assert (alone.rank, alone.reasons, alone.warnings) == (row["rank"], row["reasons"], row["warnings"])
    again = scorer.score_leads(leads.sample(frac=1, random_state=1)).loc[leads.index]
    assert again["probability"].to_numpy().tobytes() == batch["probability"].to_numpy().tobytes()


def test_no_leads_are_no_scores(scorer: LeadScorer, leads: pd.DataFrame) -> None:
    found = scorer.score_leads(leads.head(0))
    assert found.columns.tolist() == ["probability", "rank", "reasons", "warnings"]
    assert found.empty


def test_probabilities_are_those_of_step_4_3(
    scorer: LeadScorer, calibrated: Calibration, trained: Training, world: TrainingData
) -> None:
    frame = world.features.iloc[trained.split.holdout]
    assert scorer.predict_proba(frame)[:, 1].tobytes() == calibrated.holdout.score.tobytes()


def test_it_says_what_it_had_to_assume(scorer: LeadScorer, leads: pd.DataFrame) -> None:
    warnings = scorer.score_leads(leads)["warnings"]
    assert "training did not know" in warnings[3][0]
    assert warnings[3][0].startswith("place:")
    assert warnings[4] == ("career: lower or higher than training ever had it",)
    assert warnings[5] == ("career not known, though training nearly always had it",)
    assert any("firm: a kind that calibration had too little of" in text for text in warnings[6])


def test_a_warning_names_no_column_and_is_said_once(scorer: LeadScorer, leads: pd.DataFrame) -> None:
    """Sales people read it beside the reasons; two features of one family say the same."""
    strange = leads.head(1).assign(tenure=1e6, experience=1e6, states=-1.0, state="nowhere", firm_rep_count_bin="other")
    (warnings,) = scorer.score_leads(strange)["warnings"]
    assert {text.split(":")[0] for text in warnings} == {"firm", "career", "registration", "place"}
    assert len(set(warnings)) == len(warnings)
    assert not [text for text in warnings if "_" in text]


def test_ranks_are_percentiles_of_the_calibration_block(scorer: LeadScorer, calibrated: Calibration) -> None:
    cuts = np.quantile(calibrated.reference, [0.005, 0.5, 0.995])
    ranks = scorer._cuts.searchsorted(cuts, side="right") + 1
    assert ranks.tolist() == [1, 51, 100]


def test_reasons_add_up_to_the_calibrated_log_odds(scorer: LeadScorer, leads: pd.DataFrame) -> None:
    lead = leads.iloc[0].to_dict()
    score = scorer.score_lead(lead, reasons=99)
    platt = scorer._content.calibrator.platt(lead["firm_rep_count_bin"] or "missing")
    row, _ = scorer._content.spec.encode_lead(lead)
    from leadscore_v6.modeling.booster import contributions

    base = contributions(scorer._single, scorer._content.spec, row)[0, -1] * platt.slope + platt.intercept
    total = base + sum(reason.log_odds for reason in score.reasons)
    assert expit(total) == pytest.approx(score.probability, rel=1e-4)
    sizes = [abs(reason.log_odds) for reason in score.reasons]
    assert sizes == sorted(sizes, reverse=True)


def test_it_behaves_as_a_fitted_classifier(scorer: LeadScorer, leads: pd.DataFrame) -> None:
    check_is_fitted(scorer)
    assert is_classifier(scorer)
    assert scorer.classes_.tolist() == [0, 1]
    assert scorer.n_features_in_ == len(scorer.get_feature_names_out()) == len(scorer.feature_names_in_)
    proba = scorer.predict_proba(leads)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (scorer.predict(leads) == (proba[:, 1] > 0.5)).all()
    found = get_scorer("average_precision")(scorer, leads, leads["target_label"])
    assert found == pytest.approx(average_precision_score(leads["target_label"], proba[:, 1]))
    with pytest.raises(UsageError, match="not fitted again"):
        scorer.fit(leads, leads["target_label"])


def through_json(parts: ModelParts, **changes: object) -> ModelParts:
    return ModelParts(parts.booster, json.loads(json.dumps(parts.document, allow_nan=False)) | changes)


def test_it_comes_apart_and_together_as_the_same_model(scorer: LeadScorer, leads: pd.DataFrame) -> None:
    again = LeadScorer.from_parts(through_json(scorer.to_parts()), worlds.WORDS, "c1")
    assert again.provenance == scorer.provenance
    pd.testing.assert_frame_equal(again.score_leads(leads, reasons=2), scorer.score_leads(leads, reasons=2))


@pytest.mark.parametrize(
    ("changes", "contract", "message"),
    [
        ({}, "c2", "contract version c1"),
        ({"xgboost": "2.1.4"}, "c1", "made with xgboost 2.1.4"),
        ({"format": 99}, "c1", "format 99"),
        ({"booster_sha256": "0" * 64}, "c1", "not the one that its document describes"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    scorer: LeadScorer, changes: dict[str, object], contract: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        LeadScorer.from_parts(through_json(scorer.to_parts(), **changes), worlds.WORDS, contract)


def test_a_truncated_booster_is_refused_before_xgboost_reads_it(scorer: LeadScorer) -> None:
    parts = scorer.to_parts()
    with pytest.raises(InputError, match="not the one"):
        LeadScorer.from_parts(ModelParts(parts.booster[:-10], parts.document), worlds.WORDS, "c1")


def test_digests_tell_models_data_and_features_apart(
    scorer: LeadScorer, trained: Training, calibrated: Calibration
) -> None:
    other = build_scorer(trained.model, calibrated, worlds.WORDS, dataset="e" * 64, contract_version="c1")
    assert other.provenance.features == scorer.provenance.features
    assert other.provenance.dataset == "e" * 64
    moved = replace(calibrated, calibrator=replace(calibrated.calibrator, segments={}))
    shifted = build_scorer(trained.model, moved, worlds.WORDS, dataset="d" * 64, contract_version="c1")
    assert shifted.provenance.model != scorer.provenance.model
    assert scorer.provenance.features == trained.model.spec.digest
    assert len(bytes.fromhex(scorer.provenance.model)) == hashlib.sha256().digest_size


@pytest.mark.parametrize(("value", "message"), [(np.inf, "infinite"), ("long", "str where"), (KeyError, "not there")])
def test_a_lead_that_cannot_be_scored_is_refused(scorer: LeadScorer, leads: pd.DataFrame, value, message: str) -> None:
    lead = leads.iloc[0].to_dict()
    if value is KeyError:
        del lead["tenure"]
    else:
        lead["tenure"] = value
    with pytest.raises(InputError, match=message):
        scorer.score_lead(lead)
