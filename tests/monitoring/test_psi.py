"""PSI and its null against arithmetic, chi-square, closed testing and loops (R30)."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.special import rel_entr
from scipy.stats import chi2

from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.modeling.columns import FeatureColumn
from leadscore_v6.monitoring.holm import holm
from leadscore_v6.monitoring.psi import SCORE, Reference, drift, freeze, freeze_numbers, null_draws, stability_index
from leadscore_v6.monitoring.settings import MonitoringSettings

STATE = FeatureColumn("state", "STRING")
TENURE = FeatureColumn("tenure", "FLOAT64")


def counts(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


# --- the index ------------------------------------------------------------------------------------------------------


def test_missing_from_10_to_50_percent_is_what_the_formula_says() -> None:
    """Statistics: the true value is .879, where a known library, to which missing is no bin, returned .029."""
    assert stability_index(counts(900_000, 100_000), counts(500_000, 500_000)) == pytest.approx(0.879, abs=5e-4)


def test_half_a_lead_is_added_to_each_bin() -> None:
    # (8.5/21, 12.5/21) against (0.5/11, 10.5/11), by hand.
    expected = (0.5 / 11 - 8.5 / 21) * np.log((0.5 / 11) / (8.5 / 21)) + (10.5 / 11 - 12.5 / 21) * np.log(
        (10.5 / 11) / (12.5 / 21)
    )
    assert stability_index(counts(8, 12), counts(0, 10)) == pytest.approx(expected, rel=1e-12)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=30))
def test_it_is_the_symmetric_divergence_of_scipy(pairs: list[tuple[int, int]]) -> None:
    training, now = (np.array(one, dtype=np.int64) for one in zip(*pairs, strict=True))
    p = (training + 0.5) / (training + 0.5).sum()
    q = (now + 0.5) / (now + 0.5).sum()
    assert stability_index(training, now) == pytest.approx((rel_entr(p, q) + rel_entr(q, p)).sum(), abs=1e-12)


# --- the null -------------------------------------------------------------------------------------------------------


def test_the_null_is_chi_square_where_bins_are_full() -> None:
    """Statistics: null mean (B − 1)(1/n + 1/m), p99 that of chi-square times (1/n + 1/m); rare bins stray from it."""
    n, m = 40_000, 200
    drawn = null_draws(counts(*[n // 10] * 10), m, 20_000, 3)
    assert drawn.mean() == pytest.approx(9 * (1 / n + 1 / m), rel=0.03)
    assert np.quantile(drawn, 0.99) == pytest.approx(chi2.ppf(0.99, 9) * (1 / n + 1 / m), rel=0.08)
    large = null_draws(counts(*[n // 10] * 10), 4000, 20_000, 3)
    assert np.quantile(large, 0.99) == pytest.approx(chi2.ppf(0.99, 9) * (1 / n + 1 / 4000), rel=0.03)


def test_p_values_of_quiet_worlds_are_uniform(settings: MonitoringSettings) -> None:
    of = replace(settings.drift, null_draws=499)
    rng = np.random.default_rng(8)
    found = []
    for _ in range(200):
        reference = freeze_numbers(rng.normal(size=3000), "x", of)
        found.append(drift([reference], pd.DataFrame({"x": rng.normal(size=400)}), of, 1).features[0].p_value)
    for level in (0.05, 0.25, 0.5, 0.75):
        share = np.mean(np.array(found) <= level)
        assert abs(share - level) < 3.3 * np.sqrt(level * (1 - level) / 200)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_holm_is_the_closed_test_of_bonferroni(p_values: list[float]) -> None:
    """Its definition: the worst Bonferroni-adjusted p-value of all sets of hypotheses that hold this one."""
    places = range(len(p_values))
    sets = [chosen for size in range(1, len(p_values) + 1) for chosen in combinations(places, size)]
    for place, adjusted in enumerate(holm(p_values)):
        within = [chosen for chosen in sets if place in chosen]
        worst = max(min(1.0, len(chosen) * min(p_values[one] for one in chosen)) for chosen in within)
        assert adjusted == pytest.approx(worst)


# --- bins -----------------------------------------------------------------------------------------------------------


def test_deciles_hold_what_a_loop_counts(settings: MonitoringSettings) -> None:
    rng = np.random.default_rng(5)
    training, now = rng.gamma(2, 3, 1000), np.append(rng.gamma(3, 3, 300), [np.nan] * 7)
    reference = freeze_numbers(training, "x", settings.drift)
    cuts = [sorted(training)[place] for place in range(99, 900, 100)]
    assert list(reference.cuts) == pytest.approx(cuts)
    assert reference.counts == (100,) * 10 + (0,)
    expected = [0] * 11
    for value in now:
        expected[10 if value != value else sum(value > cut for cut in cuts)] += 1  # noqa: PLR0124 - NaN is not itself
    assert reference.count(pd.Series(now)).tolist() == expected


def test_a_flag_has_a_bin_for_each_value_and_one_for_others(settings: MonitoringSettings) -> None:
    reference = freeze_numbers(np.array([0.0] * 970 + [1.0] * 30), "flag", settings.drift)
    assert reference.labels == ("0", "1", "not in training", "missing")
    assert reference.counts == (970, 30, 0, 0)
    assert reference.count(pd.Series([0, 1, 1, 2, None], dtype="Int64")).tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize("heavy", [0.0, 50.0, 100.0], ids=["lowest", "in the middle", "highest"])
def test_a_heavy_value_is_a_bin_of_its_own(heavy: float, settings: MonitoringSettings) -> None:
    """Deciles alone would put 95 % zeros and the rest into one bin or two, and see nothing move within them."""
    rng = np.random.default_rng(2)
    values = np.append(np.full(950, heavy), rng.uniform(1, 99, 50))
    reference = freeze_numbers(rng.permutation(values), "x", settings.drift)
    assert 950 in reference.counts
    moved = np.append(np.full(500, heavy), rng.uniform(1, 99, 500))
    before, after = (reference.count(pd.Series(one)) for one in (values, moved))
    assert stability_index(before, before) == 0
    assert stability_index(before, after) > 1


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 300))
def test_no_bin_of_a_number_is_empty_in_training(seed: int, distinct: int, leads: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice(rng.normal(size=distinct), leads, p=rng.dirichlet(np.full(distinct, 0.3)))
    values[rng.random(leads) < 0.2] = np.nan
    reference = freeze_numbers(values, "x", _settings().drift)
    assert reference.count(pd.Series(values)).tolist() == list(reference.counts)
    assert sum(reference.counts) == leads
    known = reference.counts[: len(reference.counts) - (1 if reference.kind == "deciles" else 2)]
    assert np.isnan(values).all() or all(known)
    assert len(reference.labels) == len(reference.counts)
    assert Reference.of(json.loads(json.dumps(reference.as_dict()))) == reference


def test_rare_levels_are_one_bin_unseen_ones_another_and_missing_a_third(settings: MonitoringSettings) -> None:
    training = pd.DataFrame({"state": ["NY"] * 700 + ["CA"] * 200 + ["WY"] * 3 + ["VT"] * 2 + [None] * 95})
    (reference,) = freeze(training, [STATE], settings.drift)
    assert reference.labels == ("CA", "NY", "rare in training", "not in training", "missing")
    assert reference.counts == (200, 700, 5, 0, 95)
    assert reference.count(pd.Series(["NY", "WY", "VT", "XX", None, np.nan])).tolist() == [0, 1, 2, 1, 2]
    assert Reference.of(json.loads(json.dumps(reference.as_dict()))) == reference
    (without,) = freeze(training[training["state"].isin(["NY", "CA"])], [STATE], settings.drift)
    assert without.labels == ("CA", "NY", "not in training", "missing")


def test_a_level_that_training_never_had_is_found_beside_many_that_it_hardly_had(settings: MonitoringSettings) -> None:
    """Of fifty states the rare ones have a sixth of the leads. In one bin with them a tenth more is a PSI of .06."""
    rng, weights = np.random.default_rng(2), 1 / np.arange(1, 51)
    states = np.array([f"S{number:02d}" for number in range(50)], dtype=object)

    def world(leads: int) -> np.ndarray:
        return states[rng.choice(50, leads, p=weights / weights.sum())]

    references = freeze(pd.DataFrame({"state": world(20_000)}), [STATE], settings.drift)
    now = world(1_000)
    assert drift(references, pd.DataFrame({"state": now}), settings.drift, 1).drifted == ()
    now[:100] = "ZZ"
    (found,) = drift(references, pd.DataFrame({"state": now}), settings.drift, 1).features
    assert found.alerts
    worst = max(found.shifts, key=lambda one: one.psi)
    # By hand: nothing in training but the half lead, a tenth now.
    bins = len(found.shifts)
    before, after = 0.5 / (20_000 + bins / 2), 100.5 / (1_000 + bins / 2)
    assert (worst.bin, worst.psi) == ("not in training", pytest.approx((after - before) * np.log(after / before)))


def test_a_training_that_lacks_some_levels_does_not_cry_wolf_when_they_come(settings: MonitoringSettings) -> None:
    """A thousand zip codes on 2,000 leads: a tenth of any other leads is of codes that these did not have."""
    of, rng = replace(settings.drift, null_draws=499), np.random.default_rng(8)
    codes = np.array([f"{number:03d}" for number in range(1_000)], dtype=object)
    expected = unseen = literal = alerts = 0
    for seed in range(10):
        training, now = (pd.DataFrame({"state": rng.choice(codes, leads)}) for leads in (2_000, 1_000))
        (reference,) = freeze(training, [STATE], of)
        expected += reference.alone[0]
        unseen += reference.count(now["state"])[-2]
        found = drift([reference], now, of, seed).figures()
        literal += found["features_above_psi"]
        alerts += found["features_drifted"]
    # Good and Turing: the leads that were alone with their level in training.
    assert expected / 20_000 == pytest.approx(unseen / 10_000, rel=0.1)
    assert literal == 10
    assert alerts <= 2


# --- the alert ------------------------------------------------------------------------------------------------------


def test_fifty_states_at_200_leads_are_no_drift(settings: MonitoringSettings) -> None:
    """Statistics: .25 with no drift at all. The literal fires, the alert does not (R30)."""
    of, rng = replace(settings.drift, null_draws=1999), np.random.default_rng(1)
    states = [f"S{number:02d}" for number in range(50)]
    references = freeze(pd.DataFrame({"state": rng.choice(states, 42_000)}), [STATE], settings.drift)
    literal = alerts = 0
    for seed in range(40):
        found = drift(references, pd.DataFrame({"state": rng.choice(states, 200)}), of, seed).figures()
        literal += found["features_above_psi"]
        alerts += found["features_drifted"]
    assert literal >= 10
    assert alerts <= 5


def test_many_features_are_one_chance_to_cry_wolf(settings: MonitoringSettings) -> None:
    """Twenty features whose PSI is large by chance in most months; each at 5 % would alert in two months of three."""
    of, rng = replace(settings.drift, null_draws=499, min_leads=60), np.random.default_rng(3)

    def month(leads: int) -> pd.DataFrame:
        return pd.DataFrame(rng.integers(0, 30, (leads, 20))).astype(str).rename(columns=str)

    columns = [FeatureColumn(str(place), "STRING") for place in range(20)]
    references = freeze(month(5_000), columns, of)
    found = [drift(references, month(80), of, seed) for seed in range(10)]
    assert all(one.figures()["features_above_psi"] for one in found)
    assert sum(bool(one.drifted) for one in found) <= 2


def test_what_is_certain_but_small_is_no_alert(settings: MonitoringSettings) -> None:
    rng = np.random.default_rng(1)
    references = (freeze_numbers(rng.normal(size=20_000), "x", settings.drift),)
    (one,) = drift(references, pd.DataFrame({"x": rng.normal(0.2, 1, 20_000)}), settings.drift, 1).features
    assert one.is_beyond_null
    assert not one.is_large
    assert not one.alerts


@pytest.mark.parametrize("kind", ["shift", "missing", "new category", "score"])
def test_planted_drift_is_found_and_named(kind: str, settings: MonitoringSettings) -> None:
    rng = np.random.default_rng(4)

    def world(leads: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "tenure": rng.gamma(2, 4, leads),
                "state": rng.choice(["NY", "CA", "TX"], leads),
                SCORE: rng.beta(1, 20, leads),
            }
        )

    training, now = world(20_000), world(1_000)
    references = [
        *freeze(training, [TENURE, STATE], settings.drift),
        freeze_numbers(training[SCORE].to_numpy(), SCORE, settings.drift),
    ]
    assert drift(references, now, settings.drift, 1).drifted == ()
    if kind == "shift":
        now["tenure"] += 6
    elif kind == "missing":
        now.loc[rng.random(1_000) < 0.3, "tenure"] = np.nan
    elif kind == "new category":
        now.loc[rng.random(1_000) < 0.1, "state"] = "ZZ"
    else:
        now[SCORE] *= 2
    found = drift(references, now, settings.drift, 1)
    assert found.drifted == ({"new category": "state", "score": SCORE}.get(kind, "tenure"),)
    assert found.figures()["features_drifted"] == 1
    assert found.figures()["score_drifted"] == (kind == "score")
    worst = max(found.features[0].shifts, key=lambda one: one.psi)
    assert found.features[0].psi == pytest.approx(sum(one.psi for one in found.features[0].shifts))
    if kind in ("missing", "new category"):
        assert worst.bin == ("missing" if kind == "missing" else "not in training")


def test_who_is_dialled_by_score_is_held_against_who_was(settings: MonitoringSettings) -> None:
    """Of 1,000 leads a week the best 45 % are dialled, before and now; all of them would look like another world."""
    rng, of = np.random.default_rng(6), replace(settings.drift, null_draws=1999)

    def weeks(count: int, capacity: float) -> pd.DataFrame:
        found = [np.sort(rng.normal(-4, 1.3, 1_000))[-int(1_000 * capacity) :] for _ in range(count)]
        score = 1 / (1 + np.exp(-np.concatenate(found)))
        return pd.DataFrame({SCORE: score, "tenure": rng.gamma(2, 4, len(score))})

    everybody, dialled = weeks(4, 1.0), weeks(4, 0.45)
    (tenure,) = freeze(weeks(27, 1.0), [TENURE], of)
    references = (tenure, freeze_numbers(weeks(13, 0.45)[SCORE].to_numpy(), SCORE, of))
    found = drift(references, everybody, of, 1, dialled)
    assert found.drifted == ()
    assert (found.leads, found.score_leads, found.figures()["drift_leads"]) == (4_000, 1_800, 1_800)
    assert drift(references, everybody, of, 1).drifted == (SCORE,)
    assert not drift(references, everybody, of, 1, dialled.iloc[: of.min_leads - 1]).is_judgeable


def test_rows_in_another_order_are_the_same_drift(settings: MonitoringSettings) -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"tenure": rng.gamma(2, 4, 900), "state": rng.choice(["NY", "CA", None], 900)})
    references = freeze(frame, [TENURE, STATE], settings.drift)
    now = frame.iloc[:400].assign(tenure=lambda one: one["tenure"] * 1.3)
    shuffled = now.sample(frac=1, random_state=1)
    assert drift(references, now, settings.drift, 7) == drift(references, shuffled, settings.drift, 7)


def test_too_few_leads_are_not_judgeable(settings: MonitoringSettings) -> None:
    references = (freeze_numbers(np.arange(1000.0), "x", settings.drift),)
    figures = drift(references, pd.DataFrame({"x": np.arange(199.0)}), settings.drift, 1).figures()
    assert figures["drift_leads"] == 199
    assert figures["features_drifted"] is None
    assert figures["max_psi"] is None


def test_a_null_of_too_few_draws_is_refused(settings: MonitoringSettings) -> None:
    references = [freeze_numbers(np.arange(1000.0), f"x{number}", settings.drift) for number in range(80)]
    frame = pd.DataFrame({one.feature: np.arange(300.0) for one in references})
    with pytest.raises(UsageError, match="Set null_draws to 1599 or more"):
        drift(references, frame, replace(settings.drift, null_draws=1598), 1)
    assert drift(references, frame, replace(settings.drift, null_draws=1599), 1).is_judgeable


def test_a_feature_that_is_gone_or_of_another_type_is_named(settings: MonitoringSettings) -> None:
    frame = pd.DataFrame({"state": ["NY", "CA"] * 200, "tenure": [1.0, 2.0] * 200})
    references = freeze(frame, [STATE, TENURE], settings.drift)
    with pytest.raises(InputError, match="column tenure"):
        drift(references, frame.drop(columns="tenure"), settings.drift, 1)
    with pytest.raises(InputError, match="column state"):
        drift(references, frame.assign(state=1), settings.drift, 1)
    with pytest.raises(InputError, match="column tenure"):
        drift(references, frame.assign(tenure="old"), settings.drift, 1)


def _settings() -> MonitoringSettings:
    from leadscore_v6.contracts import load_document
    from leadscore_v6.monitoring.settings import MONITORING_FILE
    from leadscore_v6.paths import config_root

    return MonitoringSettings.of(load_document(config_root() / MONITORING_FILE, "monitoring_schedule"))
