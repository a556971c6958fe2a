"""What a step's report says beyond its gates: losses per column, tables of snapshots, the class imbalance.

Those of the model's reports are in `model.py` and `model_headlines.py`, of shadow scoring in `shadow.py`, of the
experiment in `experiment.py`, of production in `production.py`, the monthly ones in `monitoring.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadscore_v6.reports import experiment, model, model_headlines, monitoring, production, shadow
from leadscore_v6.reports.markdown import table

Facts = Mapping[str, Any]


def topic(report: str) -> str:
    """What a report is about: its file's name without version and ending."""
    return report.partition("_v6")[0].removesuffix(".md")


def headlines(about: str, figures: Facts, facts: Facts) -> tuple[str, ...]:
    """What a person must read first, in plain words, right after the verdict."""
    own = {**model_headlines.HEADLINES, **shadow.HEADLINES, **experiment.HEADLINES}
    make = {**own, **production.HEADLINES, **monitoring.HEADLINES}.get(about)
    return tuple(make(figures, facts)) if make else ()


def sections(about: str, figures: Facts, facts: Facts) -> tuple[str, ...]:
    """The extra sections of one report, from its step's figures and facts."""
    own = {**model.SECTIONS, **shadow.SECTIONS, **experiment.SECTIONS, **production.SECTIONS, **monitoring.SECTIONS}
    make = {**_SECTIONS, **own}.get(about)
    return tuple(make(figures, facts)) if make else ()


def _raw(figures: Facts, facts: Facts) -> list[str]:
    renamed = facts.get("renamed", {})
    if not renamed:
        return []
    rows = [(f"`{name}`", f"`{legal}`") for name, legal in renamed.items()]
    return ["## Columns whose name was made legal\n\n" + table(["in the file", "in the table"], rows)]


def _reps(figures: Facts, facts: Facts) -> list[str]:
    found = []
    for kind, title in (
        ("typing_loss__", "Values that did not fit their column's type (blank is no loss)"),
        ("domain_loss__", "Values outside a column's documented words"),
    ):
        rows = [(f"`{name[len(kind) :]}`", value) for name, value in figures.items() if name.startswith(kind)]
        lost = sorted((row for row in rows if row[1]), key=lambda row: -row[1])
        body = table(["column", "rows"], lost) if lost else f"None, in {len(rows)} columns."
        found.append(f"## {title}\n\n{body}")
    return found


def _schemas(figures: Facts, facts: Facts) -> list[str]:
    violations = facts["violations"]
    if violations:
        head = "STATUS: 🛑 FAILED"
    else:
        head = (
            f"STATUS: ✅ SUCCESS - All {facts['rep_tables']} rep tables and {facts['firm_tables']} firm tables "
            "match their data contracts."
        )
    rows = [(f"`{name}`", count, extras) for name, count, extras in facts["tables"]]
    text = f"{head}\n\n" + table(["table", "columns", "beyond the contract"], rows)
    if violations:
        text += "\n\n" + "\n".join(f"- {violation}" for violation in violations)
    return ["## Tables\n\n" + text]


def _view(figures: Facts, facts: Facts) -> list[str]:
    rows = [(f"`{name}`", count) for name, count in facts["rows_by_table"].items()]
    return ["## Snapshots in the view\n\n" + table(["table", "rows"], rows)]


def _staging(figures: Facts, facts: Facts) -> list[str]:
    rows = [
        (row["quarter"], row["leads"], row["with_rep"], f"{row['rep_match_rate']:.1%}") for row in facts["quarters"]
    ]
    return ["## Match rate by quarter of contact\n\n" + table(["quarter", "leads", "with rep data", "rate"], rows)]


def _training(figures: Facts, facts: Facts) -> list[str]:
    imbalance = [
        ("Class Imbalance Metrics (V6 - True Vintage)", ""),
        ("total_samples", figures["total_samples"]),
        ("positive_samples", figures["positive_samples"]),
        ("negative_samples", figures["negative_samples"]),
        ("positive_class_percent", figures["positive_class_percent"]),
        ("imbalance_ratio", figures["imbalance_ratio"]),
    ]
    quarters = [
        (row["quarter"], row["leads"], row["positives"], f"{row['positive_percent']:.2f}") for row in facts["quarters"]
    ]
    return [
        "## Class imbalance\n\n" + table(["metric_type", "value"], imbalance),
        "## By quarter of contact\n\n" + table(["quarter", "leads", "positive", "positive %"], quarters),
        _manifest(facts["manifest"]),
    ]


def _manifest(manifest: Facts) -> str:
    files = [(file["name"], f"{file['records']:,}", f"`{file['sha256']}`") for file in manifest["files"]]
    told = [*manifest["options"].items(), *manifest["libraries"].items()]
    return (
        "## Made from\n\nThe manifest beside this report says the same, and the content of every step before.\n\n"
        + table(["file", "records", "SHA-256"], files)
        + "\n\n"
        + table(["option or library", "value"], told)
    )


_SECTIONS: dict[str, Callable[[Facts, Facts], list[str]]] = {
    "step_1_3_validation_report": _raw,
    "step_1_5_validation_report": _reps,
    "step_1_7_schema_validation_report": _schemas,
    "step_2_master_view_report": _view,
    "step_3_1_staging_join_report": _staging,
    "step_3_3_class_imbalance_analysis": _training,
}
