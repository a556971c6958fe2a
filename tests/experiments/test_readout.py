"""A reading end to end on tests of planted truth: what is read, what is refused, and what is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from leadscore_v6.errors import InputError
from leadscore_v6.experiments.cohort import cohort
from leadscore_v6.experiments.looks import LookNotDue, Protocol
from leadscore_v6.experiments.readout import Readout, analyse
from leadscore_v6.experiments.sequential import adjusted_p, lan_demets
from leadscore_v6.experiments.settings import ExperimentSettings
from tests.experiments.trials import START, settings, trial

OF = settings()
END = START + timedelta(days=120)


@cache
def leads(rates: tuple[float, float] = (0.10, 0.06), seed: int = 1) -> pd.DataFrame:
    """The cohort of a test of 6,400 leads and some 2,850 dials, all matured."""
    made = trial(8, 800, rates, seed)
    return cohort(made.assignments, made.dials, made.outcomes, END, OF.design).leads


def plan(of: pd.DataFrame, share: float = 1.0) -> Protocol:
    """A plan of which `share` is in."""
    return Protocol(round(of["dialled_on"].notna().sum() / share), START)


def final(of: pd.DataFrame, rules: ExperimentSettings = OF) -> Readout:
    return analyse(of, plan(of), END, rules)


def interim(of: pd.DataFrame) -> Readout:
    return analyse(of, plan(of, 0.6), END, OF)


# --- what is read --------------------------------------------------------------------------------------------------


def test_rates_are_mqls_per_100_dials_by_assigned_arm_whoever_adopted() -> None:
    of = leads()
    found = final(of).primary
    for arm in (found.treatment, found.control):
        rows = of[(of["arm"] == arm.arm) & of["dialled_on"].notna()]
        days = (rows["converted_on"] - rows["dialled_on"]).dt.days
        mqls = int(((days >= 0) & (days <= 30)).sum())
        assert (arm.mqls, arm.dials, arm.dialled) == (mqls, len(rows), len(rows))
        assert arm.mqls_per_100_dials.value == pytest.approx(100 * mqls / len(rows))
    treated = of[(of["arm"] == "treatment") & of["dialled_on"].notna()]
    assert found.adoption == pytest.approx((treated["adopted"]).mean())
    assert found.cace.value == pytest.approx(found.difference.value / found.adoption)
    assert found.lift.value == pytest.approx(
        found.treatment.mqls_per_100_dials.value / found.control.mqls_per_100_dials.value - 1
    )


def test_the_interval_of_a_test_with_one_look_is_the_textbooks() -> None:
    """Leads of one advisor are independent here, so that the plain interval of a ratio of proportions holds."""
    of = leads()
    found = analyse(of, plan(of), END, settings(design={"looks": [1.0]})).primary
    one, other = found.treatment, found.control
    low, high = confint_proportions_2indep(one.mqls, one.dials, other.mqls, other.dials, compare="ratio", method="log")
    assert (found.lift.low + 1, found.lift.high + 1) == pytest.approx((low, high), rel=0.02)
    assert found.p == pytest.approx(found.p_nominal, abs=1e-9)
    assert found.interval == "stage-wise"


def test_a_final_p_value_pays_for_the_look_before() -> None:
    of = leads((0.07, 0.06))
    found = final(of)
    assert found.boundaries.critical == lan_demets([found.due.information], 0.05).critical
    taken = replace(plan(of), taken=(replace(interim(of).look, information=0.5, z=1.0, as_of=START),))
    later = analyse(of, taken, END, OF)
    assert later.boundaries.critical == pytest.approx((2.9626, 1.9686), abs=1e-4)
    assert later.primary.p == pytest.approx(adjusted_p((0.5, 1.0), later.boundaries.critical[:1], later.primary.z))
    assert later.primary.p > later.primary.p_nominal == pytest.approx(2 * norm.sf(later.primary.z))


def test_while_the_test_goes_on_the_interval_is_wider_and_there_is_no_p_value() -> None:
    of = leads((0.07, 0.06))
    found = interim(of)
    assert (found.due.number, found.decision.verdict) == (1, "continue")
    assert (found.primary.p, found.primary.interval) == (None, "repeated")
    ended = final(of).primary
    assert found.primary.lift.value == ended.lift.value
    assert found.primary.lift.low < ended.lift.low < ended.lift.high < found.primary.lift.high


def test_what_once_crossed_stays_crossed() -> None:
    of = leads()
    taken = replace(plan(of), taken=(replace(interim(of).look, information=0.5, z=3.4, critical=2.96, as_of=START),))
    found = analyse(of, taken, END, OF)
    assert found.primary.p == pytest.approx(2 * norm.sf(3.4))
    assert found.primary.interval == "repeated"


def test_figures_are_complete_and_plain() -> None:
    found = final(leads()).figures()
    assert {"p_value", "lift", "srm_p", "guardrails_not_held", "adverse_effects"} <= set(found)
    assert all(value is None or np.isfinite(value) for value in found.values())
    assert found["chance_of_go_at_min_lift"] == pytest.approx(0.5, abs=0.01)
    assert None not in found.values()


# --- what is decided -----------------------------------------------------------------------------------------------


def test_go_needs_significance_a_lift_above_the_bar_and_guardrails() -> None:
    found = final(leads())
    assert found.decision.verdict == "go"
    # Four decimals would say 0.0000: that it cannot be chance.
    assert found.primary.p < 0.0001
    assert found.decision.reasons[0].startswith("p < 0.0001, below 0.05; lift +")
    assert found.primary.lift.value > 0.5
    assert found.primary.p < 0.05
    assert {guardrail.state for guardrail in found.guardrails} == {"holds"}


def test_significant_is_not_enough_for_the_plans_gate() -> None:
    """R27: kept literally."""
    found = final(leads((0.085, 0.06), seed=4))
    assert found.primary.p < 0.05
    assert found.primary.lift.value <= 0.5
    assert found.decision.verdict == "no-go"
    assert found.decision.reasons == (f"the lift is {found.primary.lift.value:+.0%}, not above +50%",)


def test_no_effect_is_no_go_at_the_end_and_continue_before() -> None:
    of = leads((0.06, 0.06))
    assert final(of).decision.verdict == "no-go"
    assert "not significant" in final(of).decision.reasons[0]
    assert interim(of).decision.verdict == "continue"


def test_harm_ends_the_test_at_any_look() -> None:
    found = interim(leads((0.03, 0.07)))
    assert found.decision.verdict == "no-go"
    assert any("lower boundary is crossed" in reason for reason in found.decision.reasons)
    assert found.figures()["adverse_effects"] >= 1


def test_harm_that_was_shown_is_not_made_good_by_what_matures_later() -> None:
    of = leads()
    early = replace(interim(of).look, information=0.5, z=-3.4, critical=2.96, as_of=START)
    found = analyse(of, replace(plan(of), taken=(early,)), END, OF)
    assert found.primary.lift.value > 0.5
    assert found.primary.p < 0.05
    assert found.decision.verdict == "no-go"


def test_a_final_look_after_harm_is_no_reading_of_its_own_and_its_gate_names_the_harm() -> None:
    """The lower boundary was crossed: nothing that is found now is a reason, for or against (R27, R28)."""
    of = leads((0.03, 0.07))
    early = replace(interim(of).look, information=0.5, as_of=START)
    found = analyse(leads(), replace(plan(leads()), taken=(early,)), END, OF)
    assert found.ended_by == found.decision.reasons
    assert len(found.ended_by) == len(early.harm) > 0
    assert all(reason.startswith(f"look 1, of {START}, showed harm: ") for reason in found.ended_by)
    assert found.figures()["adverse_effects"] == len(early.harm)
    assert analyse(leads(), plan(leads()), END, OF).figures()["adverse_effects"] == 0


def test_a_guardrail_that_showed_harm_at_the_interim_is_not_forgotten() -> None:
    """R40: every figure of the final look holds, and it is no go."""
    of = leads().copy()
    slow = (of["arm"] == "treatment") & of["dialled_on"].notna()
    of.loc[slow, ["dialled_on", "converted_on"]] += pd.Timedelta(days=2)
    early = replace(interim(of).look, information=0.5, as_of=START)
    assert early.harm == ("days from assignment to the first dial: treatment is worse by more than the margin",)
    found = analyse(leads(), replace(plan(leads()), taken=(early,)), END, OF)
    assert {one.state for one in found.guardrails} == {"holds"}
    assert found.decision.verdict == "no-go"
    assert found.decision.reasons == (f"look 1, of {START}, showed harm: {early.harm[0]}",)


def test_a_treatment_that_waits_longer_is_stopped_whatever_its_lift() -> None:
    """R40: time to first touch, more than 10 % worse beyond doubt."""
    of = leads().copy()
    slow = (of["arm"] == "treatment") & of["dialled_on"].notna()
    of.loc[slow, ["dialled_on", "converted_on"]] += pd.Timedelta(days=2)
    found = final(of)
    assert found.decision.verdict == "no-go"
    assert found.decision.reasons == (
        "days from assignment to the first dial: treatment is worse by more than the margin",
    )


def test_fewer_dials_of_the_treatment_are_not_waved_through() -> None:
    of = leads().copy()
    lost = of.index[(of["arm"] == "treatment") & of["dialled_on"].notna()][::13]
    of.loc[lost, ["dialled_on", "converted_on"]] = pd.NaT
    of.loc[lost, "dials"] = 0
    of.loc[lost, "adopted"] = False
    found = final(of)
    dials = found.guardrails[0]
    assert dials.state == "open"
    assert dials.bound < 0.9 < dials.ratio
    assert found.decision.verdict == "no-go"


def test_a_guardrail_holds_by_its_bound_not_by_its_ratio() -> None:
    """One-sided 95 % (R40), against the interval of a ratio of proportions at the two-sided 90 % level."""
    of = leads()
    conversion = final(of).guardrails[2]
    arms = [of[of["arm"] == arm] for arm in ("treatment", "control")]
    mqls = [int(rows["converted_on"].notna().sum()) for rows in arms]
    low, _ = confint_proportions_2indep(
        mqls[0], len(arms[0]), mqls[1], len(arms[1]), compare="ratio", method="log", alpha=0.1
    )
    assert conversion.bound == pytest.approx(low, rel=0.02)


# --- what is refused -----------------------------------------------------------------------------------------------


def test_a_sample_ratio_mismatch_stops_before_any_rate() -> None:
    """R28: not decision-ready, and nothing of an arm is computed."""
    of = leads()
    gone = set(of.loc[of["arm"] == "control", "crd"].drop_duplicates().iloc[::5])
    found = final(of[~of["crd"].isin(gone)])
    assert found.srm.advisors.p < 0.001
    assert (found.primary, found.look, found.guardrails) == (None, None, ())
    assert found.decision.verdict == "not decision-ready"
    assert "sample ratio mismatch" in found.decision.reasons[0]
    figures = found.figures()
    assert figures["srm_p"] < 0.001
    assert figures["lift"] is figures["p_value"] is figures["mqls_treatment"] is figures["guardrails_not_held"] is None


def test_a_mismatch_after_harm_asks_for_no_other_reading() -> None:
    """The harm has decided; what cannot be read now is no reason to read again (R40)."""
    of = leads().copy()
    early = replace(interim(leads((0.03, 0.07))).look, information=0.5, as_of=START)
    gone = set(of.loc[of["arm"] == "control", "crd"].drop_duplicates().iloc[::5])
    left = of[~of["crd"].isin(gone)]
    found = analyse(left, replace(plan(left), taken=(early,)), END, OF)
    assert found.srm.advisors.p < 0.001
    assert found.primary is None
    assert (found.decision.verdict, found.decision.reasons) == ("no-go", found.ended_by)
    assert found.figures()["adverse_effects"] == len(early.harm) > 0


def test_dials_that_one_arm_was_not_given_stop_before_any_rate() -> None:
    """R28: advisors are what was dealt; the capacity was not split as planned."""
    of = leads().copy()
    lost = of.index[(of["arm"] == "control") & of["dialled_on"].notna()][::5]
    of.loc[lost, ["dialled_on", "converted_on"]] = pd.NaT
    of.loc[lost, "dials"] = 0
    found = final(of)
    assert found.srm.advisors.p > 0.5
    assert found.figures()["srm_dials_p"] < 0.001
    assert (found.primary, found.look, found.guardrails) == (None, None, ())
    assert found.decision.verdict == "not decision-ready"
    assert f"{found.srm.dials.treatment} matured dials in treatment" in found.decision.reasons[0]


def test_before_a_planned_look_nothing_is_read() -> None:
    of = leads()
    with pytest.raises(LookNotDue):
        analyse(of, plan(of, 0.4), END, OF)


def test_too_few_mqls_are_not_judgeable() -> None:
    of = leads((0.012, 0.008), seed=5)
    found = final(of)
    assert min(found.primary.treatment.mqls, found.primary.control.mqls) < 20
    assert found.figures()["lift"] is None
    assert found.decision.verdict == "no-go"
    assert "not judgeable" in found.decision.reasons[0]
    assert found.figures()["p_value"] is None
    nothing = final(of.assign(converted_on=pd.NaT))
    assert nothing.look.z is None
    assert nothing.figures()["p_value"] is None
    assert nothing.decision.verdict == "no-go"


def test_a_look_that_was_not_judgeable_has_crossed_nothing() -> None:
    """A z of a dozen MQLs is far out; the p-value of the final look is the final look's."""
    of = leads()
    converts = of["converted_on"].notna()
    kept = converts & (of["arm"] == "treatment") & (converts.cumsum() < 90)
    few = of.assign(converted_on=of["converted_on"].where(kept))
    early = interim(few)
    assert abs(early.primary.z) > early.primary.critical
    assert early.decision.verdict == "continue"
    assert (early.primary.p, early.look.z, early.look.harm) == (None, None, ())
    taken = replace(plan(of), taken=(replace(early.look, information=0.5, as_of=START),))
    found = analyse(of, taken, END, OF).primary
    assert found.deciding_z == found.z
    assert found.interval == "stage-wise"


def test_days_that_are_not_known_yet_are_refused() -> None:
    of = leads()
    with pytest.raises(InputError, match="not known yet"):
        analyse(of, plan(of, 0.1), date(2025, 12, 1), OF)


def test_an_outcome_before_assignment_is_refused_by_the_readout_too() -> None:
    of = leads().copy()
    of.loc[0, "converted_on"] = pd.Timestamp(START) - pd.Timedelta(days=3)
    with pytest.raises(InputError, match="lead L0000000 had its outcome before it could be queued"):
        final(of)
