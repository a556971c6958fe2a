"""What became of scored leads, and drift: the monthly looks as their panels tell them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadscore_v6.dashboard.page import Chart, Folded, State
from leadscore_v6.dashboard.render import render_page
from leadscore_v6.dashboard_panels.assemble import page_of
from tests.dashboard.sound import assert_sound
from tests.dashboard_panels.story import TODAY, Story

DRIFT, PERFORMANCE = "feature_drift_v6", "model_performance_v6"
BINS = [
    {"bin": "NY", "training": 0.5, "now": 0.2, "psi": 0.2},
    {"bin": "other", "training": 0.5, "now": 0.8, "psi": 0.3},
]


def features(*alerting: str) -> list[dict[str, object]]:
    """Rows as the ledger has them, the largest first."""
    return [
        {"feature": name, "psi": 0.4 if name in alerting else 0.02, "null_quantile": 0.05, "adjusted_p": 0.001,
         "alerts": int(name in alerting)}
        for name in (*alerting, "Number_IAReps", "score")
    ]  # fmt: skip


def month(
    story: Story,
    day: str = "20260301",
    *alerting: str,
    shifts: object = None,
    model: str = "1",
    **figures: float | None,
) -> None:
    """Drift as of a day."""
    facts = {"largest": features(*alerting), "drifted": list(alerting), "shifts": shifts or {}, "model_version": model}
    measured = {"max_psi": 0.4 if alerting else 0.02, "drift_leads": 5000, "features_drifted": len(alerting),
                "score_psi": 0.01}  # fmt: skip
    story.attempt(DRIFT, day, facts, **(measured | figures))


def matured(story: Story, day: str = "20260301", model: str = "1", **figures: float | None) -> None:
    """What the model was worth as of a day."""
    tenths = [{"expected": 0.01 * place, "observed": 0.012 * place, "leads": 500} for place in range(1, 11)]
    measured = {"matured_leads": 5000, "expected_observed": 0.98, "expected_observed_low": 0.9,
                "expected_observed_high": 1.09, "average_precision": 0.3, "average_precision_low": 0.26,
                "auc_roc": 0.87, "auc_expected": 0.86, "auc_drop": -0.01, "auc_drop_low": -0.03, "ece": 0.004,
                "lift": 5.7}  # fmt: skip
    found = measured | figures
    drop, surely = found["auc_drop"], found["auc_drop_low"]
    dropped = None if drop is None or surely is None else int(drop > 0.05 and surely > 0)
    row = {**found, "leads": found["matured_leads"], "mqls": 21, "dropped": dropped}
    facts = {"basis": "dialled leads", "model_version": model, "reliability": tenths, "row": row,
             "cohort_from": "2025-11-01", "cohort_to": "2026-01-29"}  # fmt: skip
    story.attempt(PERFORMANCE, day, facts, **found)


# --- drift ----------------------------------------------------------------------------------------------------------


def test_a_quiet_month_is_healthy() -> None:
    story = Story()
    month(story)
    panel = story.panel("drift")
    assert panel.verdict.state is State.HEALTHY
    assert panel.verdict.says == (
        "Over 5,000 leads the largest PSI is 0.02; 0 features have drifted, the score's PSI is 0.01."
    )


def test_what_drifted_is_named_and_marked() -> None:
    story = Story()
    month(story, "20260301", "Branch_State")
    panel = story.panel("drift")
    assert panel.verdict.state is State.LOOK
    assert "Beyond chance: Branch_State." in panel.verdict.says
    (chart,) = [block for block in panel.blocks if isinstance(block, Chart)]
    assert [dot.mark for dot in chart.drawing.dots] == ["s1-flagged", "s1", "s1"]
    assert chart.table.rows[0] == ("Branch_State", "0.400", "0.050", "0.0010", "alert")


def test_months_make_a_line_and_old_ones_are_looked_at() -> None:
    story = Story()
    for day in ("20260101", "20260201", "20260301"):
        month(story, day)
    titles = [block.title for block in story.panel("drift").blocks if isinstance(block, Chart)]
    assert titles[-1] == "Largest PSI, month by month"
    # As old as Dagster's freshness policy lets it grow: 768 hours are 32 days.
    assert story.panel("drift", as_of=TODAY + timedelta(days=31)).verdict.state is not State.LOOK
    late = story.panel("drift", as_of=TODAY + timedelta(days=32))
    assert late.verdict.state is State.LOOK
    assert "Drift is not judged any more: the newest is of 2026-03-01, 33 days before 2026-04-03" in late.verdict.says


def test_a_level_of_a_feed_is_a_text_wherever_it_stands() -> None:
    story = Story()
    hostile = "<script>alert('NY')</script>"
    month(story, "20260301", "Branch_State", shifts={"Branch_State": [{**BINS[0], "bin": hostile}, BINS[1]]})
    (folded,) = [
        block for block in story.panel("drift").blocks if isinstance(block, Folded) and "moved" in block.summary
    ]
    assert folded.tables[0].rows[0] == (hostile, "50.0\u00a0%", "20.0\u00a0%", "0.200")
    page = assert_sound(render_page(page_of(story.home())))
    assert hostile in {one.to_text() for one in page.query("#drift th")}


def test_a_month_of_too_few_leads_says_so() -> None:
    story = Story()
    facts = {"largest": [{**row, "psi": None} for row in features()], "drifted": [], "shifts": {}, "model_version": "1"}
    story.attempt(DRIFT, "20260301", facts, max_psi=None, drift_leads=12)
    panel = story.panel("drift")
    assert panel.verdict.state is State.NOT_YET
    assert panel.verdict.says == "12 leads are too few to judge drift by."
    assert [block for block in panel.blocks if isinstance(block, Chart)] == []


# --- what became of scored leads ------------------------------------------------------------------------------------


def served_by(*versions: str) -> Story:
    """An extract, and models that became champion one after the other."""
    story = Story()
    story.extract()
    for version in versions:
        story.model(version)
    return story


@pytest.mark.parametrize(
    ("panel", "command"),
    [("health", "`leadscore score --data FOLDER`"), ("drift", "`leadscore monitor monthly`"),
     ("calibration", "`leadscore monitor`")],
)  # fmt: skip
def test_what_was_judged_of_the_former_model_is_no_verdict_about_the_one_that_serves(panel: str, command: str) -> None:
    story = served_by("20260101")
    story.snapshot()
    story.day("20260302")
    month(story, model="20260101")
    matured(story, model="20260101")
    assert story.panel(panel).verdict.state is State.HEALTHY
    story.model("20260225")
    verdict = story.panel(panel).verdict
    assert verdict.state is State.LOOK
    assert "of model 20260101, and 20260225 serves since 2026-03-01" in verdict.says
    assert verdict.do == command
    # Back to the one that they are about.
    story.model("20260101")
    assert story.panel(panel).verdict.state is State.HEALTHY


def test_a_week_that_was_held_against_the_former_models_training_is_told() -> None:
    story = served_by("20260101")
    matured(story, model="20260101")
    week = {"week": "2026-01-12", "leads": 1000, "positives": 30, "rate": 0.03, "relative_change": 0.0, "p_value": 1.0,
            "judgeable": True, "alerts": False}  # fmt: skip
    facts = {"model_version": "20251001", "as_of": "2026-03-02", "training_rate": 0.03, "weeks": [week]}
    story.attempt("class_balance_v6", facts=facts)
    verdict = story.panel("calibration").verdict
    assert verdict.state is State.LOOK
    assert verdict.says == (
        "Class balance was judged of model 20251001, and 20260101 serves since 2026-03-01."
    )


def test_a_model_that_keeps_its_word_is_healthy_and_its_tenths_are_drawn() -> None:
    story = Story()
    matured(story)
    panel = story.panel("calibration")
    assert panel.verdict.state is State.HEALTHY
    assert "Of 5,000 matured leads (dialled leads) expected over observed conversions is 0.98 (0.90 to 1.09)" in (
        panel.verdict.says
    )
    charts = [block for block in panel.blocks if isinstance(block, Chart)]
    assert [len(chart.drawing.dots) for chart in charts] == [10, 1]
    assert charts[0].table.rows[-1] == ("10", "500", "10.0\u00a0%", "12.0\u00a0%")


@pytest.mark.parametrize(
    ("figures", "says", "gate"),
    [
        (
            {"expected_observed": 1.4, "expected_observed_low": 1.2, "expected_observed_high": 1.6},
            "It ranks as promised, and fewer leads convert than it says",
            "performance_expected_not_above",
        ),
        (
            {"expected_observed": 0.7, "expected_observed_low": 0.6, "expected_observed_high": 0.8},
            "It ranks as promised, and more leads convert than it says",
            "performance_expected_not_below",
        ),
        (
            {"auc_roc": 0.66, "auc_drop": 0.2, "auc_drop_low": 0.1},
            "The model ranks worse than it promises: AUC 0.660, 0.860 was promised",
            "performance_as_promised",
        ),
    ],
)
def test_a_promise_that_is_not_kept_is_looked_at(figures: dict[str, float], says: str, gate: str) -> None:
    story = Story()
    matured(story, **figures)
    panel = story.panel("calibration")
    assert panel.verdict.state is State.LOOK
    assert panel.verdict.says.startswith(says)
    assert panel.verdict.says.endswith(f"; warned: {gate}.")


def test_too_few_conversions_are_no_verdict_about_the_model() -> None:
    story = Story()
    none = dict.fromkeys(("expected_observed", "expected_observed_low", "expected_observed_high", "average_precision",
                          "average_precision_low", "auc_roc", "auc_expected", "auc_drop", "auc_drop_low", "ece",
                          "lift"))  # fmt: skip
    matured(story, matured_leads=40, **none)
    panel = story.panel("calibration")
    assert panel.verdict.state is State.NOT_YET
    assert panel.verdict.says == "Not judgeable: 40 matured leads (dialled leads) with 21 calls are too few."
    assert any("not measured" in figure.value for block in panel.blocks for figure in getattr(block, "figures", ()))


def test_a_figure_without_an_interval_is_no_verdict_about_the_model() -> None:
    story = Story()
    none = dict.fromkeys(("expected_observed_low", "expected_observed_high", "auc_drop_low"))
    matured(story, expected_observed=1.9, auc_roc=0.6, auc_drop=0.2, **none)
    verdict = story.panel("calibration").verdict
    assert verdict.state is State.NOT_YET
    assert verdict.says == "Too few calls for an interval (21): AUC 0.600, 0.860 was promised."


def test_a_warning_that_cannot_be_judged_yet_stops_nothing() -> None:
    story = Story()
    none = dict.fromkeys(("expected_observed", "expected_observed_low", "expected_observed_high", "auc_roc"))
    matured(story, **none)
    panel = story.panel("gates")
    assert panel.verdict.state is State.NOT_YET
    assert panel.verdict.says.endswith(
        "these warn and cannot be judged yet: performance_expected_not_above, performance_expected_not_below."
    )
    (odd, *_) = panel.blocks
    assert {row[-1] for row in odd.rows} == {"not judgeable"}
    # One that stops, stops: in capitals.
    story.attempt("production_scores_v6", "20260302", {"model_version": "1"}, success_rate=None)
    panel = story.panel("gates")
    assert panel.verdict.state is State.STOPPED
    assert panel.verdict.says.endswith("gates stop what follows: production_success_rate.")
    assert "NOT JUDGEABLE" in {row[-1] for row in panel.blocks[0].rows}


def test_a_month_that_is_not_judged_any_more_is_told() -> None:
    story = Story()
    matured(story, "20260101")
    panel = story.panel("calibration")
    assert panel.verdict.state is State.LOOK
    assert "Performance is not judged any more: the newest is of 2026-01-01, 60 days before 2026-03-02" in (
        panel.verdict.says
    )
