"""From a feed to a backtested model, and what can be asked of it, through the command line in a process of its own."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.model.data import contract_version, reason_words
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.models import folder_of, known_models, manifest_digest
from leadscore_v6.settings import Settings, from_environment
from leadscore_v6.warehouse.engines import open_warehouse
from tests.e2e.model_world import Modelled, deal_at_random
from tests.e2e.personal import Personal
from tests.e2e.process import in_an_own_interpreter, leadscore
from tests.e2e.test_dagster_cli import materialize

# The plan's files of steps 4.1, 4.3 and 4.4, and the model card (issue 4).
FILES = """
model_v6_{v}.pkl model_v6_baseline_logit_{v}.pkl feature_importance_v6_{v}.csv feature_order_v6_{v}.json
cv_fold_indices_v6_{v}.json selected_features_v6_{v}.json model_v6_calibrated_{v}.pkl business_impact_metrics_v6_{v}.csv
""".split()
REPORTS = """
model_training_report feature_selection_report calibration_report shap_feature_comparison_report backtesting_report
performance_validation_report overfitting_analysis model_card
""".split()
PLOTS = """
model_training_report_v6_{v}_precision_recall model_training_report_v6_{v}_lift model_training_report_v6_{v}_folds
calibration_report_v6_{v}_reliability shap_feature_comparison_report_v6_{v}_shap_summary backtesting_report_v6_{v}_folds
""".split()


@dataclass(frozen=True)
class Home:
    """A feed with its truth, and the home in which it was run through to a backtested model."""

    feed: Path
    truth: Path
    home: Path

    @property
    def settings(self) -> Settings:
        return from_environment({}, home=self.home)

    @property
    def version(self) -> str:
        """Of the oldest model: the one that the world was first run through to."""
        return known_models(read_ledger(self.settings)[0])[-1].version

    def found(self, name: str) -> Path:
        """The one file of that name anywhere below artifacts/."""
        (path,) = (self.home / "artifacts").rglob(name)
        return path


@pytest.fixture(scope="module")
def whole(modelled: Modelled) -> Home:
    """Nobody may change it."""
    return Home(modelled.feed, modelled.truth, modelled.home)


@pytest.fixture
def own(modelled: Modelled, tmp_path: Path) -> Home:
    """A copy to be spoiled."""
    feed, home = (Path(shutil.copytree(part, tmp_path / part.name)) for part in (modelled.feed, modelled.home))
    return Home(feed, modelled.truth, home)


# --- what is made ---------------------------------------------------------------------------------------------------


def test_every_file_of_the_plan_is_there_and_opens(whole: Home) -> None:
    version = whole.version
    for name in FILES:
        path = whole.found(name.format(v=version))
        if path.suffix == ".json":
            assert json.loads(path.read_text())
        elif path.suffix == ".csv":
            assert len(pd.read_csv(path)) >= 5
        else:
            assert pickle.loads(path.read_bytes())  # noqa: S301 - made by the run above
    for name in REPORTS:
        text = whole.found(f"{name}_v6_{version}.md").read_text()
        assert text.startswith("# Step 4.")
        assert "**SYNTHETIC DATA.**" in text
        assert "STATUS: ✅ SUCCESS" in text
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
            assert (whole.home / "artifacts" / picture).is_file()
    for name in PLOTS:
        assert whole.found(f"{name.format(v=version)}.png").read_bytes().startswith(b"\x89PNG")


def test_the_first_lines_say_what_it_is_worth(whole: Home) -> None:
    text = whole.found(f"model_training_report_v6_{whole.version}.md").read_text()
    head = text.partition("## Gates")[0]
    assert re.search(r"average CV AUC-PR \(average precision\) is \*\*0\.\d{3}\*\*; the plan asks for more", head)
    assert re.search(r"\*\*0\.\d{3} \(0\.\d{3} to 0\.\d{3}, 95 %\)\*\*", head)
    assert "logistic regression" in head


@pytest.fixture(scope="module")
def personal(whole: Home) -> Personal:
    """What the feed says of persons."""
    return Personal(whole.feed.glob("RIARepDataFeed_*.csv"))


def test_nothing_that_was_made_holds_a_name_an_address_or_an_email(whole: Home, personal: Personal) -> None:
    assert {kind for kind, values in personal.values.items() if len(values) > 500} >= {"name", "address", "e-mail"}
    read = [path for path in (whole.home / "artifacts").rglob("*") if path.is_file() and path.suffix != ".png"]
    assert {path.suffix for path in read} >= {".md", ".csv", ".json", ".pkl", ".ubj"}
    assert {str(path): kinds for path in read if (kinds := personal.found_in(path.read_bytes()))} == {}


@pytest.mark.parametrize("kind", ["name", "address", "e-mail", "page"])
def test_one_that_did_would_be_seen(personal: Personal, kind: str) -> None:
    for value in sorted(personal.values[kind])[:200]:
        for content in (
            f"Called {value}, twice.".encode(),
            f"1,{value},0.5\n".encode(),
            json.dumps({"note": value}).encode(),
            pickle.dumps([value, {"of": value.upper()}]),
        ):
            assert kind in personal.found_in(content), value


def test_training_again_on_the_same_builds_nothing(own: Home) -> None:
    again = leadscore("train", "--home", own.home)
    assert again.returncode == 0, again.stderr
    for asset in ("trained_model", "calibrated_model", "backtest"):
        assert f"{asset}: gates hold (known, nothing built)" in again.stderr
    assert f"model_card_v6_{own.version}.md" in again.stdout


# That no thread changes the bytes is tried on the fit itself in tests/modeling/test_training.py; here, by the command.
@pytest.mark.prove
def test_a_rebuild_gives_the_same_bytes_under_a_new_name_with_any_number_of_threads(own: Home) -> None:
    version = own.version
    done = in_an_own_interpreter("train", "--home", own.home, "--rebuild", LEADSCORE_THREADS="1")
    assert done.returncode == 0, done.stderr
    # Long work says what it is at.
    assert re.search(r"the model: \d+ leads, \d+ positive, \d+ rounds", done.stderr)
    for name in ("model_v6_{}.ubj", "model_v6_calibrated_{}.ubj", "cv_fold_indices_v6_{}.json"):
        assert own.found(name.format(version)).read_bytes() == own.found(name.format(f"{version}_2")).read_bytes()


# --- what can be asked ----------------------------------------------------------------------------------------------


def test_why_a_lead_scores_as_it_does(whole: Home) -> None:
    holdout = json.loads(whole.found(f"cv_fold_indices_v6_{whole.version}.json").read_text())["holdout"]
    answers = [json.loads(leadscore("why", lead, "--home", whole.home, "--json").stdout) for lead in holdout[:3]]
    with open_warehouse(whole.settings, read_only=True) as warehouse:
        frame = warehouse.frame("SELECT * FROM `LeadScoring.v_latest_training_dataset_v6`").set_index("Id", drop=False)
    (model,) = known_models(read_ledger(whole.settings)[0])
    folder = whole.home / folder_of(model.calibrated)
    scorer = load_scorer(folder, manifest_digest(model.calibrated), model.version, reason_words(), contract_version())
    batch = scorer.predict_proba(frame.loc[holdout[:3]])[:, 1]
    # To the bit: one lead through the command, the same through the batch.
    assert [answer["probability"] for answer in answers] == batch.tolist()
    for answer in answers:
        assert 1 <= answer["rank"] <= 100
        assert 1 <= len(answer["reasons"]) <= 5
        assert answer["in_sample"] == ""
        assert answer["model"]["version"] == model.version
    told = leadscore("why", holdout[0], "--home", whole.home)
    assert told.returncode == 0, told.stderr
    assert all(reason["text"] in told.stdout for reason in answers[0]["reasons"])


def test_a_lead_too_young_to_train_on_is_scored_and_one_trained_on_is_marked(whole: Home) -> None:
    with open_warehouse(whole.settings, read_only=True) as warehouse:
        (staging,) = (n for n in warehouse.names("LeadScoring") if n.startswith("step_3_1_staging_join_v6"))
        (young,) = warehouse.query(
            f"SELECT MAX(Id) AS Id FROM `LeadScoring.{staging}` WHERE contact_date = "
            f"(SELECT MAX(contact_date) FROM `LeadScoring.{staging}`)"
        )
    answer = json.loads(leadscore("why", young["Id"], "--home", whole.home, "--json").stdout)
    assert "too young" in answer["features_from"]
    trained = json.loads(whole.found(f"cv_fold_indices_v6_{whole.version}.json").read_text())["training"][0]
    assert "trained on" in json.loads(leadscore("why", trained, "--home", whole.home, "--json").stdout)["in_sample"]


def test_a_lead_that_is_not_there(whole: Home) -> None:
    said = leadscore("why", "00Q000000000000AAA", "--home", whole.home)
    assert said.returncode == 2
    assert "There is no lead '00Q000000000000AAA'" in said.stderr


def test_models_are_listed_and_shown(whole: Home) -> None:
    (line,) = json.loads(leadscore("model", "list", "--home", whole.home, "--json").stdout)
    assert (line["version"], line["state"], line["stopped_by"]) == (whole.version, "validated", "")
    assert line["cv_auc_pr"] > 0.15
    assert whole.version in leadscore("model", "list", "--home", whole.home).stdout
    shown = leadscore("model", "show", "--home", whole.home)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("as published") == 3
    assert "model_cv_auc_pr" in shown.stdout


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def alter(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        # The others are tried on a folder of two small files too, in tests/artifacts/test_manifest.py.
        pytest.param(truncate, "bytes where", id="truncated", marks=pytest.mark.prove),
        pytest.param(alter, "was altered", id="altered"),
        pytest.param(Path.unlink, "is missing", id="missing", marks=pytest.mark.prove),
    ],
)
def test_a_tampered_model_is_refused_before_it_is_read(own: Home, spoil: object, says: str) -> None:
    name = f"model_v6_calibrated_{own.version}.ubj"
    lead = json.loads(own.found(f"cv_fold_indices_v6_{own.version}.json").read_text())["holdout"][0]
    spoil(own.found(name))
    said = leadscore("why", lead, "--home", own.home)
    assert said.returncode == 2
    assert name in said.stderr
    assert says in said.stderr
    shown = leadscore("model", "show", "--home", own.home).stdout
    assert f"NOT AS PUBLISHED: {name} " in shown
    again = leadscore("train", "--home", own.home)
    assert again.returncode == 2
    assert name in again.stderr


def test_a_pickle_is_never_loaded(own: Home) -> None:
    """Were it read, this one would end the process."""
    bomb = b"cos\n_exit\n(I99\ntR."
    (folder,) = (own.home / "artifacts").glob("calibrated_model_v6_*")
    manifest = (folder / "manifest.json").read_bytes()
    (folder / f"model_v6_calibrated_{own.version}.pkl").write_bytes(bomb)
    said = leadscore("why", "x", "--home", own.home)
    assert said.returncode == 2
    assert (folder / "manifest.json").read_bytes() == manifest
    assert "leadscore_v6/" not in _users_of_pickle()


def _users_of_pickle() -> str:
    """Modules of the product that could load a pickle."""
    root = Path(__file__).parents[2]
    loading = re.compile(r"pickle\.loads?\b|joblib|read_pickle|Unpickler")
    modules = (root / "leadscore_v6").rglob("*.py")
    return " ".join(str(file.relative_to(root)) for file in modules if loading.search(file.read_text()))


def test_a_model_that_nothing_can_be_learned_for_stops_and_everything_else_stays(own: Home) -> None:
    before = own.version
    good = (own.feed / "Lead.csv").read_bytes()
    deal_at_random(own.feed, own.truth)
    said = leadscore("run", "--data", own.feed, "--home", own.home, "--through", "model")
    assert said.returncode == 3
    assert re.search(r"model_cv_auc_pr \(step 4\.1\): cv_average_precision 0\.\d+.*must be > 0\.15", said.stderr)
    report = Path(re.search(r"report: (.+model_training_report.+)", said.stderr)[1])
    assert report.is_relative_to(own.home / "artifacts/failed")
    text = report.read_text()
    assert "STATUS: 🛑 FAILED" in text
    assert "**Nothing was promoted, and that is the product working.**" in text
    newest, older = json.loads(leadscore("model", "list", "--home", own.home, "--json").stdout)
    assert (newest["state"], older["state"]) == ("stopped at trained_model", "validated")
    assert "model_cv_auc_pr" in newest["stopped_by"]
    assert older["version"] == before
    # Nobody can go on from it; the model before it goes on answering.
    refused = materialize(own.home, "--select", "calibrated_model")
    assert refused.returncode != 0
    assert "calibrated_model may not start" in refused.stderr
    lead = json.loads(own.found(f"cv_fold_indices_v6_{before}.json").read_text())["holdout"][0]
    assert json.loads(leadscore("why", lead, "--home", own.home, "--json").stdout)["model"]["version"] == before
    # The data is mended: everything proceeds.
    (own.feed / "Lead.csv").write_bytes(good)
    mended = leadscore("run", "--data", own.feed, "--home", own.home, "--through", "model")
    assert mended.returncode == 0, mended.stderr


@pytest.mark.prove
def test_dagsters_own_command_runs_the_model(own: Home) -> None:
    done = materialize(own.home, "--select", "trained_model,calibrated_model,backtest")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("recognised, nothing built") == 3


def test_too_few_conversions_are_refused_with_how_many_are_needed(home: Path) -> None:
    said = leadscore("train", "--home", home)
    assert said.returncode == 2
    assert re.search(r"Too few positives: .+ has \d+ among \d+ leads, \d+ are needed", said.stderr)


def test_without_a_training_set_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    for command in (["train"], ["why", "x"], ["model", "show"], ["model", "list"]):
        asked = leadscore(*command, "--home", tmp_path / "home")
        assert asked.returncode == 2
        assert "There is no warehouse in" in asked.stderr
    assert not (tmp_path / "home").exists()
