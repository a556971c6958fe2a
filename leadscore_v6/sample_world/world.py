"""Plays a world from its spec and writes it: feeds, Lead.csv, README.txt, and the truth somewhere else.

Belongs here: the order of things and what is reported about them. Does not belong here: any random draw.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from leadscore_v6.errors import UsageError
from leadscore_v6.locations import make_folder
from leadscore_v6.sample_world.evidence import EvidenceCollector
from leadscore_v6.sample_world.feed import FeedWriter
from leadscore_v6.sample_world.figures import average_precision, roc_auc
from leadscore_v6.sample_world.firms import draw_firms, draw_surplus
from leadscore_v6.sample_world.leads import Leads, draw_leads, lead_records, write_csv, write_extract
from leadscore_v6.sample_world.outcomes import Outcomes, draw_outcomes
from leadscore_v6.sample_world.panel import Panel
from leadscore_v6.sample_world.roster import draw_roster
from leadscore_v6.sample_world.spec import WorldSpec
from leadscore_v6.sample_world.traits import draw_traits

_MARK: Final = "SYNTHETIC DATA"
_README: Final = """{mark}: every advisor, firm, lead and outcome in this folder is invented.

scenario {spec.scenario}, seed {spec.seed}, {spec.reps} advisors on the first of {spec.quarters} snapshots,
{leads} leads, {columns} feeds. Each file says so too, in its column Synthetic_Data.

RIARepDataFeed_YYYYMMDD.csv  one snapshot each, rows are advisor x RIA firm
Lead.csv                     the CRM extract, of {extracted}{played}
The truth (every lead's probability) is not here, and the pipeline never reads it.
"""
_PLAYED: Final = """
Dials.csv                    the dials of the played weeks
Associates.csv               who makes them"""
# What a played world keeps beside the truth (played.py), and what it adds to the feed.
HISTORY: Final = "history.csv"
SPEC: Final = "spec.json"
_KEPT: Final = (SPEC, HISTORY, "played.json", "played_leads.csv", "played_queue.csv", "advisors_??_????????.npz")
_ADDED: Final = ("Dials.csv", "Associates.csv")


@dataclass(frozen=True)
class WorldSummary:
    """What was written. Rates and figures are over contacted leads with a CRD; the figures leave out negative days."""

    folder: Path
    truth: Path
    feed_rows: dict[str, int]
    leads: int
    contacted_with_crd: int
    match_rate: float
    positive_rate: float
    true_auc: float
    true_auc_pr: float

    def __str__(self) -> str:
        """Four lines for a person."""
        return (
            f"{len(self.feed_rows)} feeds, {sum(self.feed_rows.values()):,} rows in {self.folder} (all synthetic)\n"
            f"{self.leads:,} leads, {self.contacted_with_crd:,} contacted and with a CRD, {self.match_rate:.1%} on a "
            f"snapshot, {self.positive_rate:.2%} positive\n"
            f"the truth itself: AUC {self.true_auc:.3f}, AUC-PR {self.true_auc_pr:.3f}\n"
            f"it is in {self.truth}, which the pipeline never reads"
        )


def write_world(
    folder: Path,
    spec: WorldSpec,
    progress: Callable[[str], None] = lambda _: None,
    truth: Path | None = None,
) -> WorldSummary:
    """Write the world of `spec` into `folder`, and its truth to `truth` (default: `<folder>.truth/truth.csv`).

    Only a world with its truth in the default place can be played on: what that needs is kept there, too.
    A world that is there already is replaced. Raises UsageError if the folder has feeds or leads that are not marked
    as synthetic: they might be real, and are never overwritten.
    """
    truth = truth or truth_folder(folder) / "truth.csv"
    _clear(folder, truth)
    progress(f"drawing {spec.reps:,} advisors and {spec.leads:,} leads")
    roster = draw_roster(spec)
    traits = draw_traits(spec, roster)
    firms = draw_firms(spec)
    leads = draw_leads(spec, roster, traits)
    collector = EvidenceCollector(leads, traits, len(firms.crd))
    writer = FeedWriter(spec, traits, firms)
    # The mark comes first: a world that was cut short can be replaced.
    write_readme(folder, spec, spec.leads)
    rows = {}
    for snapshot in Panel(spec, roster, traits, firms, draw_surplus(spec, roster, firms)).snapshots():
        collector.look(snapshot)
        path = writer.write(snapshot, folder)
        rows[path.name] = len(snapshot.row_advisor)
        progress(f"{path.name}: {len(snapshot.row_advisor):,} rows, {path.stat().st_size / 1e6:,.0f} MB")
    outcomes = draw_outcomes(spec, collector.evidence())
    records = lead_records(spec, leads, outcomes.days)
    write_extract(records, spec.last_contact, folder)
    _write_truth(truth, spec, leads, outcomes)
    if truth.parent.resolve() == truth_folder(folder):
        write_csv(records, truth.with_name(HISTORY))
        truth.with_name(SPEC).write_text(json.dumps(asdict(spec)) + "\n", encoding="utf-8")
    progress(f"Lead.csv: {spec.leads:,} records; truth in {truth}")
    return _summary(folder, truth, rows, leads, outcomes)


def truth_folder(feed: Path) -> Path:
    """Where the truth of the world in a folder is, unless it was put elsewhere: beside it, never in it."""
    return feed.resolve().with_name(feed.resolve().name + ".truth")


def write_readme(folder: Path, spec: WorldSpec, leads: int, extracted: date | None = None) -> None:
    """Say in the folder itself that all of it is invented; `extracted` is given once the world has been played on."""
    text = _README.format(
        mark=_MARK,
        spec=spec,
        leads=leads,
        columns="wide" if spec.wide else "narrow",
        extracted=extracted or spec.last_contact,
        played=_PLAYED if extracted else "",
    )
    (folder / "README.txt").write_text(text, encoding="utf-8")


def _clear(folder: Path, truth: Path) -> None:
    """Make the folder ready, removing an older synthetic world and nothing else."""
    if truth.resolve().is_relative_to(folder.resolve()):
        raise UsageError("the truth must not be inside the feed folder")
    make_folder(folder)
    readme = folder / "README.txt"
    old = [*folder.glob("RIARepDataFeed_*"), *folder.glob("Lead.csv")]
    if old and not (readme.is_file() and readme.read_text(encoding="utf-8").startswith(_MARK)):
        raise UsageError(f"{folder} holds {old[0].name}, which is not marked as synthetic: choose another folder")
    added = [folder / name for name in _ADDED if old]
    kept = [path for pattern in _KEPT for path in truth_folder(folder).glob(pattern)]
    for path in (*old, *added, *kept):
        path.unlink(missing_ok=True)


def _write_truth(path: Path, spec: WorldSpec, leads: Leads, outcomes: Outcomes) -> None:
    """Each lead's probability and drawn outcome, with the snapshot it was drawn from."""
    dates = np.array([*(day.isoformat() for day in spec.snapshot_dates), ""], object)
    frame = pd.DataFrame(
        {
            "Id": leads.id,
            "crd": leads.crd,
            "contact_date": np.datetime_as_string(leads.day.astype("datetime64[D]")),
            "counted": leads.counted.astype(int),
            "rep_snapshot_at": dates[leads.matched],
            "probability": outcomes.probability,
            "draw": outcomes.draw,
            "label": outcomes.label.astype(int),
            "days_to_conversion": pd.Series(outcomes.days).astype("Int64"),
        }
    ).sort_values("Id", kind="stable")
    make_folder(path.parent)
    write_csv(frame, path)


def _summary(folder: Path, truth: Path, rows: dict[str, int], leads: Leads, outcomes: Outcomes) -> WorldSummary:
    counted = leads.counted
    judged = counted & ~(outcomes.days < 0)
    return WorldSummary(
        folder=folder,
        truth=truth,
        feed_rows=rows,
        leads=len(leads.id),
        contacted_with_crd=int(counted.sum()),
        match_rate=float((leads.matched[counted] >= 0).mean()),
        positive_rate=float(outcomes.label[judged].mean()),
        true_auc=roc_auc(outcomes.probability[judged], outcomes.label[judged]),
        true_auc_pr=average_precision(outcomes.probability[judged], outcomes.label[judged]),
    )
