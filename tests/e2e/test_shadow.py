"""Step 5.1 on a model: scores that are training's own, gates that hold, days that are replaced, refused, or missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.model.data import contract_version, reason_words
from leadscore_v6.assets.shadow import data
from leadscore_v6.assets.shadow import scores as score_steps
from leadscore_v6.errors import GateBlocked, InputError
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.models import folder_of, manifest_digest
from leadscore_v6.gates.steps import STEPS
from leadscore_v6.partitions import days, register
from leadscore_v6.resources import WarehouseResource
from leadscore_v6.settings import from_environment
from tests.e2e.model_world import Modelled
from tests.e2e.process import leadscore
from tests.e2e.sabotage import (
    GATES,
    REBUILD,
    Product,
    Ran,
    SabotagedWarehouse,
    one_of_each_asset,
    require_each_is_made_to_fail,
)
from tests.e2e.shadow_cases import CASES, SCORES, SERVING, SHADOW, WARNING, Case

EACH = one_of_each_asset(CASES)
LAST = date(2025, 11, 4)
WEEK = [f"{LAST - timedelta(days=back):%Y%m%d}" for back in reversed(range(7))]
DAY = WEEK[0]
# Before the newest snapshot, and its leads are in the training set.
EARLIER = "20250915"


@pytest.fixture(scope="module")
def shadowed(modelled: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, Ran]]:
    """A home with a model and seven days of its shadow scores; and what came of six of them before."""
    home = tmp_path_factory.mktemp("shadow") / "home"
    shutil.copytree(modelled.home, home, ignore=shutil.ignore_patterns("dagster"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LEADSCORE_HOME": home, "LEADSCORE_DATA": modelled.feed, "LEADSCORE_THREADS": "1"}.items():
            patch.setenv(name, str(value))
        made = Product(from_environment(), [], {})
        register(made.instance, days, [*WEEK, EARLIER, "20251106"])
        assert made.materialize([SERVING], None).stops == []
        for day in WEEK[1:]:
            assert made.materialize([SCORES], day).stops == []
        with_a_gap = made.materialize([SHADOW], None)
        assert made.materialize([SCORES], WEEK[0]).stops == []
        assert made.materialize([SHADOW], None).stops == []
        yield made, with_a_gap


@pytest.fixture
def product(shadowed: tuple[Product, Ran]) -> Product:
    return shadowed[0]


def scores(product: Product, day: str) -> pd.DataFrame:
    with product.open_by_hand(read_only=True) as connection:
        sql = f"SELECT * FROM LeadScoring.{SCORES} WHERE score_date = strptime('{day}', '%Y%m%d')::DATE ORDER BY Id"
        return connection.execute(sql).df()


def run(product: Product, case: Case) -> Ran:
    warehouse = SabotagedWarehouse(table=case.asset, select=case.select) if case.select else WarehouseResource()
    with case.patch():
        return product.materialize([case.asset], DAY, REBUILD, warehouse)


# --- beside the champion ----------------------------------------------------------------------------------------------


class Halved:
    """A champion who thinks half as much of every lead."""

    def __init__(self, honest: Any) -> None:
        self.honest = honest

    def score_leads(self, frame: pd.DataFrame) -> pd.DataFrame:
        found = self.honest.score_leads(frame)
        return found.assign(probability=found["probability"] / 2)


def test_every_scored_lead_has_the_champions_score_on_the_same_features(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one the column is empty, and the report says so: the baseline stands in."""
    before = scores(product, DAY)
    assert before["champion_probability"].isna().all()
    assert product.ledger.latest(SCORES, DAY).facts["champion"] == "none"
    assert "No model is in production yet" in report(product)
    loaded = score_steps.load_model
    reign = SimpleNamespace(model="of another day", digest="d", version="20240101")
    with monkeypatch.context() as patch:
        for module in (score_steps, data):
            patch.setattr(module, "champion_beside", lambda bench, known: reign)
        patch.setattr(score_steps, "load_model", lambda bench, known, top: champion_of(loaded, bench, known, top))
        assert product.materialize([SCORES], DAY).stops == []
        assert product.materialize([SHADOW], None).stops == []
        found = scores(product, DAY)
        scored = found["outcome"] == "scored"
        assert scored.sum() > 10
        assert (found.loc[scored, "champion_probability"] == found.loc[scored, "probability"] / 2).all()
        assert found.loc[~scored, "champion_probability"].isna().all()
        pd.testing.assert_series_equal(found["probability"], before["probability"])
        assert f"Beside the champion `20240101`, {scored.sum()} leads" in report(product)
        # One that this program cannot read any more is no reason to stop the other's days.
        patch.setattr(score_steps, "load_model", lambda bench, known, top: gone(loaded, bench, known, top))
        assert product.materialize([SCORES], DAY).stops == []
        assert product.materialize([SHADOW], None).stops == []
        found = scores(product, DAY)
        assert found["champion_probability"].isna().all()
        pd.testing.assert_series_equal(found["probability"], before["probability"])
        assert "`20240101` cannot be loaded any more, and scored no lead of these days: another contract" in report(
            product
        )
    assert product.materialize([SCORES], DAY).stops == []
    assert product.materialize([SHADOW], None).stops == []


def champion_of(loaded: Callable[..., Any], bench: Any, known: Any, top: int) -> Any:
    """Of another day: the same model, halved."""
    if known != "of another day":
        return loaded(bench, known, top)
    honest = loaded(bench, data.newest_model(bench), top)
    return replace(honest, scorer=Halved(honest.scorer))


def gone(loaded: Callable[..., Any], bench: Any, known: Any, top: int) -> Any:
    """Of another day: cannot be loaded."""
    if known == "of another day":
        raise InputError("another contract")
    return loaded(bench, known, top)


def report(product: Product) -> str:
    version = product.ledger.latest(SHADOW).version
    return (Path(product.settings.artifacts) / f"shadow_scoring_report_v6_{version}.md").read_text()


# --- what it scores ---------------------------------------------------------------------------------------------------


def test_a_lead_scores_in_shadow_as_its_own_training_row_does(product: Product) -> None:
    """To the last bit, on the training set that steps 3.1 to 3.3 made of the same leads: no skew between the two."""
    assert product.materialize([SCORES], EARLIER).stops == []
    found = scores(product, EARLIER).set_index("Id")
    with product.open_by_hand(read_only=True) as connection:
        training = connection.execute(
            "SELECT * FROM LeadScoring.v_latest_training_dataset_v6 WHERE contact_date = DATE '2025-09-15' ORDER BY Id"
        ).df()
    calibrated = product.ledger.latest("calibrated_model")
    folder = FolderStore(product.settings.model_folders).path(folder_of(calibrated))
    scorer = load_scorer(folder, manifest_digest(calibrated), calibrated.version, reason_words(), contract_version())
    assert len(training) > 5
    expected = pd.Series(scorer.score_leads(training)["probability"].to_numpy(), index=training["Id"])
    assert found.loc[expected.index, "probability"].tolist() == expected.tolist()
    assert set(found["features_from"]) == {"point in time"}
    assert (found["rep_snapshot_at"].dropna() < "2025-09-15").all()


def test_each_lead_of_the_week_ends_as_the_extract_says(product: Product, modelled: Modelled) -> None:
    """By the file itself: who has a CRD is scored, who has none is skipped, and nobody else is there."""
    leads = pd.read_csv(modelled.feed / "Lead.csv", dtype=str)
    arrived = pd.to_datetime(leads["Stage_Entered_Contacting__c"], utc=True, format="mixed").dt.strftime("%Y%m%d")
    seen = 0
    for day in WEEK:
        expected, found = leads[arrived == day], scores(product, day)
        assert sorted(found["Id"]) == sorted(expected["Id"])
        seen += len(found)
    assert seen > 50
    everything = pd.concat([scores(product, day) for day in WEEK])
    skipped = everything[everything["outcome"] == "skipped"]
    assert set(skipped["why"]) == {"no valid CRD"}
    assert skipped["probability"].isna().all()
    unmatched = everything[(everything["outcome"] == "scored") & everything["rep_snapshot_at"].isna()]
    assert unmatched["warnings"].str.startswith("no snapshot knows this advisor").all()
    assert len(unmatched) > 0
    assert set(everything["features_from"]) == {"serving copy"}


def test_a_day_scored_again_is_replaced_and_scores_the_same(product: Product) -> None:
    before, rows = product.ledger.latest(SCORES, DAY), scores(product, DAY)
    assert product.materialize([SCORES], DAY).materialized == [SCORES]
    assert product.ledger.latest(SCORES, DAY).key == before.key, "recognised"
    assert product.materialize([SCORES], DAY, REBUILD).stops == []
    again = product.ledger.latest(SCORES, DAY)
    assert again.key != before.key
    # The time that each took is another, and is in no digest.
    assert again.facts["scores_sha256"] == before.facts["scores_sha256"]
    pd.testing.assert_frame_equal(scores(product, DAY).drop(columns="latency_ms"), rows.drop(columns="latency_ms"))


def test_a_day_without_leads_is_a_day_with_no_rows_and_says_so(product: Product) -> None:
    assert len(scores(product, WEEK[-1])) == 0
    assert product.ledger.latest(SCORES, WEEK[-1]).state == "published"
    report = product.settings.artifacts / WEEK[-1] / "shadow_day_report.md"
    assert "**No lead entered Contacting on 2025-11-04.**" in report.read_text()


def test_a_day_after_the_extract_is_refused(product: Product) -> None:
    (stop,) = product.materialize([SCORES], "20251106").stops
    assert stop.exit_code == 2
    assert "2025-11-06 lies after the CRM extract (2025-11-04)" in stop.message
    assert product.ledger.latest(SCORES, "20251106") is None


def test_an_altered_serving_file_scores_nobody(product: Product) -> None:
    attempt = product.ledger.latest(SERVING)
    (folder,) = (name for name in attempt.outputs if name.startswith("artifacts/"))
    file = FolderStore(product.settings.model_folders).path(folder) / "advisors.sqlite"
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        (stop,) = product.materialize([SCORES], DAY, REBUILD).stops
        assert stop.exit_code == 2
        assert "advisors.sqlite was altered" in stop.message
    finally:
        file.write_bytes(content)
    assert product.materialize([SCORES], DAY, REBUILD).stops == []


# --- its gates --------------------------------------------------------------------------------------------------------


def test_every_gate_of_the_step_has_a_case() -> None:
    mine = {name for name, gate in GATES.items() if gate["asset"] in (SERVING, SCORES, SHADOW)}
    require_each_is_made_to_fail(EACH, mine - {WARNING.gate, "shadow_seven_days"})


@pytest.mark.parametrize("case", EACH)
def test_gate_holds(case: Case, product: Product) -> None:
    published, rows = dict(product.ledger.published()), scores(product, DAY)
    ran = run(product, case)
    assert ran.failed_checks == {case.gate, *case.also}
    (stop,) = ran.stops
    assert stop.exit_code == 3
    assert case.gate in stop.message
    assert stop.report is not None
    assert "🛑 FAILED" in stop.report.read_text()
    # Nothing is published, and what was is served.
    assert product.ledger.published() == published
    pd.testing.assert_frame_equal(scores(product, DAY), rows)
    refuses_later(case, product)
    mended = product.materialize([case.asset], DAY, REBUILD)
    assert mended.stops == []
    assert mended.materialized == [case.asset]


def refuses_later(case: Case, product: Product) -> None:
    """Whoever asks, in every later run: what is made from it, and what uses it as it is."""
    later = [name for name, step in STEPS.items() if case.asset in step.before]
    for name in later:
        if case.asset == SCORES:
            # A failed day is a day that is missing.
            (stop,) = product.materialize([name], None).stops
            assert "shadow_seven_days" in stop.message
            assert "2025-10-29" in stop.report.read_text()
        else:
            with pytest.raises(GateBlocked, match=case.gate):
                guard(product.ledger, name, WEEK[1] if STEPS[name].partitioned else None)


def test_a_stress_that_fails_is_told_and_stops_nothing(product: Product) -> None:
    ran = run(product, WARNING)
    assert ran.stops == []
    assert [name for name, check in ran.checks.items() if not check.passed] == [WARNING.gate]
    assert product.materialize([SHADOW], None, REBUILD).stops == []


def test_a_gap_in_the_seven_days_fails_and_names_the_day(shadowed: tuple[Product, Ran]) -> None:
    _, with_a_gap = shadowed
    assert "shadow_seven_days" in with_a_gap.failed_checks
    (stop,) = with_a_gap.stops
    assert stop.exit_code == 3
    assert "**Not seven days in a row: 2025-10-29 (never scored).**" in stop.report.read_text()


# --- as a user runs it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--day", "2025-11-30"], "lies after the CRM extract"),
        (["--day", "2025-11-01", "--days", "3"], "give one of them"),
        (["--day", "yesterday"], "not a day of the form"),
    ],
)
def test_the_command_refuses_what_cannot_be_scored(product: Product, arguments: list[str], says: str) -> None:
    done = leadscore("shadow", "--home", product.settings.home, *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_the_command_refuses_a_home_where_nothing_was_landed(tmp_path: Path) -> None:
    done = leadscore("shadow", "--home", tmp_path / "none")
    assert done.returncode == 2


def test_the_command_scores_and_status_shows_it(product: Product) -> None:
    done = leadscore("shadow", "--home", product.settings.home, "--days", "1", LEADSCORE_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert "shadow scoring" in done.stdout
    status: Any = leadscore("status", "--home", product.settings.home)
    assert "shadow_seven_days" in status.stdout
    assert "shadow_no_skew" in status.stdout
