"""What a test scores by: the model whose version and digest the plan froze (R58), and the serving copy of the day.

Belongs here: picking, checking and loading them. Does not belong here: the single-lead path (serving/).
"""

from datetime import date

from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.experiment.plan import Plan
from leadscore_v6.assets.model.data import contract_version, reason_words
from leadscore_v6.assets.shadow.data import SERVING, latest, open_serving, served_day
from leadscore_v6.errors import InputError, UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.models import folder_of, known_models, manifest_digest
from leadscore_v6.gates.steps import SNAPSHOT, STEPS
from leadscore_v6.modeling.scorer import LeadScorer
from leadscore_v6.serving import ServingCopy


def calibrated_model(ledger: Ledger, version: str) -> Attempt:
    """The calibrated model of that version. Raises InputError when there is none any more."""
    found = (model.calibrated for model in known_models(ledger) if model.version == version)
    attempt = next((one for one in found if one is not None), None)
    if attempt is None:
        raise InputError(
            f"Model {version} is not there",
            remedy="`leadscore model list` shows what there is; a lost one comes back with a backup of the home.",
        )
    return attempt


def open_copy_of(bench: Bench, as_of: date) -> ServingCopy:
    """The serving copy, for leads as of that day.

    A test uses it as it is (a pinned step), and so asks itself what no guard asks. Raises UsageError for one of a later
    snapshot, which knows what nobody knew that day (R9), and for one from before a snapshot was withdrawn: what was
    taken back may be in it.
    """
    copy, ledger = latest(bench, SERVING), bench.ledger
    refresh = "what to do: build the copy anew (`leadscore shadow` does), then run this again."
    if served_day(bench) > as_of:
        raise UsageError(
            f"The serving copy is of the snapshot of {served_day(bench)}, after the CRM extract of {as_of}: its scores "
            "would know what nobody knew that day (R9).\n"
            "  what to do: land a newer Lead.csv (`leadscore experiment assign --data DIR`)."
        )
    taken_back = [
        taken
        for taken in ledger.withdrawals
        if STEPS[taken.place[0]].partition == SNAPSHOT and taken.attempts and taken.seq > copy.seq
    ]
    if taken_back:
        raise UsageError(
            f"{taken_back[-1].file_name} was withdrawn after the serving copy was built (attempt {copy.key}): scores "
            f"would come from what was taken back.\n  {refresh}"
        )
    return open_serving(bench)


def load_model(bench: Bench, plan: Plan) -> LeadScorer:
    """The model that the test began with, from its verified folder. Raises InputError as `require_model` does."""
    folder = bench.folders.path(folder_of(require_model(bench.ledger, plan)))
    return load_scorer(folder, plan.model_digest, plan.model_version, reason_words(), contract_version())


def require_model(ledger: Ledger, plan: Plan) -> Attempt:
    """The model that the test began with. Raises InputError when it is gone, or is not the same any more."""
    attempt = calibrated_model(ledger, plan.model_version)
    if manifest_digest(attempt) != plan.model_digest:
        raise InputError(
            f"Model {plan.model_version} is not the one that the running test began with",
            remedy="a test keeps its model; what was built since waits for the test's end (R58).",
        )
    return attempt
