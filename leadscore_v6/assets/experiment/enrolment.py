"""Step 5.3, week by week: arms for the leads that came since, and the queue that associates dial from.

Both tables are only appended to. What is published of a week is never taken back: later steps count on it, and people
have dialled by it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pandas as pd

from leadscore_v6.assets.carry_out import Events, Told, carry_out, plan_asset, stops
from leadscore_v6.assets.experiment.plan import (
    ASSIGNMENTS,
    QUEUE,
    Plan,
    assignments_of,
    experiment_settings,
    inputs_of,
    require_started,
    rows,
    running_plan,
    table,
    text,
    whole_table,
)
from leadscore_v6.assets.experiment.progress import (
    RECORDS,
    protocol_of,
    records_of,
    require_recent_dials,
    standing_of,
    told_closed,
)
from leadscore_v6.assets.experiment.scoring import load_model, open_copy_of, require_model
from leadscore_v6.assets.shadow.data import scoring_settings
from leadscore_v6.assets.tables import as_csv, contract_of, digest_of, figures_of, write_table
from leadscore_v6.experiments.assignment import Enrolment, assign, block_balance, coverage_balance
from leadscore_v6.experiments.cohort import require_one_model
from leadscore_v6.experiments.records import Records, Standing, days
from leadscore_v6.experiments.sample_ratio import srm
from leadscore_v6.experiments.settings import ARMS, CONTROL, TREATMENT
from leadscore_v6.gates.attempt import Bench, Candidates, Work
from leadscore_v6.gates.extract import extract_day
from leadscore_v6.gates.guard import guard
from leadscore_v6.gates.programme import has_ended
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.serving import UNMATCHED, SingleLeadPath
from leadscore_v6.serving.settings import EXCLUDED, WITHDRAWN, ScoringSettings

CALLED = "with a call since they were assigned"
# What the file for the associates has: no score, which would tell what the order alone should.
QUEUE_COLUMNS = ("queue_date", "arm", "position", "Id", "FA_CRD__c")


@plan_asset(ASSIGNMENTS)
def ab_test_assignments_v6(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions
) -> Events:
    """Leads that entered Contacting since the last batch, by advisor into an arm that they never leave (R28)."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, ASSIGNMENTS, None)
        plan = running_plan(bench.ledger)
        require_started(plan, extract_day(bench.ledger))
        work = _assignments(bench, plan)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract_of(ASSIGNMENTS)))
    warehouse.artifacts.write(f"{ASSIGNMENTS}.csv", as_csv(assignments_of(bench.warehouse, plan)))


@plan_asset(QUEUE)
def ab_test_queue_v6(context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions) -> Events:
    """The newest batch in the order of dialling: treatment by the model's score, control by arrival."""
    bench = warehouse.bench
    with stops():
        guard(bench.ledger, QUEUE, None)
        plan = running_plan(bench.ledger)
        require_started(plan, extract_day(bench.ledger))
        work = _queue(bench, plan)
    yield from carry_out(context, warehouse, options, work, Told(contract=contract_of(QUEUE)))
    newest = whole_table(bench.warehouse, QUEUE, "queue")
    of_test = newest["fingerprint"] == plan.fingerprint
    of_day = days(newest["queue_date"]) == pd.Timestamp(extract_day(bench.ledger) + timedelta(days=1))
    # A queue that is served stands; whom a rule has forbidden since is not in the file to dial by.
    forbidden = _forbidden(records_of(bench.warehouse, plan, extract_day(bench.ledger)), scoring_settings())
    newest = newest[of_test & of_day & newest["Id"].map(forbidden).isna()]
    warehouse.artifacts.write(f"{QUEUE}.csv", as_csv(newest[list(QUEUE_COLUMNS)]))


# --- assignments ----------------------------------------------------------------------------------------------------


def _assignments(bench: Bench, plan: Plan) -> Work:
    warehouse, as_of = bench.warehouse, extract_day(bench.ledger)
    standing = whole_table(warehouse, ASSIGNMENTS, "assignments")
    records = records_of(warehouse, plan, as_of)
    held = standing_of(bench.ledger, plan, records, as_of)
    closed_on = protocol_of(bench.ledger, plan, records, as_of).closed_on
    eligible, left_out = _eligible(bench, plan, records, closed_on)
    if len(eligible):
        require_recent_dials(warehouse, as_of, experiment_settings().design.max_dial_age_days)
    enrolment, matched = _enrol(bench, plan, records.assignments, eligible)
    in_extract = set(records.outcomes["lead_id"]) | set(eligible["lead_id"])
    output, served = table(warehouse, ASSIGNMENTS), warehouse.exists(table(warehouse, ASSIGNMENTS))

    def build(candidates: Candidates) -> Mapping[str, Any]:
        new = enrolment.rows["lead_id"]
        entered = eligible.set_index("lead_id")["entered_at"]
        added = enrolment.rows.assign(has_snapshot=new.map(matched), entered_at=new.map(entered))
        parts = [part for part in (standing, added) if len(part)]
        whole = pd.concat(parts, ignore_index=True) if parts else standing
        told = write_table(warehouse, candidates[output], whole, ASSIGNMENTS)
        return {
            **told,
            "plan": plan.attempt,
            "as_of": as_of.isoformat(),
            "enrolled_now": len(enrolment.rows),
            "advisors_dealt_now": enrolment.dealt,
            "leads_that_followed_their_advisor": enrolment.followed,
            "enrolment_closed_on": told_closed(closed_on),
            "left_out": left_out,
            "dials_by_day": held.dials_by_day,
            **_by_arm(whole[whole["fingerprint"] == plan.fingerprint]),
        }

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        candidate = candidates[output]
        figures = figures_of(warehouse, candidate, ASSIGNMENTS, {}, earlier=output if served else candidate)
        figures = {**figures, **held.figures()}
        # A table that is no assignment has no balance: its gates are not judgeable, and stop as well.
        if figures["contract_violations"] or figures["advisors_in_two_arms"] or figures["leads_doubled"]:
            return figures
        read = text(warehouse, f"{ASSIGNMENTS}/query.sql", assignments=candidate.rpartition(".")[2])
        whole = rows(warehouse, read, {}, contract_of(ASSIGNMENTS).names)
        return {**figures, **_balance(whole[whole["fingerprint"] == plan.fingerprint], in_extract, plan)}

    inputs = {
        **inputs_of(plan, as_of, f"{ASSIGNMENTS}/arrivals.sql", f"{ASSIGNMENTS}/checks.sql", *RECORDS),
        **_decided_by(standing, plan, as_of, held),
        "closed_on": closed_on,
        "ended": has_ended(bench.ledger, plan.attempt),
        "exclude": _excluded(scoring_settings()),
    }
    return Work(ASSIGNMENTS, None, inputs, (output,), build, measure)


def _decided_by(standing: pd.DataFrame, plan: Plan, as_of: date, held: Standing) -> dict[str, Any]:
    """What stood before this batch, and what was known before: the batch itself is what these decide (R38)."""
    earlier = (days(standing["enrolled_on"]) < pd.Timestamp(as_of)) | (standing["fingerprint"] != plan.fingerprint)
    return {"standing": digest_of(standing[earlier]), "dials_before": held.dials_before, "dials_lost": held.dials_lost}


def _eligible(
    bench: Bench, plan: Plan, records: Records, closed_on: date | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leads to assign with this extract, and how many are not, by what keeps them out."""
    arrived = _arrivals(bench, plan)
    new = arrived[~arrived["lead_id"].isin(set(records.assignments["lead_id"]))]
    last_day = pd.Timestamp(closed_on or extract_day(bench.ledger))
    left_out = {
        "without a CRD": new["crd"].isna(),
        "dialled before they could be assigned": new["dialled_already"] == 1,
        "with a call before they could be assigned": new["called_already"] == 1,
        "after enrolment had closed": days(new["entered_at"]) > last_day,
    }
    why = _by_rule(new, scoring_settings())
    left_out |= {reason: why == reason for reason in (EXCLUDED, WITHDRAWN)}
    if has_ended(bench.ledger, plan.attempt):
        left_out["after the test had ended"] = new["lead_id"].notna()
    counts = {why: int(out.sum()) for why, out in left_out.items() if out.any()}
    return new[~pd.DataFrame(left_out).any(axis=1)], counts


def _by_rule(leads: pd.DataFrame, rules: ScoringSettings) -> "pd.Series[Any]":
    """By row of (lead_id, crd) why nobody is to call, or None: as wherever leads are scored (R25)."""
    asked = zip(leads["lead_id"], leads["crd"], strict=True)
    why = [
        rules.why_skipped({"lead_id": lead, "crd": crd if isinstance(crd, str) else None, "call_before_contact": 0})
        for lead, crd in asked
    ]
    return pd.Series(why, index=leads.index, dtype=object)


def _excluded(rules: ScoringSettings) -> dict[str, list[str]]:
    """The rules as part of what decides a step (R38)."""
    return {"advisors": sorted(rules.advisors), "leads": sorted(rules.leads)}


def _arrivals(bench: Bench, plan: Plan) -> pd.DataFrame:
    warehouse = bench.warehouse
    sql = text(warehouse, f"{ASSIGNMENTS}/arrivals.sql", leads="crm_leads", crm_dials="crm_dials")
    columns = ("lead_id", "crd", "entered_at", "dialled_already", "called_already")
    return rows(warehouse, sql, {"first_day": plan.started_on, "as_of": extract_day(bench.ledger)}, columns)


def _enrol(bench: Bench, plan: Plan, standing: pd.DataFrame, new: pd.DataFrame) -> tuple[Enrolment, dict[str, int]]:
    """Arms for `new`, by the segment that the serving copy knows; and which of them a snapshot knows, by lead."""
    with open_copy_of(bench, extract_day(bench.ledger)) as copy:
        known = {crd: copy.look_up(crd) for crd in sorted(set(new["crd"]))}
    column = plan.settings.assignment.segment
    leads = new[["lead_id", "crd"]].assign(segment=new["crd"].map(lambda crd: known[crd].features[column]))
    enrolment = assign(standing, leads, extract_day(bench.ledger), plan.settings.assignment)
    matched = new["crd"].map(lambda crd: int(known[crd].matched))
    return enrolment, dict(zip(new["lead_id"], matched, strict=True))


def _balance(mine: pd.DataFrame, in_extract: set[str], plan: Plan) -> dict[str, Any]:
    """Figures of the plan's "balanced within each block" and "balanced discovery data coverage", and SRM (R28).

    The sizes of a table that is only appended to are right for ever: SRM is of advisors with a lead in the extract.
    """
    if mine.empty:
        return {"blocks_off": 0, "srm_p": 1.0, "coverage_p": 1.0, "advisors": 0}
    design = plan.settings.assignment
    blocks, coverage = block_balance(mine, design), coverage_balance(mine, mine["has_snapshot"] == 1)
    sizes = mine.groupby("arm")["crd"].nunique()
    there = mine[mine["lead_id"].isin(in_extract)].groupby("arm")["crd"].nunique()
    ratio = srm({arm: int(there.get(arm, 0)) for arm in ARMS}, design)
    return {
        "blocks": len(blocks),
        "blocks_off": int((blocks["off"] > 0).sum()),
        "srm_p": ratio.p,
        "advisors": int(sizes.sum()),
        "advisors_treatment": int(sizes.get(TREATMENT, 0)),
        "advisors_control": int(sizes.get(CONTROL, 0)),
        "advisors_there_treatment": ratio.treatment,
        "advisors_there_control": ratio.control,
        "coverage_p": coverage.p,
        "coverage_treatment": coverage.treatment,
        "coverage_control": coverage.control,
    }


def _by_arm(mine: pd.DataFrame) -> dict[str, Any]:
    counts = mine.groupby(["segment", "arm"]).agg(advisors=("crd", "nunique"), leads=("lead_id", "size")).reset_index()
    batches = mine.assign(day=days(mine["enrolled_on"]).dt.strftime("%Y-%m-%d")).groupby("day")["lead_id"].size()
    return {
        "segments": counts.to_dict("records"),
        "batches": [[day, int(leads)] for day, leads in batches.items()],
    }


# --- the queue ------------------------------------------------------------------------------------------------------


def _queue(bench: Bench, plan: Plan) -> Work:
    warehouse, as_of = bench.warehouse, extract_day(bench.ledger)
    queue_date = as_of + timedelta(days=1)
    served = whole_table(warehouse, QUEUE, "queue")
    of_day = (served["fingerprint"] == plan.fingerprint) & (days(served["queue_date"]) == pd.Timestamp(queue_date))
    stands = bool(of_day.any())
    require_model(bench.ledger, plan)
    _require_one_model(served, plan, queue_date)
    rules = scoring_settings()
    batch, left_out = _batch(records_of(warehouse, plan, as_of), plan, served[~of_day], rules)
    output, exists = table(warehouse, QUEUE), warehouse.exists(table(warehouse, QUEUE))

    def build(candidates: Candidates) -> Mapping[str, Any]:
        # People dial by a queue that is served: it stays as it is, and who came since waits for the next one.
        queue, errors = (served[of_day], {}) if stands else _ordered(bench, plan, batch, queue_date)
        parts = [part for part in (served[~of_day], queue) if len(part)]
        whole = pd.concat(parts, ignore_index=True) if parts else served
        return {
            **write_table(warehouse, candidates[output], whole, QUEUE),
            "plan": plan.attempt,
            "queue_date": queue_date.isoformat(),
            "model_version": plan.model_version,
            "model_digest": plan.model_digest,
            "leads": {arm: int((queue["arm"] == arm).sum()) for arm in ARMS},
            "waited": int((days(batch["enrolled_on"]) < pd.Timestamp(as_of)).sum()),
            "stands": stands,
            "left_out": left_out,
            "errors": errors,
        }

    def measure(candidates: Candidates) -> Mapping[str, Any]:
        candidate = candidates[output]
        beside = {"earlier": output if exists else candidate, "assignments": table(warehouse, ASSIGNMENTS)}
        beside["leads"] = table(warehouse, "crm_leads")
        asked: dict[str, Any] = {"fingerprint": plan.fingerprint, "queue_date": queue_date, "stands": int(stands)}
        asked |= {f"{of}_excluded": ["", *names] for of, names in _excluded(rules).items()}  # an empty list has no type
        return figures_of(warehouse, candidate, QUEUE, asked, **beside)

    inputs = {
        **inputs_of(plan, as_of, f"{QUEUE}/checks.sql"),
        "standing": digest_of(served[~of_day]),
        "exclude": _excluded(rules),
    }
    return Work(QUEUE, None, inputs, (output,), build, measure)


def _batch(
    records: Records, plan: Plan, queued: pd.DataFrame, rules: ScoringSettings
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leads that are assigned and were in no queue yet, in the order of arrival: those whose queue failed as well.

    And how many of them are not to be dialled, by reason. They stay in their arm, which is read as it was dealt (R28).
    """
    mine = records.assignments
    before = set(queued.loc[queued["fingerprint"] == plan.fingerprint, "Id"])
    waiting = mine[~mine["lead_id"].isin(before)]
    why = waiting["lead_id"].map(_forbidden(records, rules))
    columns = ["lead_id", "crd", "arm", "entered_at", "enrolled_on"]
    batch = waiting[why.isna()].sort_values(["entered_at", "lead_id"], ignore_index=True)[columns]
    return batch, {str(reason): int(count) for reason, count in why.value_counts().items()}


def _forbidden(records: Records, rules: ScoringSettings) -> dict[str, str]:
    """Assigned leads that nobody is to dial any more, with the reason: a rule, or a call that was scheduled."""
    why = _by_rule(records.assignments, rules)
    called = records.outcomes.loc[records.outcomes["converted_on"].notna(), "lead_id"]
    by_rule = zip(records.assignments["lead_id"], why, strict=True)
    return dict.fromkeys(called, CALLED) | {lead: reason for lead, reason in by_rule if reason is not None}


def _ordered(
    bench: Bench, plan: Plan, batch: pd.DataFrame, queue_date: date
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The queue of that day, and errors by kind."""
    model = load_model(bench, plan)
    with open_copy_of(bench, queue_date - timedelta(days=1)) as copy:
        path = SingleLeadPath(copy, model, ())
        path.score(UNMATCHED)
        queue, errors = in_order(batch.drop(columns="enrolled_on"), path)
    same = {"model_version": plan.model_version, "model_digest": plan.model_digest, "fingerprint": plan.fingerprint}
    return queue.assign(queue_date=pd.Timestamp(queue_date), **same), errors


def in_order(batch: pd.DataFrame, path: SingleLeadPath) -> tuple[pd.DataFrame, dict[str, int]]:
    """The batch with `position` and `probability`, and how many leads could not be scored by kind of error.

    `batch` (lead_id, crd, arm, entered_at) comes in the order of arrival. Treatment goes by score, highest first, equal
    ones by arrival; a lead that cannot be scored goes to its end. Control goes by arrival and is not scored.
    """
    answers = {crd: path.score(crd) for crd in sorted(set(batch.loc[batch["arm"] == TREATMENT, "crd"]))}
    scored = {crd: answer.score.probability for crd, answer in answers.items() if answer.score is not None}
    treated = batch[batch["arm"] == TREATMENT]
    treated = treated.assign(probability=treated["crd"].map(scored).astype(float))
    treated = treated.sort_values("probability", ascending=False, na_position="last", kind="stable")
    control = batch[batch["arm"] == CONTROL].assign(probability=None)
    parts = [part.assign(position=range(1, len(part) + 1)) for part in (treated, control)]
    queue = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    failed = pd.Series(
        [str(answer.error).partition(":")[0] for answer in answers.values() if answer.error], dtype=object
    )
    errors = {str(kind): int(count) for kind, count in sorted(failed.value_counts().items())}
    return queue.rename(columns={"lead_id": "Id", "crd": "FA_CRD__c"}), errors


def _require_one_model(queues: pd.DataFrame, plan: Plan, queue_date: Any) -> None:
    mine = queues[queues["fingerprint"] == plan.fingerprint]
    by_day = mine.drop_duplicates("queue_date").set_index("queue_date")["model_digest"]
    models = {pd.Timestamp(day).date(): str(digest) for day, digest in by_day.items()}
    require_one_model(models | {queue_date: plan.model_digest})
