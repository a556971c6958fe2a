"""From a `Work` to Dagster's events: the one way in which every asset of the plan runs.

Belongs here: declaring an asset from the plan's step, and telling Dagster how its attempt ended. A failed gate is a
failed blocking check and a failed step, so that this run stops; the ledger and the guard stop every later run.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import dagster as dg

from leadscore_v6.artifacts.folders import PREFIX
from leadscore_v6.assets.hooks import after_failure, after_success
from leadscore_v6.assets.offenders import offending_rows
from leadscore_v6.assets.recipe import code_version
from leadscore_v6.contracts import Contract
from leadscore_v6.errors import DiskFull, LeadscoreError, ran_out_of_space
from leadscore_v6.gates.attempt import Bench, Outcome, Work, require
from leadscore_v6.gates.caveats import caveats, reign_of
from leadscore_v6.gates.judge import PASS, Verdict, show
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.lineage import is_synthetic
from leadscore_v6.gates.registry import Gate, load_gates
from leadscore_v6.gates.steps import STEPS, Step, ancestors
from leadscore_v6.locations import Location
from leadscore_v6.monitoring.settings import monitoring_settings
from leadscore_v6.partitions import PARTITIONS
from leadscore_v6.reports.markdown import bullets, embed
from leadscore_v6.reports.plots import plots
from leadscore_v6.reports.sections import headlines, sections, topic
from leadscore_v6.reports.step import GateLine, StepReport, render_further, render_report
from leadscore_v6.resources import RunOptions, WarehouseResource
from leadscore_v6.settings import from_environment
from leadscore_v6.warehouse.lineage import column_lineage
from leadscore_v6.warehouse.sql import undated

Events = Iterator[dg.AssetCheckResult | dg.MaterializeResult]


def plan_asset(name: str) -> Callable[[Callable[..., Events]], dg.AssetsDefinition]:
    """`@plan_asset("snapshot_reps")`: an asset declared from its step and its gates; nothing is said twice."""
    step = STEPS[name]
    return dg.asset(
        name=name,
        deps=[dg.AssetKey(parent) for parent in step.before],
        partitions_def=PARTITIONS.get(step.partition),
        group_name=step.group,
        description=f"Step {step.number}. {step.says}",
        kinds=set(step.kinds) | ({from_environment().engine} if "sql" in step.kinds else set()),
        owners=["team:leadscore"],
        hooks={after_success, after_failure},
        code_version=code_version(name),
        freshness_policy=_freshness().get(name),
        check_specs=[
            dg.AssetCheckSpec(gate.name, asset=name, blocking=gate.blocking, description=_described(gate))
            for gate in load_gates().of(name)
        ],
    )


def _described(gate: Gate) -> str:
    """What the gate says, and what to do when it does not hold, as Dagster's page of a check has it."""
    advice = [f"{word.capitalize()}: {text}" for word, text in gate.advice.items()]
    return "\n\n".join([f"Step {gate.step}: {gate.says}", *advice])


@lru_cache(maxsize=1)
def _freshness() -> Mapping[str, dg.FreshnessPolicy]:
    """By asset how old its newest build may be; of others nothing is expected."""
    hours = monitoring_settings().freshness
    return {name: dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=most)) for name, most in hours.items()}


@dataclass(frozen=True)
class Told:
    """What an asset tells Dagster beyond its verdicts."""

    sql: str = ""
    contract: Contract | None = None


def carry_out(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, options: RunOptions, work: Work, told: Told
) -> Events:
    """Attempt `work`, write its report, yield its checks, and its materialization if it was published."""
    with stops():
        outcome = warehouse.bench.attempt(work, rebuild=options.rebuild)
        step, attempt = STEPS[work.asset], outcome.attempt
        rows = offending_rows(outcome, warehouse.bench.ledger, warehouse.settings.store)
        texts, path = _write_reports(step, outcome, warehouse, rows)
    shown: dict[str, Any] = {name: dg.MetadataValue.md(text) for name, text in texts.items()}
    shown["report_path"] = dg.MetadataValue.path(str(path))
    checks = [_check(verdict, outcome, shown if verdict.blocks else {}) for verdict in outcome.verdicts]
    context.log.info("%s: %s", step.asset, "recognised, nothing built" if outcome.recognised else "built")
    if outcome.blocking:
        yield from checks
        with stops(report_path=str(path)):
            require(outcome, rows)
    yield dg.MaterializeResult(
        metadata={**shown, **_metadata(outcome, told)},
        data_version=dg.DataVersion(attempt.content_key),
        # Checks that are yielded before it would be shown as checks of the materialization before.
        check_results=checks,
    )


def _write_reports(
    step: Step, outcome: Outcome, warehouse: WarehouseResource, rows: Sequence[str]
) -> tuple[dict[str, str], Location]:
    """Write the step's reports, each with its pictures beside it; a failed attempt's never covers a good one's.

    Returns the texts with the pictures in them, as Dagster's page shows them (`report` is the main one), and its path.
    """
    attempt = outcome.attempt
    folder = f"failed/{attempt.key}/" if outcome.blocking else _folder(attempt)
    whole = _report(step, outcome, warehouse.bench.ledger)
    if rows:
        whole = replace(whole, sections=("## Rows to look at\n\n" + bullets(rows), *whole.sections))
    if step.manifest:
        warehouse.artifacts.write(folder + step.manifest.format(version=attempt.version), _manifest(attempt))
    texts = {}
    for name in step.further:
        title = f"Step {step.number}: {topic(name).replace('_', ' ')}"
        own = replace(whole, title=title, sections=sections(topic(name), attempt.figures, attempt.facts))
        stem = folder + Path(name.format(version=attempt.version)).stem
        pictures = _draw(warehouse, stem, topic(name), own)
        text = render_further(replace(own, pictures=tuple(pictures)))
        warehouse.artifacts.write(f"{stem}.md", text)
        texts[topic(name)] = embed(text, pictures)
    stem = folder + _report_stem(attempt)
    pictures = _draw(warehouse, stem, topic(step.report), whole)
    text = render_report(replace(whole, pictures=tuple(pictures)))
    path = warehouse.artifacts.write(f"{stem}.md", _with_the_others(step, text, warehouse.bench))
    return {"report": embed(text, pictures), **texts}, path


def report_name(attempt: Attempt) -> str:
    """Where the report of a published attempt is, among the artifacts."""
    return f"{_folder(attempt)}{_report_stem(attempt)}.md"


def _folder(attempt: Attempt) -> str:
    return f"{attempt.partition}/" if attempt.partition else ""


def _report_stem(attempt: Attempt) -> str:
    return Path(STEPS[attempt.asset].report.format(version=attempt.version)).stem


def _draw(warehouse: WarehouseResource, stem: str, about: str, report: StepReport) -> dict[str, bytes]:
    """Draw a report's plots beside it; their names and bytes."""
    drawn = plots(about, report.facts, synthetic=report.synthetic)
    found = {f"{stem}{f'_{which}' if which else ''}.png": picture for which, picture in drawn.items()}
    for name, picture in found.items():
        warehouse.artifacts.write(name, picture)
    return {Path(name).name: picture for name, picture in found.items()}


def _with_the_others(step: Step, text: str, bench: Bench) -> str:
    """`text` among what steps that share its file last published, in the plan's order."""
    texts = {step.asset: text}
    for attempt in bench.ledger.published().values():
        other = STEPS[attempt.asset]
        if other is not step and other.report == step.report:
            texts[other.asset] = render_report(_report(other, bench.outcome(attempt), bench.ledger))
    return "\n---\n\n".join(texts[asset] for asset in STEPS if asset in texts)


def _manifest(attempt: Attempt) -> str:
    about = {"asset": attempt.asset, "version": attempt.version, "attempt": attempt.key}
    content = {**about, "content_key": attempt.content_key, **attempt.facts["manifest"]}
    return json.dumps(content, indent=2) + "\n"


class stops:  # noqa: N801 - reads as a statement: `with stops():`
    """Turn an error for a person into a Dagster failure that is not retried and carries the exit code."""

    def __init__(self, report_path: str | None = None) -> None:
        """`report_path` goes with the failure."""
        self.report_path = report_path

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise dg.Failure in place of a LeadscoreError; let anything else through as it is."""
        if not isinstance(error, LeadscoreError) and ran_out_of_space(error):
            error = DiskFull(from_environment().home)
        if isinstance(error, LeadscoreError):
            metadata: dict[str, Any] = {"exit_code": error.exit_code}
            if self.report_path:
                metadata["report_path"] = dg.MetadataValue.path(self.report_path)
            raise dg.Failure(str(error), metadata=metadata, allow_retries=False) from error


def _check(verdict: Verdict, outcome: Outcome, shown: Mapping[str, Any]) -> dg.AssetCheckResult:
    waived = verdict.gate.name in outcome.waived and verdict.word != PASS
    stopping = verdict.blocks and not waived
    metadata: dict[str, Any] = {
        verdict.gate.literal.figure: verdict.figure if verdict.figure is not None else "not measured",
        "threshold": verdict.gate.threshold,
        "verdict": "waived" if waived else verdict.word,
        "attempt": outcome.attempt.key,
    }
    if verdict.gate.companion is not None:
        metadata[verdict.gate.companion.figure] = verdict.companion if verdict.companion is not None else "not measured"
    return dg.AssetCheckResult(
        check_name=verdict.gate.name,
        passed=not verdict.blocks and verdict.word != "warn",
        # Dagster lets the run go on after a WARN: right for a waived gate, whose failure still shows.
        severity=dg.AssetCheckSeverity.ERROR if stopping else dg.AssetCheckSeverity.WARN,
        metadata={**metadata, **shown},
    )


def _report(step: Step, outcome: Outcome, ledger: Ledger) -> StepReport:
    attempt = outcome.attempt
    place = step.asset if attempt.partition is None else f"{step.asset} {attempt.partition}"
    return StepReport(
        title=f"Step {step.number}: {place}",
        attempt=attempt.key,
        version=attempt.version,
        gates=tuple(_gate_line(verdict, outcome) for verdict in outcome.verdicts),
        failed=tuple(verdict.gate.name for verdict in outcome.blocking),
        figures=attempt.figures,
        facts=attempt.facts,
        synthetic=is_synthetic(ledger, step.asset),
        earlier_waivers=tuple(_earlier_waivers(ledger, step, attempt.partition)),
        caveats=tuple(_caveats(ledger, step, attempt)),
        headlines=headlines(topic(step.report), attempt.figures, attempt.facts),
        sections=sections(topic(step.report), attempt.figures, attempt.facts),
    )


def _gate_line(verdict: Verdict, outcome: Outcome) -> GateLine:
    gate = verdict.gate
    companion = f"{gate.companion.figure} = {show(verdict.companion)}" if gate.companion else ""
    return GateLine(
        name=gate.name,
        step=gate.step,
        says=gate.says,
        figure=f"{gate.literal.figure} = {show(verdict.figure)}",
        companion=companion,
        threshold=gate.threshold,
        word=verdict.word,
        blocks=verdict.blocks,
        waiver=outcome.attempt.waivers.get(gate.name) if gate.name in outcome.waived else None,
        advice=gate.advice if verdict.misses else {},
    )


def _earlier_waivers(ledger: Ledger, step: Step, partition: str | None) -> Iterator[str]:
    for earlier in ancestors(step.asset):
        for key in ledger.keys_asked(earlier.asset, step.asset, partition):
            attempt = ledger.latest(earlier.asset, key)
            for gate, waiver in (attempt.waivers if attempt else {}).items():
                place = earlier.asset if key is None else f"{earlier.asset} {key}"
                yield f"{place}: `{gate}` by {waiver['by']} until {waiver['expires']}: {waiver['reason']}"


def _caveats(ledger: Ledger, step: Step, attempt: Attempt) -> list[str]:
    """What every page of production says of the champion that it is about, as of the page's own day (R31, R32)."""
    reign = reign_of(ledger, str(attempt.facts.get("model_version"))) if step.group == "production" else None
    if reign is None:
        return []
    told = attempt.facts.get("day") or attempt.facts.get("as_of")
    return caveats(ledger, reign, date.fromisoformat(told) if told else ledger.today)


def _metadata(outcome: Outcome, told: Told) -> dict[str, Any]:
    attempt = outcome.attempt
    metadata: dict[str, Any] = {
        "attempt": attempt.key,
        "recognised": outcome.recognised,
    }
    for figure in ("bytes_estimated", "bytes_billed", "job"):
        if attempt.facts.get(figure) is not None:
            metadata[figure] = attempt.facts[figure]
    if attempt.outputs:
        name = next(iter(attempt.outputs))
        metadata["folder" if name.startswith(PREFIX) else "dagster/table_name"] = name
    if "rows" in attempt.facts:
        metadata["dagster/row_count"] = attempt.facts["rows"]
    if "columns" in attempt.facts:
        says = {column.name: column.description for column in told.contract.columns} if told.contract else {}
        metadata["dagster/column_schema"] = dg.TableSchema(
            [dg.TableColumn(name, kind, description=says.get(name)) for name, kind in attempt.facts["columns"]]
        )
    if told.sql:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{told.sql}\n```")
        metadata["dagster/column_lineage"] = _lineage(told.sql, tuple(name for name, _ in attempt.facts["columns"]))
    return metadata


def _lineage(sql: str, columns: tuple[str, ...]) -> dg.TableColumnLineage:
    sql, _ = undated(sql)
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(asset), source) for asset, source in sources]
            for column, sources in column_lineage(sql, tuple(STEPS), columns).items()
        }
    )
