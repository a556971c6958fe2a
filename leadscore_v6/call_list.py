"""The call list of a day, as files: read from the published scores, written for people and for the CRM.

Belongs here: whose scores are read, the files of associates and exclusions, the files that are written. Does not belong
here: the list itself (production/call_list.py), commands (cli_production.py). Nothing in the warehouse is changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pandas as pd

from leadscore_v6.artifacts.store import ArtifactStore
from leadscore_v6.assets.experiment.plan import ASSIGNMENTS, whole_table
from leadscore_v6.assets.production.data import PRODUCTION, production_settings, read_calls, read_day, read_last_dials
from leadscore_v6.assets.shadow.data import scoring_settings
from leadscore_v6.assets.snapshots import snapshot_day
from leadscore_v6.contracts import canonical_crd
from leadscore_v6.errors import GateBlocked, InputError, UsageError
from leadscore_v6.gates.bench import read_ledger
from leadscore_v6.gates.caveats import caveats
from leadscore_v6.gates.champions import require_champion
from leadscore_v6.gates.extract import LEADS, days_reached, known_extract_day
from leadscore_v6.gates.guard import Obstacle, obstacle_as_delivered, obstacle_at
from leadscore_v6.gates.ledger import Attempt, Ledger
from leadscore_v6.gates.lineage import is_synthetic, told, withdrawn_behind
from leadscore_v6.gates.programme import experiment_runs, plan_in_force
from leadscore_v6.locations import Location, reaching
from leadscore_v6.production.call_list import EXCLUDED, IN_TEST, CallList, call_list
from leadscore_v6.production.crm_import import crm_table, require_fields
from leadscore_v6.production.settings import CallListSettings
from leadscore_v6.reports.markdown import bullets
from leadscore_v6.reports.production import of_prospects, trend_against
from leadscore_v6.reports.step import SYNTHETIC, caveats_block
from leadscore_v6.settings import Settings
from leadscore_v6.warehouse.engines import open_warehouse
from leadscore_v6.warehouse.protocol import Warehouse

DIALS = "crm_dials"
# Of one delivery, in order. A step that was kept from beginning leaves its former attempt as the latest.
_DELIVERED = (("leads", LEADS), ("associates", "crm_associates"), ("dials", DIALS))
_NO = {"0", "false", "no", "n"}
_YES = {"1", "true", "yes", "y"}
_COMPUTED = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so, a spreadsheet computes
# What every sum of the probabilities of such leads comes with.
_OF_DIALLED = (
    "The model learned what follows a lead's first dial (R50): of leads that were dialled before, and gave no call, it "
    "says what it would have said then. Expect fewer calls of them."
)
_OF_RECORDS = (
    "For the CRM: of {several:,} advisors it has several records, of {new:,} none (`crm_records`). Find the record of "
    "a lead by its Id, not by the CRD; a prospect has none that is open."
)
_STEM = "call_list_v6_"  # and the day; the names of a list's files begin so
_FOR = ("people", "the CRM", "the record")


@dataclass(frozen=True)
class CallListRequest:
    """What is asked for. None: what config/v6_production.yaml says, the newest scored day, the home's artifacts.

    The newest day is refused if it has grown stale; one that is named is not, and the list says how old it is.
    """

    associates: Path
    excluded: Path | None = None
    day: date | None = None
    per_associate: int | None = None
    firm_cap: int | None = None
    out: Location | None = None


@dataclass(frozen=True)
class Written:
    """The list, of which day and model it is, what must be known of that model, and the files by name.

    logs_dials: whether a log of dials was landed. dialled_until: day of its newest one; None where it has none. trend:
    what the column of that name is against, in words.
    """

    made: CallList
    day: date
    model: str
    caveats: Sequence[str]
    synthetic: bool
    logs_dials: bool
    dialled_until: date | None
    trend: str = ""
    paths: Mapping[str, Location] = field(default_factory=dict)

    def __str__(self) -> str:
        """As the command prints it."""
        warned = [*(["SYNTHETIC DATA: these are no real advisors."] if self.synthetic else []), *self.caveats]
        where = (f"For {whom}: {path}" for whom, path in zip(_FOR, self.paths.values(), strict=False))
        return "\n".join([*self._told(), *(f"Warning: {one}" for one in warned), *where])

    def page(self) -> str:
        """The same as Markdown, to go with the list."""
        head = [f"# Call list of {self.day}", *([SYNTHETIC] if self.synthetic else []), *caveats_block(self.caveats)]
        first, *rest = self._told()
        return "\n\n".join([*head, first, bullets(line.strip() for line in rest)]) + "\n"

    def _told(self) -> list[str]:
        rows, expected = self.made.rows, self.made.expected
        whom = f"{_counted(len(rows), 'advisor')} for {_counted(len(expected), 'associate')}"
        lines = [f"{whom}, by the scores of {self.day} (model {self.model})."]
        is_lead, again = rows["kind"] == "lead", rows["last_dial_on"].notna()
        for name in expected:
            of_whom = rows["associate"] == name
            leads, dialled, prospects = (
                rows.loc[of_whom & some, "probability"] for some in (is_lead, is_lead & again, ~is_lead)
            )
            lines.append(
                f"  {name:<24} {len(leads):>6,} leads, {leads.sum():8.2f} calls expected of one dial each (of whom "
                f"{len(dialled):,} were dialled before, {dialled.sum():.2f}); {len(prospects):>6,} prospects, "
                f"{prospects.sum():8.2f} if they were leads"
            )
        if (is_lead & again).any():
            lines.append(_OF_DIALLED)
        if not is_lead.all():
            contacted = int(rows.loc[~is_lead, "last_contact_on"].notna().sum())
            lines.append(of_prospects(f"{contacted:,} of these {int((~is_lead).sum()):,} were contacted before"))
        if self.made.left_out:
            lines.append(
                "Not on it: " + "; ".join(f"{count:,} {why}" for why, count in self.made.left_out.items()) + "."
            )
        without_dials = "the log of dials is empty" if self.logs_dials else "no Dials.csv was landed"
        lines.append(
            f"Dials are known up to {self.dialled_until}."
            if self.dialled_until
            else f"Nobody was left out for having been dialled lately: {without_dials}."
        )
        if self.trend:
            lines.append(self.trend)
        several, new = int((rows["crm_records"] > 1).sum()), int((rows["crm_records"] == 0).sum())
        if several or new:
            lines.append(_OF_RECORDS.format(several=several, new=new))
        without = int(rows["reasons"].isna().sum())
        if without:
            lines.append(
                f"{without:,} have no reasons: scores.prospects_with_reasons of v6_production.yaml is too low."
            )
        return lines


def write_call_list(settings: Settings, asked: CallListRequest) -> Written:
    """Make the list and write it.

    Raises UsageError: no such day, a day scored by another model than the champion, a field map that does not fit;
    GateBlocked when the day's scores or the dialler's log do not hold, or what the scores were made from was withdrawn
    since; InputError in the files of associates and exclusions.
    """
    config = production_settings()
    require_fields(config.crm_import)
    associates = read_associates(asked.associates)
    ledger, _ = read_ledger(settings)
    attempt = _scored(ledger, asked.day)
    day = snapshot_day(str(attempt.partition))
    age = _age(ledger, attempt, config.call_list.stale_after_days)
    if asked.day is None:
        _refuse_stale(age, day)
    excluded = read_exclusions(asked.excluded, day) if asked.excluded else frozenset()
    # By the rules of today: who was excluded after the day was scored is not called either.
    rules = scoring_settings()
    excluded |= rules.advisors
    with open_warehouse(settings, read_only=True) as warehouse:
        scores = read_day(warehouse, f"{warehouse.dataset}.{PRODUCTION}", day)
        called, in_test = read_calls(warehouse), read_in_test(warehouse, ledger)
        dialled = read_last_dials(warehouse)
    scores = scores[~scores["Id"].isin(rules.leads)]
    scores = scores.assign(
        last_dial_on=pd.to_datetime(scores["FA_CRD__c"].map(dialled)),
        last_call_on=scores["FA_CRD__c"].map(called["last_call_on"]),
        crm_records=scores["FA_CRD__c"].map(called["crm_records"]).fillna(0).astype("int64"),
    )
    barred = {EXCLUDED: excluded, IN_TEST: in_test}
    made = call_list(scores, associates, barred, day, _settings(config.call_list, asked))
    reign, log = require_champion(ledger), ledger.latest(DIALS)
    written = Written(
        made,
        day,
        reign.version,
        [*caveats(ledger, reign, day), *([age] if age else [])],
        is_synthetic(ledger, PRODUCTION),
        log is not None and "digest" in log.facts,
        max(dialled.values(), default=None),
        trend_against(attempt.facts),
    )
    stem = f"{_STEM}{day:%Y%m%d}"
    files = {
        f"{stem}.csv": _csv(made.rows),
        f"{stem}_crm_import.csv": _csv(crm_table(made.rows, config.crm_import)),
        f"{stem}.md": written.page(),
    }
    return replace(written, paths=ArtifactStore(asked.out or settings.artifacts).write_together(files))


def lists_by(settings: Settings, version: str) -> list[Location]:
    """Lists among the home's artifacts that were made by the scores of that model, oldest day first: those for people.

    One that does not tell its model any more, because somebody changed it, is among them; one with nobody on it is not.
    Lists that were written elsewhere (`--out`) are not known here.
    """
    with reaching(settings.artifacts):
        lists: list[Location] = [*settings.artifacts.glob(f"{_STEM}{'[0-9]' * 8}.csv")]
        by_day = sorted(lists, key=lambda file: file.name)
        return [file for file in by_day if _may_be_by(version, file.read_bytes())]


def _may_be_by(version: str, content: bytes) -> bool:
    try:
        first = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))), None)
    except (UnicodeDecodeError, csv.Error):
        return True
    return first is not None and first.get("model_version", version) == version


def read_in_test(warehouse: Warehouse, ledger: Ledger) -> frozenset[str]:
    """Canonical CRDs of the advisors of both arms while a test runs; after it has ended, nobody's.

    A list dials best first: whom it takes of the control arm is control no more (R28).
    """
    plan = plan_in_force(ledger)
    if plan is None or not experiment_runs(ledger):
        return frozenset()
    assigned = whole_table(warehouse, ASSIGNMENTS, "assignments")
    return frozenset(assigned.loc[assigned["fingerprint"] == plan.facts["plan"]["fingerprint"], "crd"])


def read_associates(file: Path) -> list[str]:
    """Names of the column `associate`, in order; where there is a column `active`, those who are.

    Raises InputError: not readable, no such column, a name empty, twice or computed by a spreadsheet, another word than
    yes or no, nobody active.
    """
    names: list[str] = []
    for row, record in _records(file, "associate"):
        name, active = record["associate"].strip(), record.get("active", "yes").strip().lower()
        if name.startswith(_COMPUTED):
            what = f"An associate begins with {name[0]!r}: a spreadsheet that opens the list would compute it"
            raise InputError(what, str(file), "associate", row, "write the name without it.")
        if not name or name in names:
            raise InputError(
                f"An associate {'without a name' if not name else 'who is there twice'}", str(file), "associate", row
            )
        if active not in _NO | _YES:
            raise InputError(
                f"{active!r} does not say whether the associate is active", str(file), "active", row, "write yes or no."
            )
        if active not in _NO:
            names.append(name)
    if not names:
        raise InputError("No associate is active: there is nobody to call", str(file), remedy="name at least one.")
    return names


def read_exclusions(file: Path, day: date) -> frozenset[str]:
    """Canonical CRDs of the column `FA_CRD__c`; where there is a column `until`, those whose day is not over on `day`.

    Raises InputError: not readable, no such column, what is no CRD (R34) or no day.
    """
    found = set()
    for row, record in _records(file, "FA_CRD__c"):
        crd = canonical_crd(record["FA_CRD__c"])
        if crd is None:
            raise InputError("This is no CRD", str(file), "FA_CRD__c", row, "write its digits.")
        until = record.get("until", "").strip()
        try:
            if not until or date.fromisoformat(until) >= day:
                found.add(crd)
        except ValueError:
            raise InputError(f"{until!r} is no day of the form YYYY-MM-DD", str(file), "until", row) from None
    return frozenset(found)


def _records(file: Path, column: str) -> list[tuple[int, dict[str, str]]]:
    """Rows by number, each with as many fields as the first line names columns, every name once and `column` one."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as content:
            reader = csv.reader(content, strict=True)
            names = [name.strip() for name in next(reader, [])]
            rows = [(row, fields) for row, fields in enumerate(reader, start=2) if fields]
    except OSError as error:
        raise InputError(f"The file cannot be read: {error.strerror}", str(file)) from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError("The file is no CSV in UTF-8", str(file)) from None
    if column not in names:
        raise InputError(f"There is no column {column}", str(file), column, remedy="name it in the first line.")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputError(f"The column {twice[0]} is there twice", str(file), twice[0], 1, "leave one of them.")
    for row, fields in rows:
        if len(fields) != len(names):
            what = f"The row has {len(fields)} fields, the first line names {len(names)} columns"
            raise InputError(what, str(file), row=row, remedy='put a field with a comma in it between ".')
    return [(row, dict(zip(names, fields, strict=True))) for row, fields in rows]


def _age(ledger: Ledger, attempt: Attempt, most: int) -> str:
    """How old the scores are, in words; empty where they are not over `most` days behind the extract, or made before.

    The extract's day does not tell of a feed that has stopped: both stand still.
    """
    day, extract, made = snapshot_day(str(attempt.partition)), known_extract_day(ledger), attempt.started_at
    told = []
    if extract is not None and (extract - day).days > most:
        told.append(f"the newest CRM extract is {(extract - day).days} days newer")
    if made is not None and (ledger.today - made.date()).days > most:
        told.append(f"they were made {(ledger.today - made.date()).days} days ago")
    return f"The scores are of {day}, and {' and '.join(told)}." if told else ""


def _refuse_stale(age: str, day: date) -> None:
    if age:
        raise GateBlocked(
            f"No call list by stale scores. {age}\n"
            "  what to do: deliver the newest CRM extract and score it: `leadscore score --data DIR`. To call by these "
            f"scores all the same, name their day: `--day {day}`."
        )


def _scored(ledger: Ledger, asked: date | None) -> Attempt:
    """The day's scores; None: of the newest day that was scored, not later than the extract that serves."""
    keys = days_reached(ledger, PRODUCTION)
    if not keys:
        raise UsageError("No day that the CRM extract reaches has been scored yet: `leadscore score`.")
    key = f"{asked:%Y%m%d}" if asked else keys[-1]
    if key not in keys:
        raise UsageError(
            f"{asked} has not been scored, or lies after the CRM extract; the newest day is {snapshot_day(keys[-1])}: "
            "`leadscore score --day`."
        )
    _refuse("scores", obstacle_at(ledger, PRODUCTION, key))
    reign, attempt = require_champion(ledger), ledger.latest(PRODUCTION, key)
    assert attempt is not None, "it holds"
    if gone := withdrawn_behind(ledger, attempt):
        lines = "\n".join(f"  - {told(one)}" for one in gone)
        raise GateBlocked(
            f"No call list from the scores of {snapshot_day(key)}: an input was withdrawn since.\n{lines}\n"
            f"  what to do: score the day again with what serves now: `leadscore score --day {snapshot_day(key)}`."
        )
    # A log that was stopped may have the dials of this week: without them somebody is called twice (R38, R50). So may
    # one that was not read, because leads or associates beside it were stopped, or the run was killed before it.
    for what, asset in _DELIVERED:
        if asset == DIALS or ledger.latest(asset) is not None:
            _refuse(what, obstacle_as_delivered(ledger, asset))
    scored_by = str(attempt.facts["model_version"])
    if scored_by != reign.version:
        raise UsageError(
            f"{snapshot_day(key)} was scored by model {scored_by}, and {reign.version} is champion since "
            f"{reign.since:%Y-%m-%d %H:%M}: score it again with `leadscore score --day {snapshot_day(key)}`."
        )
    return attempt


def _refuse(what: str, obstacle: Obstacle | None) -> None:
    if obstacle is not None:
        raise GateBlocked(
            f"No call list from {what} that do not hold.\n  - {obstacle}\n  what to do: `leadscore status`."
        )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _settings(configured: CallListSettings, asked: CallListRequest) -> CallListSettings:
    return replace(
        configured,
        per_associate=asked.per_associate or configured.per_associate,
        firm_cap=asked.firm_cap or configured.firm_cap,
    )


def _csv(table: pd.DataFrame) -> str:
    """The same rows give the same bytes."""
    shown = table.copy()
    for name in shown.columns:
        if pd.api.types.is_datetime64_any_dtype(shown[name].dtype):
            shown[name] = shown[name].dt.strftime("%Y-%m-%d")
    target = io.StringIO()
    shown.to_csv(target, index=False, lineterminator="\n", float_format="%.6f")
    return target.getvalue()
