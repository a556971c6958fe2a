"""Writes a part of operating-characteristics.md: `python -m docs.monitoring_characteristics` (two minutes).

How often monitoring cries wolf in a quiet year, and what drift it finds, over worlds of known truth
(tests/monitoring/operating.py). `make prove` does it again and holds the page against it. The parts of the model and
of the experiment are operating_characteristics.py's and experiment_characteristics.py's.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from docs.operating_characteristics import put
from tests.monitoring import operating as of

Worlds = dict[tuple[str, tuple[Any, ...]], list[Counter[str]]]  # by `Row.key`, what each seed came to
TITLE = "# Operating characteristics of the monitoring"


@dataclass(frozen=True)
class Row:
    """A kind of world: `worlds` seeds of `simulate(seed, *given)`. `promise` is the most alerts in a quiet year."""

    name: str
    simulate: Callable[..., Counter[str]]
    given: tuple[Any, ...]
    worlds: int
    promise: float | None = None
    counted: str = "alerts"

    @property
    def key(self) -> tuple[str, tuple[Any, ...]]:
        """Rows of the same worlds are simulated once."""
        return self.simulate.__name__, self.given


QUIET = (
    Row("class balance, weekly, 1,000 leads", of.balance, (), 60, 0.75),
    Row("drift, monthly, 80 features and the score, 4,300 leads", of.quiet_months, (of.MONTH,), 8, 0.6),
    Row("drift, the same with 200 leads a month", of.quiet_months, (of.SMALL_MONTH,), 8, 0.6),
    Row("drift, 4,300 leads after a training on 2,000", of.quiet_months, (of.MONTH, of.SMALL_TRAINING), 8, 0.6),
    Row("drift of the score of dialled leads, monthly, 1,800 leads", of.dialled_months, (), 10, 0.6),
    Row("availability, daily, twenty features, 12,600 open leads", of.available, (of.ALL_OPEN,), 10, 0.365),
    Row("availability, the same with 143 open leads", of.available, (of.FEW_OPEN,), 200, 0.365),
    *(
        Row(f"health, daily, {leads:,} open leads: {name}", of.healthy_year, (*shares, leads), worlds, promise)
        for leads, worlds in ((of.ALL_OPEN, 10), (of.FEW_OPEN, 100))
        for name, shares, promise in (
            ("none skipped, none failed", (0.0, 0.0), 0.0),
            ("0.1 % skipped, 0.01 % failed", (0.001, 0.0001), 0.0 if leads == of.ALL_OPEN else None),
            ("0.3 % skipped, 0.05 % failed", (0.003, 0.0005), 0.0 if leads == of.ALL_OPEN else None),
        )
    ),
)
QUIET_LOOKS = (
    Row("performance, monthly: AUC below its promise", of.looked, (1.0, 1.0), 120, 0.6, "dropped"),
    Row("performance, monthly: expected over observed outside 0.9 to 1.1", of.looked, (1.0, 1.0), 120, 0.6, "ratio"),
)
BASE_RATE = tuple(Row(f"× {ratio:g}", of.balance, (ratio, 13), 40) for ratio in (0.5, 0.7, 0.85, 1.15, 1.3, 1.5, 2.0))
BASE_RATE_LOOKS = tuple(
    Row(f"× {ratio:g}", of.looked, (1.0, ratio), 40) for ratio in (0.5, 0.7, 0.85, 1.15, 1.3, 1.5, 2.0)
)
CONCEPT = tuple(
    Row(f"{share:.0%} of what the score knows still holds", of.looked, (share, 1.0), 40)
    for share in (0.9, 0.75, 0.5, 0.25, 0.0)
)
MOVED = tuple(
    Row(name.format(size), of.moved, (kind, size, leads), 25)
    for kind, name, sizes in (
        ("shift", "a normal number shifts by {:g} sd", (0.25, 0.5, 0.75, 1.0)),
        ("missing", "a number, 10 % missing, loses {:.0%} more", (0.1, 0.15, 0.2, 0.3)),
        ("new category", "a category of fifty levels gains one: {:.0%} of leads", (0.01, 0.03, 0.05, 0.1)),
        ("score", "the score's log-odds shift by {:g}", (0.25, 0.5, 0.75, 1.0)),
    )
    for size in sizes
    for leads in (of.MONTH, of.SMALL_MONTH)
)
GONE = tuple(
    Row(f"{points:.0%} more are missing", of.available, (leads, points, 1), worlds)
    for points in (0.05, 0.15, 0.25, 0.4)
    for leads, worlds in ((of.FEW_OPEN, 200), (of.ALL_OPEN, 20))
)
CONTEST = tuple(
    Row(name, of.contest, (aucs, dialled, common), worlds)
    for name, aucs, common, worlds in (
        ("equal: .84 and .84", (0.84, 0.84), 0.5, 200),
        ("equal, and nine tenths alike", (0.84, 0.84), 0.9, 200),
        ("a little better: .84 and .85", (0.84, 0.85), 0.5, 60),
        ("better: .84 and .86", (0.84, 0.86), 0.5, 60),
        ("better: .84 and .87", (0.84, 0.87), 0.5, 60),
        ("much better: .78 and .84", (0.78, 0.84), 0.5, 60),
        ("a little worse: .84 and .83", (0.84, 0.83), 0.5, 60),
        ("worse: .84 and .82", (0.84, 0.82), 0.5, 60),
    )
    for dialled in (1.0, of.CAPACITY)
)
STOCK = tuple(
    Row(name, of.contest, (aucs, 0.02, common, 0.005), 60)
    for name, aucs, common in (
        ("equal: .84 and .84", (0.84, 0.84), 0.5),
        ("equal, and nine tenths alike", (0.84, 0.84), 0.9),
        ("better: .84 and .86", (0.84, 0.86), 0.5),
        ("worse: .84 and .82", (0.84, 0.82), 0.5),
    )
)
HEAD = f"""{TITLE}

How often an alarm is false, and which drift is found. Simulated, not argued: worlds of known truth, judged by the
product's own functions with the product's own settings (`config/monitoring_schedule_v6.yaml`). A week has 1,000
leads, 3.4 % positive, a month 4,300; training 27,300. On a day some 12,600 leads are open, those of ninety days
without a call (R51), nearly all of them the same as the day before; a small home has 143 of them. Of the leads the
best-scored 45 % are dialled, and performance is judged on those alone, thirteen weeks at a time. Features are
independent of each other here; real ones are not, and Holm is then on the safe side. So are leads; real ones of one
firm have its features in common, and of those chance moves more than here. Nulls and bootstraps take fewer draws than
in production.

Written by `python -m docs.monitoring_characteristics`; `make prove` runs it again and fails if this part differs, or if
a quiet year has more alerts than it promises.
"""

READING = """## How to read it

The plan's own thresholds, alone, are alarms that one learns to ignore: the 5 % of class balance are passed in four of
five quiet weeks. With their companions (R29, R30, R40) a quiet year is nearly silent. A day's health is that of all
open leads: with 12,600 it takes 63 that fail to alert, and no chance does that. Health has no companion: where 143
are open, one that failed is 0.7 % and two that were skipped are 1.4 %, so that the plan's thresholds alert on single
leads, stop the scores of that day, and go on until the lead is open no more. That is the plan's word, and each such
lead is worth a look. Availability has one, for the gate as for the alert: there the ten points alone would stop a
small home by chance, and for weeks, since its leads are mostly those of the day before.

The price of silence is what is not found. A base rate that moves by 15 % is hardly told from chance, week by week or in
thirteen weeks. A PSI of 0.25 is a large move: a normal number has to shift by more than half a standard deviation, or
lose 15 to 20 % of its values. A level that training never had needs 5 % of the leads, beside however many rare ones; a
training so small that it lacks levels of a category expects such leads, and is not alarmed.

R31 leaves a challenger outside that is a little better, most of the time. Where the champion chose who is dialled, its
score has said of these leads what it knows, and another one of the same worth looks better than it is, the more so the
less alike the two are. So those leads alone are compared that both would have dialled, each by its place among all that
came: swap two equal models, and the same leads are compared. An equal challenger then takes the place as rarely as on
leads that nobody chose, and a better one about as often, for the best leads hold most conversions. What this does not
reach is a choice made before a lead was one: of advisors whom a call list brought in, the peers are in no extract.
Two models that are much alike are judged rightly on them too; of two that are not, the challenger wins, though it be
worse. Where such leads are many, a promotion is a person's decision to look at twice.
"""


# --- what stands in a cell --------------------------------------------------------------------------------------------

Cell = tuple[Row, Callable[[Row, list[Counter[str]]], str]]


def share(what: str) -> Callable[[Row, list[Counter[str]]], str]:
    """Per look, in %."""
    return lambda _, worlds: f"{100 * _sum(worlds, what) / _sum(worlds, 'looks'):.0f}"


def worlds_with(what: str) -> Callable[[Row, list[Counter[str]]], str]:
    """Per world, in %."""
    return lambda _, worlds: f"{100 * sum(one[what] > 0 for one in worlds) / len(worlds):.0f}"


def alerts_a_year(row: Row, worlds: list[Counter[str]]) -> float:
    """Alerts in a quiet year of this check; a check that looks once in a world looks twelve times a year."""
    a_year = _sum(worlds, "looks") / len(worlds) if row.counted == "alerts" else 12
    return _sum(worlds, row.counted) / _sum(worlds, "looks") * a_year


def _sum(worlds: list[Counter[str]], what: str) -> int:
    return sum(one[what] for one in worlds)


def _quiet(row: Row) -> tuple[Cell, ...]:
    """Years; per year: by the plan's threshold alone, by the alert, as promised."""
    is_year = row.counted == "alerts"
    return (
        (row, lambda one, _: f"{one.worlds if is_year else one.worlds / 12:g}"),
        (row, lambda _, worlds: f"{_sum(worlds, 'literal') / len(worlds):.1f}" if is_year else "–"),
        (row, lambda one, worlds: f"{alerts_a_year(one, worlds):.2f}"),
        (row, lambda one, _: "–" if one.promise is None else f"{one.promise:g}"),
    )


# --- the page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Section:
    """A heading, what the figures are, and a table: `lines` are a name and its cells."""

    title: str
    says: str
    header: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Cell, ...]], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All that has to be simulated for it."""
        return tuple(row for _, cells in self.lines for row, _ in cells)

    def text(self, found: Worlds) -> str:
        """The section from what was simulated."""
        cells = [(name, *(says(row, found[row.key]) for row, says in cells)) for name, cells in self.lines]
        lines = [f"| {' | '.join(line)} |" for line in (self.header, *cells)]
        lines.insert(1, "|---|" + "---:|" * (len(self.header) - 1))
        return "\n".join([f"## {self.title}", "", self.says, "", *lines, ""])


SECTIONS = (
    Section(
        "A quiet year",
        "`–`: nothing is promised, or the plan has no threshold.",
        ("check", "years", "by the plan's threshold alone", "alerts", "promised at most"),
        tuple((row.name, _quiet(row)) for row in (*QUIET, *QUIET_LOOKS)),
    ),
    Section(
        "Another base rate",
        "Share of worlds in % in which it is found: by class balance within so many matured weeks, by expected\n"
        "over observed in the first look at thirteen weeks of it.",
        ("rate", "1 week", "4 weeks", "13 weeks", "expected / observed"),
        tuple(
            (
                weekly.name,
                (*((weekly, worlds_with(f"first {number}")) for number in (1, 4, 13)), (look, share("ratio"))),
            )
            for weekly, look in zip(BASE_RATE, BASE_RATE_LOOKS, strict=True)
        ),
    ),
    Section(
        "Concept drift",
        "Share of looks in %. The spread of the truth stays; what the score knows of it shrinks.",
        ("world", "AUC below its promise", "expected / observed"),
        tuple((row.name, ((row, share("dropped")), (row, share("ratio")))) for row in CONCEPT),
    ),
    Section(
        "A feature or the score moves",
        "Share of months in %, at 4,300 and at 200 leads: PSI above 0.25, and the alert (beyond its null too, at\n"
        "the level that Holm asks of one among 81).",
        ("world", "above 0.25", "alert", "200 leads: above 0.25", "alert"),
        tuple(
            (large.name, tuple((row, share(what)) for row in (large, small) for what in ("literal", "alerts")))
            for large, small in zip(MOVED[::2], MOVED[1::2], strict=True)
        ),
    ),
    Section(
        "An important feature goes missing",
        "Share of days in %, at 143 and at 12,600 open leads: any of twenty features over 10 points, and the\n"
        "alert; training missed 10 % of it.",
        ("world", "over 10 points", "alert", "12,600 leads: over 10 points", "alert"),
        tuple(
            (few.name, tuple((row, share(what)) for row in (few, many) for what in ("literal", "alerts")))
            for few, many in zip(GONE[::2], GONE[1::2], strict=True)
        ),
    ),
    Section(
        "Champion and challenger",
        "Share of decisions in %, by the true AUC of champion and challenger: on 8,400 leads as they came, and on\n"
        "8,400 that the champion chose, the best-scored 45 % of those that came. While it serves, those are the\n"
        "leads that are dialled, and only dialled leads are in a holdout (R50). R31 compares those of them alone that\n"
        "both would have dialled; beside it what came of it if all were. Half of what moves a score is common to both.",
        (
            *("models", "AUC-PR superior (the plan alone)", "promoted (R31)"),
            *("chosen: AUC-PR superior", "if all were compared", "promoted (R31)"),
        ),
        tuple(
            (
                whole.name,
                (
                    *((whole, share(what)) for what in ("literal", "alerts")),
                    *((chosen, share(what)) for what in ("literal", "all", "alerts")),
                ),
            )
            for whole, chosen in zip(CONTEST[::2], CONTEST[1::2], strict=True)
        ),
    ),
    Section(
        "Champion and challenger among advisors whom a call list brought in",
        "Share of decisions in %: of 420,000 advisors, of whom 0.5 % would convert, the champion's best 2 % are made\n"
        "leads, and all of these are dialled. Those who were not brought in are in no extract, so that all dialled\n"
        "leads are compared; beside it what came of it if the others were known.",
        ("models", "AUC-PR superior (the plan alone)", "promoted (R31)", "if the others were known"),
        tuple((row.name, tuple((row, share(what)) for what in ("literal", "all", "alerts"))) for row in STOCK),
    ),
)


def page(workers: int = 0) -> str:
    """The part's text; the same for any number of workers."""
    found = simulate([row for section in SECTIONS for row in section.rows], workers)
    return "\n".join([HEAD, *(section.text(found) for section in SECTIONS), READING])


def simulate(rows: Iterable[Row], workers: int = 0) -> Worlds:
    """What each kind of world came to, world by world; 0 workers: one per core."""
    kinds = {row.key: row for row in rows}
    found: Worlds = {key: [Counter()] * row.worlds for key, row in kinds.items()}
    with ProcessPoolExecutor(workers or os.cpu_count() or 1) as pool:
        tasks = {
            pool.submit(row.simulate, seed, *row.given): (key, seed)
            for key, row in kinds.items()
            for seed in range(row.worlds)
        }
        for number, task in enumerate(as_completed(tasks), start=1):
            key, seed = tasks[task]
            found[key][seed] = task.result()
            if number % 200 == 0 or number == len(tasks):
                print(f"{number} of {len(tasks)} worlds", flush=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=0, help="processes; 0: one per core")
    put(TITLE, page(parser.parse_args().workers))
