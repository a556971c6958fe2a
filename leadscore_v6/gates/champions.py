"""Champion and challenger: which model serves, since when and why, as the ledger's lines have it (plan 6.2, R31, R58).

Belongs here: the reigns of models, what must hold before one begins, beginning one, and going back to an earlier one.
Does not belong here: comparing two models (monitoring/champion.py), getting what they are compared on (promotion.py),
or loading one (artifacts/models.py). Lines are only ever appended: a champion's history cannot be rewritten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leadscore_v6.artifacts.folders import FolderStore
from leadscore_v6.artifacts.manifest import unverified, verify
from leadscore_v6.errors import GateBlocked, UsageError
from leadscore_v6.gates.attempt import Bench
from leadscore_v6.gates.decisions import TRAINING, taken_back
from leadscore_v6.gates.guard import obstacle_at
from leadscore_v6.gates.ledger import MODEL_ROLLED_BACK, PROMOTED_MODEL, QUEUED_MODEL, Attempt, Ledger
from leadscore_v6.gates.lineage import made_from, told, withdrawn_behind
from leadscore_v6.gates.models import BACKTEST, CALIBRATED, TRAINED, KnownModel, folder_of, manifest_digest
from leadscore_v6.gates.programme import GO, INTERIM, compared, experiment_runs, stopped

if TYPE_CHECKING:
    from leadscore_v6.monitoring.champion import Decision

SHADOW = "shadow_scoring"
_BEGINS = {PROMOTED_MODEL: "promoted", MODEL_ROLLED_BACK: "rolled back to"}


@dataclass(frozen=True)
class Reign:
    """One model's time as champion. `how`: promoted, or rolled back to. `evidence`: what the decision rested on."""

    model: KnownModel
    how: str
    since: datetime
    by: str
    reason: str
    evidence: Mapping[str, Any]

    @property
    def version(self) -> str:
        """The champion's version."""
        return self.model.version

    @property
    def calibrated(self) -> Attempt:
        """What scores are made by: the calibrated model's attempt."""
        assert self.model.calibrated is not None, "only a validated model is promoted"
        return self.model.calibrated

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest of the folder that scores are made by."""
        return manifest_digest(self.calibrated)


def reigns(ledger: Ledger) -> list[Reign]:
    """Every reign there was, oldest first; the last one lasts."""
    return [_reign(ledger, line) for line in ledger.model_decisions if line["event"] in _BEGINS]


def champion(ledger: Ledger) -> Reign | None:
    """The model that serves, if one was ever promoted."""
    known = reigns(ledger)
    return known[-1] if known else None


def damage(folders: FolderStore, reign: Reign) -> str:
    """What is wrong with the files that the champion scores by, in words; empty if they are what was published."""
    return "; ".join(unverified(folders.path(folder_of(reign.calibrated)), reign.digest, ()))


def require_champion(ledger: Ledger) -> Reign:
    """The model that serves. Raises GateBlocked where none was promoted yet."""
    reign = champion(ledger)
    if reign is None:
        raise GateBlocked(
            "No model serves: none was promoted.\n  what to do: `leadscore promote MODEL --by NAME --reason WHY` once "
            "a model has passed steps 4.1 to 5.3; `leadscore model list` shows which there are."
        )
    return reign


def champions(ledger: Ledger) -> list[KnownModel]:
    """Every model that ever was champion, each once: what rollback may need, and retention keeps (R56)."""
    return list({reign.calibrated.key: reign.model for reign in reigns(ledger)}.values())


def role(ledger: Ledger, model: KnownModel) -> str:
    """Champion and since when; that it once was; that it waits to be; or nothing."""
    mine = [reign for reign in reigns(ledger) if reign.version == model.version]
    if queued(ledger) == model.version:
        won = "won against the champion; "
        if experiment_runs(ledger):
            return won + "waits until the running experiment has ended (R58)"
        return won + "the experiment that it waited for has ended: promote it, or run `leadscore refresh` again"
    if not mine:
        return ""
    now = champion(ledger)
    if now is not None and now.version == model.version:
        return f"champion since {now.since:%Y-%m-%d %H:%M}"
    return f"champion from {mine[-1].since:%Y-%m-%d %H:%M}, not any more"


def history(ledger: Ledger, model: KnownModel) -> list[str]:
    """A line for each time that a model became champion: when, how, by whom, why."""
    return [
        f"{reign.since:%Y-%m-%d %H:%M}  {reign.how} by {reign.by}: {reign.reason}"
        for reign in reigns(ledger)
        if reign.version == model.version
    ]


def obstacles(ledger: Ledger, model: KnownModel) -> list[str]:
    """What keeps a model from being champion, whoever is: its own 4.1 to 4.4, its shadow days, the programme's go.

    Of each also what it was made from, back to the landed files. Gates count as everywhere: by today's thresholds, and
    a waiver that is in force covers its gate (R32, R38).
    """
    found = [*_own(ledger, model), *taken_away(ledger, model)]
    for attempt in made_from(ledger, model.trained):
        found += [] if attempt.withdrawn else _standing(ledger, attempt)
    shadow = shadow_of(ledger, model)
    if shadow is None:
        found.append(f"{SHADOW} (step 5.1): model {model.version} was never scored in the shadow")
    else:
        found += [*_standing(ledger, shadow), *_withdrawn(ledger, shadow)]
    # The programme's go is not about this model (R58); who withdraws it stops every later promotion.
    go, final = obstacle_at(ledger, GO, None), ledger.latest(GO)
    if go is not None:
        found.append(f"the programme's go (step 5.3, R58): {go}")
    elif final is not None:
        found.extend(_withdrawn(ledger, final))
    end = stopped(ledger)
    if end is not None and (final is None or final.began < end.seq):
        found.append(f"the programme's go (step 5.3, R58): the newest test was {end}, which is no go")
    # What a test's interim look found harmful is not made good by its final one. A look that compared nothing found
    # nothing, and once the final one is due it cannot be taken again.
    interim = compared(ledger, str(final.facts.get("plan")), INTERIM) if final is not None else None
    if interim is not None:
        found.extend(_standing(ledger, interim))
    # Model, shadow days and test may stand on the same file.
    return list(dict.fromkeys(found))


def taken_away(ledger: Ledger, model: KnownModel) -> list[str]:
    """What a person took back of what the model learned from: files that were withdrawn, its training set.

    It keeps a model from being promoted and from being rolled back to; of one that serves it is told (R38).
    """
    found = list(_withdrawn(ledger, model.furthest))
    version = str(model.trained.facts.get("dataset_version"))
    at, by = taken_back(ledger).get(version, (None, ""))
    if at is not None:
        found.append(
            f"{TRAINING}: version {version}, which it learned from, was rolled back from on {at:%Y-%m-%d %H:%M} by "
            f"{by}; if it is right after all: `leadscore rollback --dataset {version}`"
        )
    return found


def shadow_of(ledger: Ledger, model: KnownModel) -> Attempt | None:
    """The newest seven days in the shadow of this very model, as its files are: a name may be given twice."""
    if model.digest is None:
        return None
    of_model = [
        attempt
        for attempt in ledger.attempts.values()
        if attempt.asset == SHADOW and attempt.facts.get("model_manifest") == model.digest and not attempt.withdrawn
    ]
    return max(of_model, key=lambda attempt: attempt.seq, default=None)


def promote(bench: Bench, model: KnownModel, decision: Decision | None, by: str, reason: str) -> Reign:
    """Make a model champion. `decision`: R31's, against the champion that there is; None where there is none.

    What a person may pass of the decision (a champion that cannot be loaded any more) whoever calls this has passed.

    Raises UsageError without a name or a reason, or for the champion itself; GateBlocked with every condition that does
    not hold; InputError when the model's files are not what was published.
    """
    ledger = bench.ledger
    _require_names(by, reason)
    before = champion(ledger)
    if before is not None and before.version == model.version:
        raise UsageError(f"Model {model.version} is the champion already, since {before.since:%Y-%m-%d %H:%M}.")
    missed = obstacles(ledger, model)
    if experiment_runs(ledger):
        missed.append("a test is running, and what serves does not change in mid-test (R58)")
    if before is not None and decision is None:
        missed.append(f"not compared with the champion {before.version} (R31)")
    elif decision is not None:
        missed += [f"against the champion (R31): {why}" for why in decision.reasons_for_anyone]
    if missed:
        lines = "\n".join(f"  - {one}" for one in missed)
        raise GateBlocked(
            f"Model {model.version} is not promoted"
            f"{f'; {before.version} stays champion' if before else ''}.\n{lines}\n"
            "  what to do: run what was not run; a gate can be waived for its attempt (`leadscore waive`), the "
            "comparison with the champion cannot; a model of what was taken back is trained again (`leadscore train`)."
        )
    _require_intact(bench, model)
    evidence: dict[str, Any] = {"gates": [attempt.key for attempt in _attempts(model)], "go": _key(ledger, GO)}
    shadow = shadow_of(ledger, model)
    evidence["shadow"] = shadow.key if shadow else None
    if decision is not None:
        evidence |= {"against": decision.champion.version, **decision.figures()}
        evidence["headline"] = decision.headline_of_a_promotion
    return _begin(bench, PROMOTED_MODEL, model, {"by": by.strip(), "reason": reason.strip(), "evidence": evidence})


def rolled_back_from(ledger: Ledger, model: KnownModel) -> Reign | None:
    """The rollback by which a person took this model out of service, unless a person promoted it again since."""
    found = None
    for reign in reigns(ledger):
        if reign.how == _BEGINS[MODEL_ROLLED_BACK] and reign.evidence.get("from") == model.version:
            found = reign
        elif reign.version == model.version:
            found = None
    return found


def queue(bench: Bench, model: KnownModel, decision: Decision, by: str) -> None:
    """Write down that a challenger won and waits for the running test to end. Promoting it is a command of its own."""
    payload = {"by": by, "against": decision.champion.version, **decision.figures(), "headline": decision.headline}
    bench.record(QUEUED_MODEL, model.furthest, payload)


def queued(ledger: Ledger) -> str | None:
    """The version that waits for a test to end: the newest that was queued, unless a reign began since."""
    line = ledger.model_decisions[-1] if ledger.model_decisions else None
    return str(line["version"]) if line is not None and line["event"] == QUEUED_MODEL else None


def roll_back(bench: Bench, version: str, by: str, reason: str) -> tuple[str, Reign]:
    """Let an earlier champion serve again; returns (version until now, the new reign).

    Raises UsageError: no such champion, it serves already, no name or reason, its folder or training set is gone;
    GateBlocked: a person took back what it learned from; InputError: its files are not what was published.
    """
    _require_names(by, reason)
    known = {model.version: model for model in champions(bench.ledger)}
    model, now = known.get(version), champion(bench.ledger)
    if model is None or now is None:
        there = ", ".join(known) or "none"
        raise UsageError(f"Model {version!r} was never champion; champions so far: {there}.")
    if now.version == version:
        raise UsageError(f"Model {version} is the champion already, since {now.since:%Y-%m-%d %H:%M}.")
    _require_there(bench, model)
    if gone := taken_away(bench.ledger, model):
        lines = "\n".join(f"  - {one}" for one in gone)
        raise GateBlocked(
            f"Model {version} does not serve again; {now.version} stays champion. What it learned from was taken "
            f"back:\n{lines}\n  what to do: roll back to another one (`leadscore model list`), or train again on what "
            "serves now (`leadscore train`)."
        )
    _require_intact(bench, model)
    payload = {"by": by.strip(), "reason": reason.strip(), "evidence": {"from": now.version}}
    return now.version, _begin(bench, MODEL_ROLLED_BACK, model, payload)


# --- pieces ---------------------------------------------------------------------------------------------------------


def _begin(bench: Bench, event: str, model: KnownModel, payload: Mapping[str, Any]) -> Reign:
    told = {**payload, "attempts": {attempt.asset: attempt.key for attempt in _attempts(model)}}
    bench.record(event, model.furthest, told)
    return reigns(bench.ledger)[-1]


def _reign(ledger: Ledger, line: Mapping[str, Any]) -> Reign:
    payload = json.loads(line["payload"])
    made = {asset: ledger.attempts[key] for asset, key in payload["attempts"].items()}
    model = KnownModel(made[TRAINED], made[CALIBRATED], made[BACKTEST])
    how = _BEGINS[line["event"]]
    return Reign(model, how, line["at"], payload["by"], payload["reason"], payload["evidence"])


def _attempts(model: KnownModel) -> list[Attempt]:
    return [attempt for attempt in (model.trained, model.calibrated, model.backtest) if attempt]


def _own(ledger: Ledger, model: KnownModel) -> Iterator[str]:
    for attempt in _attempts(model):
        yield from _standing(ledger, attempt)
    if model.backtest is None:
        yield f"model {model.version} did not get to the backtest (steps 4.1 to 4.4)"


def _standing(ledger: Ledger, attempt: Attempt) -> Iterator[str]:
    blocking = ledger.blocking(attempt)
    yield from (f"{attempt.asset}, attempt {attempt.key}: {verdict}" for verdict in blocking)
    if not blocking and attempt.state != "published":
        yield f"{attempt.asset}, attempt {attempt.key}: not published; run it again"


def _withdrawn(ledger: Ledger, attempt: Attempt) -> Iterator[str]:
    yield from (f"{attempt.asset}, attempt {attempt.key}: {told(taken)}" for taken in withdrawn_behind(ledger, attempt))


def _key(ledger: Ledger, asset: str) -> str | None:
    latest = ledger.latest(asset)
    return latest.key if latest else None


def _require_names(by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise UsageError("Which model serves is a person's decision: it needs a name (--by) and a reason (--reason).")


def _require_there(bench: Bench, model: KnownModel) -> None:
    """What serving needs: the folder, and the training set that drift is measured against."""
    assert model.calibrated is not None, "it was champion"
    name = folder_of(model.calibrated)
    if not bench.folders.exists(name):
        raise UsageError(
            f"The folder of model {model.version} is gone ({bench.folders.path(name)}). Restore it from a backup "
            "(`leadscore restore ARCHIVE --home NEW`)."
        )
    table = f"{bench.warehouse.dataset}.{TRAINING}_{model.trained.facts['dataset_version']}"
    if not bench.warehouse.exists(table):
        raise UsageError(
            f"The training set of model {model.version} has expired ({table}): drift and performance could not be held "
            "against it. Restore it from a backup, or train again."
        )


def _require_intact(bench: Bench, model: KnownModel) -> None:
    for attempt in _attempts(model):
        verify(bench.folders.path(folder_of(attempt)), manifest_digest(attempt))
