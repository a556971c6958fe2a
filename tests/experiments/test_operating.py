"""The published operating characteristics are what the product does (issue 5, "Done when" 3)."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from docs.experiment_characteristics import LIFTS, TESTS, TESTS_OF_INTERFERENCE, TESTS_OF_NULL, TITLE, section
from docs.operating_characteristics import part
from leadscore_v6.experiments.looks import Protocol
from leadscore_v6.experiments.readout import Readout, analyse
from tests.experiments.operating import RATE, SETTINGS, Advisors, Team, design, draw, interference, judge, run
from tests.experiments.trials import START

SECOND = START + timedelta(days=40)  # when the leads after the first look are enrolled and dialled
LOOKS = (START + timedelta(days=39), SECOND + timedelta(days=40))


def frame(arms: dict[str, Advisors], experiment: int) -> pd.DataFrame:
    """One of the drawn experiments as a cohort: every lead dialled on its second day, converting then or never."""
    rows = []
    for arm, of in arms.items():
        for half, day in (("before", START), ("after", SECOND)):
            leads, converted = getattr(of, half), getattr(of, f"converted_{half}")[experiment]
            for advisor in np.flatnonzero(leads):
                rows += [
                    (arm, f"{advisor + (arm == 'control') * 100_000}", day, place < converted[advisor])
                    for place in range(int(leads[advisor]))
                ]
    made = pd.DataFrame(rows, columns=["arm", "crd", "enrolled_on", "converts"])
    day = pd.to_datetime(made["enrolled_on"]) + pd.Timedelta(days=1)
    return made.assign(
        lead_id=np.arange(len(made)),
        segment="1",
        enrolled_on=pd.to_datetime(made["enrolled_on"]),
        dialled_on=day,
        dials=1,
        adopted=made["arm"] == "treatment",
        converted_on=day.where(made["converts"]),
    )


def read(leads: pd.DataFrame) -> list[Readout]:
    """Both looks, or only the first one if the product stopped there."""
    early = leads[leads["enrolled_on"] <= pd.Timestamp(LOOKS[0])]
    plan = Protocol(2 * len(early), START)
    first = analyse(early, plan, LOOKS[0], SETTINGS)
    if first.decision.verdict != "continue":
        return [first]
    plan = replace(plan, closed_on=SECOND, taken=(first.look,))
    return [first, analyse(leads, plan, LOOKS[1], SETTINGS)]


@pytest.mark.parametrize(("true_lift", "seed"), [(0.0, 1), (0.5, 2), (0.9, 3)])
def test_a_simulated_test_is_read_as_the_product_reads_its_leads(true_lift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arms = {
        arm: draw(rng, rate, 4, design().dials // 2)
        for arm, rate in (("treatment", RATE * (1 + true_lift)), ("control", RATE))
    }
    simulated = judge(arms["treatment"], arms["control"], true_lift)
    for experiment in range(4):
        readouts = read(frame(arms, experiment))
        last = readouts[-1]
        assert (last.decision.verdict == "go") == simulated.go[experiment]
        assert last.primary.lift.value == pytest.approx(simulated.lift[experiment])
        assert (last.primary.p < 0.05) == (simulated.up[experiment] or simulated.down[experiment])
        covered = last.primary.lift.low <= true_lift <= last.primary.lift.high
        assert covered == simulated.covered[experiment]


def test_every_outcome_is_told_of_every_test() -> None:
    found = run(0.5, 700, seed=1)
    assert {len(getattr(found, field.name)) for field in fields(found)} == {700}
    assert np.mean(found.up) == pytest.approx(0.8, abs=4 * (0.8 * 0.2 / 700) ** 0.5)


def test_split_capacity_reads_the_truth_and_a_shared_queue_does_not() -> None:
    """R28, and the figures of its ruling: +21 % reads +48 % per dial and −11 % per assigned lead."""
    found = interference(Team(1000, 0.8, 0.76), 250, 8, seed=1)
    assert found.truth == pytest.approx(0.21, abs=0.01)
    assert np.median(found.shared_per_dial) == pytest.approx(0.48, abs=0.05)
    assert np.median(found.shared_per_lead) == pytest.approx(-0.11, abs=0.03)
    assert np.median(found.split_per_dial) == pytest.approx(found.truth, abs=0.03)


def test_the_page_is_about_enough_tests() -> None:
    assert min(TESTS, TESTS_OF_NULL, TESTS_OF_INTERFERENCE) >= 2_000
    assert (SETTINGS.design.target_lift, 1.0) == tuple(lift for lift in LIFTS if lift in {0.5, 1.0})


@pytest.mark.prove
def test_the_experiments_part_of_the_page_is_what_the_simulation_gives() -> None:
    assert part(TITLE) == section()


@pytest.mark.prove
def test_error_power_and_coverage_are_what_was_planned() -> None:
    """Within four standard errors of the simulation itself."""
    null, planned = run(0.0, TESTS_OF_NULL, seed=7), run(SETTINGS.design.target_lift, TESTS, seed=7)

    def off(share: float, of: int) -> float:
        return 4 * (share * (1 - share) / of) ** 0.5

    assert np.mean(null.up | null.down) <= 0.05 + off(0.05, TESTS_OF_NULL)
    assert np.mean(planned.up) >= 0.8 - off(0.8, TESTS)
    for found in (null, planned):
        assert np.mean(found.covered) == pytest.approx(0.95, abs=off(0.95, TESTS) + 0.003)
        assert np.mean(found.covered_early) >= 0.95
