"""The truth: it follows from what was known at contact, and it is as strong as R41 and the published figures say."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from leadscore_v6.sample_world import WorldSpec
from leadscore_v6.sample_world.evidence import Evidence, EvidenceCollector
from leadscore_v6.sample_world.firms import draw_firms, draw_surplus
from leadscore_v6.sample_world.leads import draw_leads
from leadscore_v6.sample_world.outcomes import probabilities
from leadscore_v6.sample_world.panel import Panel
from leadscore_v6.sample_world.roster import draw_roster
from leadscore_v6.sample_world.traits import draw_traits
from tests.sample_world.conftest import World
from tests.sample_world.feeds import Row, auc, crd, number


def demo_truth(row: Row, firm_reps: int) -> float:
    """The planted signal, written a second time, for one row of a feed file."""
    experience, tenure = (
        number(row["DateBecameRep_NumberOfYears"]),
        number(row["DateOfHireAtCurrentFirm_NumberOfYears"]),
    )
    prior = [number(row[f"PriorFirm{k}_NumberOfYears"]) for k in (1, 2, 3, 4) if row[f"PriorFirm{k}_NumberOfYears"]]
    prior_mean = sum(prior) / len(prior) if prior else math.nan
    states = number(row["Number_RegisteredStates"])
    cfp, dual = row["Designations_CFP"] == "Yes", row["DuallyRegisteredBDRIARep"] == "Yes"
    stories = [0.0]
    if tenure < 2.5 and experience >= 14:
        stories.append(1.4 + (1.6 if states >= 6 else 0) + (1.2 if states >= 14 else 0))
    if 3 <= tenure < 7 and prior_mean < 3.5:
        stories.append(1.4 + (1.6 if prior_mean < 2.8 else 0) + (1.2 if prior_mean < 2 else 0))
    if firm_reps <= 20 and 7 <= tenure < 14:
        stories.append(1.4 + (1.6 if states >= 5 else 0) + (1.2 if states >= 12 else 0))
    if 5 <= experience < 14 and not dual:
        stories.append(3.4 if cfp else 1.4)
    linked = row["SocialMedia_LinkedIn"] != ""
    if len(stories) > 1:
        logit = -4.88 + min(sum(stories), 5.6) * (1 if linked and states >= 2 else 0.65)
    else:
        cooler = [(0.7, tenure >= 9), (0.9, tenure >= 16), (0.7, states < 2), (0.6, not linked), (0.5, prior_mean >= 6)]
        logit = -4.88 - sum(size for size, holds in cooler if holds)
    return 1 / (1 + math.exp(-logit))


def test_probabilities_follow_from_what_was_true_at_contact(demo: World) -> None:
    """And would be others had they been drawn from the newest snapshot: the leak that the join must not have."""
    today = list(demo.feeds.rows)[-1]
    leaks = matched = 0
    for row in demo.truth.values():
        contact = date.fromisoformat(row["contact_date"])
        known = demo.feeds.at(int(row["crd"]), contact)
        assert row["rep_snapshot_at"] == (str(known[0]) if known else "")
        expected = demo_truth(*known[1:]) if known else 0.098
        assert number(row["probability"]) == pytest.approx(expected, abs=1e-12)
        if known:
            matched += 1
            leaks += abs(demo_truth(*demo.feeds.at(int(row["crd"]), today)[1:]) - expected) > 1e-6
    assert leaks / matched > 0.1


def test_outcomes_are_draws_of_the_probability(demo: World, historical: World) -> None:
    for world in (demo, historical):
        rows = [row for row in world.truth.values() if not row["days_to_conversion"].startswith("-")]
        for row in rows:
            assert row["label"] == str(int(number(row["draw"]) < number(row["probability"])))
        expected = sum(number(row["probability"]) for row in rows)
        assert abs(sum(row["label"] == "1" for row in rows) - expected) < 4 * math.sqrt(expected)


def test_the_demos_base_rate_does_not_move(demo: World, historical: World) -> None:
    """Each month has its due of calls (R41); `historical` has what chance gives it."""

    def off(world: World) -> list[float]:
        months: dict[str, float] = {}
        for row in world.truth.values():
            month = row["contact_date"][:7]
            hit = number(row["draw"]) < number(row["probability"])
            months[month] = months.get(month, 0.0) + hit - number(row["probability"])
        return [abs(difference) for difference in months.values()]

    assert max(off(demo)) < 1 + 1e-9
    assert max(off(historical)) > 2


def judged(world: World) -> list[Row]:
    return [r for r in world.truth.values() if r["counted"] == "1" and not r["days_to_conversion"].startswith("-")]


def test_the_summary_figures_are_those_of_the_truth_file(demo: World) -> None:
    rows = judged(demo)
    labels, probability = [int(r["label"]) for r in rows], [number(r["probability"]) for r in rows]
    assert demo.summary.true_auc == pytest.approx(auc(probability, labels), abs=1e-12)
    assert demo.summary.positive_rate == pytest.approx(sum(labels) / len(rows), abs=1e-12)


@pytest.mark.parametrize("seed", [20240107, 1, 2])
def test_the_demo_is_as_strong_as_r41_pins_it(seed: int) -> None:
    """At its default size, in expectation (each lead counts p times as a positive): free of the luck of the draw."""
    spec = WorldSpec(seed=seed)
    evidence, counted = evidence_of(spec)
    probability = probabilities("demo", evidence)
    assert expected_auc(probability[counted].tolist()) == pytest.approx(0.89, abs=0.015)
    assert probability[counted].mean() == pytest.approx(0.034, abs=0.0015)
    matured = counted & (evidence.day <= evidence.day.max() - 30)
    assert matured.sum() >= 90_000
    # Half the leads at one level, and Platt scaling is wrong for every model that has to estimate it.
    assert np.unique(probability[counted].round(9), return_counts=True)[1].max() < 0.15 * counted.sum()
    quarters = np.array_split(probability[evidence.matched & matured], 7)  # leads are sorted by day
    assert max(quarter.mean() for quarter in quarters) / min(quarter.mean() for quarter in quarters) < 1.15


def evidence_of(spec: WorldSpec) -> tuple[Evidence, NDArray[np.bool_]]:
    """What is known of the leads of a world that is not written."""
    roster = draw_roster(spec)
    traits, firms = draw_traits(spec, roster), draw_firms(spec)
    leads = draw_leads(spec, roster, traits)
    collector = EvidenceCollector(leads, traits, len(firms.crd))
    for snapshot in Panel(spec, roster, traits, firms, draw_surplus(spec, roster, firms)).snapshots():
        collector.look(snapshot)
    return collector.evidence(), leads.counted


def test_no_single_feature_of_the_demo_tells_the_truth(demo: World) -> None:
    features: dict[str, list[float]] = {}
    weights: list[float] = []
    for row in judged(demo):
        known = demo.feeds.at(int(row["crd"]), date.fromisoformat(row["contact_date"]))
        if known is None:
            continue
        weights.append(number(row["probability"]))
        features.setdefault("firm_reps", []).append(known[2])
        for column in known[1]:
            if column not in {"RepCRD", "DiscoveryRepID", "RIAFirmCRD", "PrimaryRIAFirmCRD", "PrimaryFirmCRD"}:
                value = known[1][column]
                numeric = number(value)
                features.setdefault(column, []).append(float(value == "Yes") if math.isnan(numeric) else numeric)
    strength = {name: expected_auc(weights, values) for name, values in features.items()}
    strength = {name: max(value, 1 - value) for name, value in strength.items()}
    assert max(strength.values()) < 0.75, strength


def expected_auc(probability: list[float], score: list[float] | None = None) -> float:
    """AUC of a score when every lead counts p as a positive and 1 - p as a negative."""
    pairs = below = total = 0.0
    ranked: dict[float, list[float]] = {}
    for s, p in zip(score or probability, probability, strict=True):
        ranked.setdefault(s, []).append(p)
    for s in sorted(ranked):
        positives, negatives = sum(ranked[s]), len(ranked[s]) - sum(ranked[s])
        pairs += positives * (below + negatives / 2)
        below += negatives
        total += positives
    return pairs / (total * below)


def test_the_historical_world_is_as_weak_as_the_real_one(historical: World) -> None:
    probability = [number(row["probability"]) for row in judged(historical)]
    assert 0.64 < expected_auc(probability) < 0.69
    assert sum(probability) / len(probability) == pytest.approx(0.0339, abs=0.003)
    assert 0.05 < historical.summary.true_auc_pr < 0.11


def test_the_historical_segments_convert_in_the_published_order(historical: World) -> None:
    rates: dict[str, list[float]] = {}
    for row in judged(historical):
        p = number(row["probability"])
        known = historical.feeds.at(int(row["crd"]), date.fromisoformat(row["contact_date"]))
        if known is None:
            rates.setdefault("unmatched", []).append(p)
            continue
        rates.setdefault("matched", []).append(p)
        rates.setdefault("several states" if number(known[1]["Number_RegisteredStates"]) > 1 else "one", []).append(p)
        tenure = number(known[1]["DateOfHireAtCurrentFirm_NumberOfYears"])
        share = tenure / max(number(known[1]["DateBecameRep_NumberOfYears"]), 0.01)
        for bound, name in [(0.3, "<.3"), (0.6, "<.6"), (0.9, "<.9"), (9, "more")]:
            if share < bound:
                rates.setdefault(f"share {name}", []).append(p)
                break
        metro = known[1]["Home_MetropolitanArea"][:5]
        rates.setdefault(metro if metro in {"New Y", "Miami"} else "elsewhere", []).append(p)
    mean = {name: sum(values) / len(values) for name, values in rates.items()}
    assert mean["unmatched"] == pytest.approx(0.098)
    assert mean["matched"] == pytest.approx(0.032, abs=0.003)
    assert mean["share <.3"] / mean["share more"] == pytest.approx(7.1 / 2.5, rel=0.2)
    assert mean["share <.3"] > mean["share <.6"] > mean["share <.9"] > mean["share more"]
    assert mean["New Y"] / mean["elsewhere"] == pytest.approx(2.6 / 4.1, rel=0.15)
    assert mean["Miami"] / mean["elsewhere"] == pytest.approx(1.9 / 4.1, rel=0.2)
    assert mean["several states"] / mean["one"] == pytest.approx(0.62 / 0.73 * 0.27 / 0.38, rel=0.15)


def test_the_historical_base_rate_drifts_as_published(historical: World) -> None:
    by_quarter: dict[str, list[float]] = {}
    for row in judged(historical):
        if row["rep_snapshot_at"]:
            month = int(row["contact_date"][5:7])
            by_quarter.setdefault(f"{row['contact_date'][:4]}Q{(month + 2) // 3}", []).append(
                number(row["probability"])
            )
    mean = {quarter: sum(values) / len(values) for quarter, values in by_quarter.items()}
    assert mean["2025Q1"] / mean["2024Q2"] == pytest.approx(4.07 / 1.64, rel=0.15)


def test_crds_of_the_truth_are_those_of_the_leads(demo: World) -> None:
    given = {lead["Id"]: crd(lead["FA_CRD__c"]) for lead in demo.leads if crd(lead["FA_CRD__c"])}
    assert given == {Id: int(demo.truth[Id]["crd"]) for Id in given}
