"""The model card: what a model is, what it is for and not for, how good it is and for whom, and what is missing.

Belongs here: its text (after Mitchell et al. 2019, "Model cards for model reporting"). Does not belong here: measuring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore_v6.reports.markdown import bullets, table
from leadscore_v6.reports.model_pieces import how_dials_are_known

Facts = Mapping[str, Any]
AUC_PR = "AUC-PR (average precision)"

MADE_FOR = (
    "Ranking leads within a week or a list, so that those who dial begin with the likelier ones.",
    "Saying how likely a call within 30 days of contact is, for a sum over many leads.",
    "Leaving out the bottom: what that would lose is in the performance_validation_report.",
)
NEVER_MADE_FOR = (
    "Judging advisors, or any decision about a person other than whether to call.",
    "Leads of another kind than were contacted before: training saw contacted leads only (R51).",
    "Causes: a reason says what the model leaned on, not what would change a mind.",
)
ALWAYS_MISSING = (
    "Who was contacted was somebody's choice; the model learned within that choice.",
    "Gender is on the droplist and was never measured here: no statement about it can be made from this data.",
)

_NO_SNAPSHOT = "num_prior_firms_is_missing = 1"


def card(figures: Facts, facts: Facts) -> list[str]:
    """Sections of `model_card_v6_….md`."""
    trained, calibrated = facts["trained"], facts["calibrated"]
    blocks = {row["block"]: row for row in trained["blocks"]}
    identity = [
        ("kind", f"{trained['names']['model']}, {trained['rounds']} trees, {trained['matrix_columns']} features"),
        ("calibration", f"Platt on the margin, by {calibrated['segment_column']}, shrunk toward the global one"),
        ("training set", f"{facts['dataset_version']}, as of {trained['as_of']}"),
        *((f"{name} block", _block(row)) for name, row in blocks.items()),
        ("what was validated", "is what ships: nothing was fitted again on all data (R17)"),
    ]
    return [
        "## What it is\n\n" + table(["", ""], identity),
        "## Made for\n\n" + bullets(MADE_FOR),
        "## Not made for\n\n" + bullets((*NEVER_MADE_FOR, _no_promise(calibrated))),
        "## How good it is\n\n" + _figures(calibrated),
        "## Performance by subgroup, on the holdout\n\n" + _subgroups(calibrated),
        "## What is known to be missing\n\n" + bullets((*_missing(facts), _unknown(calibrated), *ALWAYS_MISSING)),
    ]


def _block(row: Facts) -> str:
    leads = f"{row['leads']:,} leads, {row['positives']:,} positive ({row['prevalence']:.2%})"
    return f"{row['from']} to {row['to']}: {leads}"


def _no_promise(calibrated: Facts) -> str:
    best = calibrated["deciles"][0]
    return (
        f"Reading one score as a promise: of the {best['leads']:,} leads of the holdout's highest decile "
        f"{best['positives']:,} ({best['rate']:.1%}) scheduled a call, and the others did not."
    )


def _missing(facts: Facts) -> list[str]:
    """What this model's own data lacked."""
    trained, calibrated, dials = facts["trained"], facts["calibrated"], facts["dials"]
    found = []
    if trained["empty"]:
        found.append(
            f"{len(trained['empty'])} features were empty for all training leads, and are no part of it: "
            f"{', '.join(trained['empty'])}."
        )
    if not calibrated["tiers_known"]:
        found.append(f"No AUM tier is known, and none could be judged: segments are of {calibrated['segment_column']}.")
    left_out = (
        f"Left out were {dials['undialled']:,} leads that nobody dialled, and {dials['unknown']:,} of which it is not "
        "known."
        if dials["undialled"] or dials["unknown"]
        else "None was left out for not having been dialled."
    )
    found.append(
        f"Figures per dial assume one dial per lead: {how_dials_are_known(dials)}. A lead from before there were "
        f"records counts as dialled on the day of its contact. {left_out} (R50)"
    )
    return found


def _unknown(calibrated: Facts) -> str:
    """Of leads without a snapshot: which row above is theirs, if there is one, and what it comes to."""
    text = "A lead without a snapshot is scored with everything missing (R25)"
    own = [row for row in calibrated["subgroups"] if row["subgroup"] == _NO_SNAPSHOT]
    if not own:
        return f"{text}; no figure here is of such leads alone."
    return (
        f"{text}: among each other such leads cannot be ranked. The row `{_NO_SNAPSHOT}` above is of them alone: "
        f"{own[0]['leads']:,} leads, {own[0]['positives']:,} positive, AUC-ROC {_with_interval(own[0]['auc_roc'])}; "
        "other rows of what is missing have them too."
    )


def _figures(calibrated: Facts) -> str:
    estimates, after = calibrated["estimates"], calibrated["after"]
    rows = [
        (AUC_PR, _with_interval(estimates["auc_pr"]), f"{calibrated['holdout']['prevalence']:.3f}"),
        ("AUC-ROC", _with_interval(estimates["auc_roc"]), "0.5"),
        ("lift of the top decile", _with_interval(estimates["lift_top_decile"]), "1"),
        ("expected / observed", _with_interval(after["expected_observed"]), "(1 is right)"),
        ("slope", _with_interval(after["slope"]), "(1 is right)"),
    ]
    return table(["on the holdout", "value (95 % interval over advisors)", "a random order"], rows)


def _subgroups(calibrated: Facts) -> str:
    rows = [
        (
            row["subgroup"],
            row["leads"],
            row["positives"],
            f"{row['prevalence']:.2%}",
            _with_interval(row["auc_pr"]),
            _with_interval(row["auc_roc"]),
            _with_interval(row["expected_observed"]),
        )
        for row in calibrated["subgroups"]
    ]
    header = ["subgroup", "leads", "positive", "prevalence", AUC_PR, "AUC-ROC", "expected / observed"]
    note = (
        "AUC-PR depends on the share that converts: compare it with the prevalence beside it. Without an interval "
        "there are too few conversions to say more."
    )
    return f"{note}\n\n{table(header, rows)}"


def _with_interval(found: list[float | None]) -> str:
    value, low, high = found
    text = "not judgeable" if value is None else f"{value:.3f}"
    return text if low is None or high is None else f"{text} ({low:.3f} to {high:.3f})"
