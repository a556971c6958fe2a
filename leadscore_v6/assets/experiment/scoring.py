"""The model of a test, and how it is found again: by the version and the digest that the plan froze (R58).

Belongs here: picking and loading it. Does not belong here: the single-lead path (serving/).
"""

from leadscore_v6.artifacts.models import load_scorer
from leadscore_v6.assets.experiment.plan import Plan
from leadscore_v6.assets.model.data import contract_version, reason_words
from leadscore_v6.errors import InputError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.models import folder_of, known_models, manifest_digest
from leadscore_v6.modeling.scorer import LeadScorer


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


def load_model(bench: Bench, plan: Plan) -> LeadScorer:
    """The model that the test began with, verified. Raises InputError when it is gone, or is not the same any more."""
    attempt = calibrated_model(bench.ledger, plan.model_version)
    if manifest_digest(attempt) != plan.model_digest:
        raise InputError(
            f"Model {plan.model_version} is not the one that the running test began with",
            remedy="a test keeps its model; what was built since waits for the test's end (R58).",
        )
    folder = bench.folders.path(folder_of(attempt))
    return load_scorer(folder, plan.model_digest, plan.model_version, reason_words(), contract_version())
