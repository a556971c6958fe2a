"""Phase 1 at the plan's scale, against a bare DuckDB scan of the same files.

What is measured, each in a process of its own:

floor       `SELECT count(COLUMNS(*))` over all columns of the landed files, before and after the run; the mean counts
run         `leadscore run` on an empty home: landing, gates, Dagster and imports included
again       the same command once more: everything is recognised
rebuild     the same with --rebuild: from landed files to a promoted version, all but the copying and counting
ninth       the same with one more quarter in the folder
leads       the same with another Lead.csv, and with one of ten times the leads

The bars: from landed files to a promoted version <= 1.5 x floor, peak <= 4 GB, ninth about one ninth of run, leads
near-linear.
Ratios travel between machines; seconds do not, and stand beside them only to show what was divided.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import Cost, run

OUT = Path(__file__).parent / "out"
FLOOR = """
import duckdb, sys
connection = duckdb.connect()
query = "SELECT count(COLUMNS(*)) FROM read_csv($1, all_varchar = true, header = true)"
for file in sys.argv[1:]:
    connection.execute(query, [file]).fetchall()
"""


def main() -> None:
    """Make the feed if it is not there, measure, print the ratios and write them to benchmarks/out/phase1.json."""
    arguments = _arguments()
    feed = arguments.folder or OUT / f"feed_{arguments.reps}_{arguments.leads}"
    if not feed.exists():
        leadscore("sample", feed, "--scenario", "historical", "--wide", "--quarters", 9, *_size(arguments))
    work = OUT / "work"
    shutil.rmtree(work, ignore_errors=True)
    data, home = work / "data", work / "home"
    data.mkdir(parents=True)
    files = sorted(feed.glob("RIARepDataFeed_*.csv"))
    eight, ninth = files[:8], files[8:9]
    for file in [*eight, feed / "Lead.csv"]:
        (data / file.name).symlink_to(file)
    costs = {"floor": _floor(eight)}
    costs["run"] = _run(data, home)
    costs["floor after"] = _floor(eight)
    costs["again"] = _run(data, home)
    costs["rebuild"] = _run(data, home, "--rebuild")
    for file in ninth:
        (data / file.name).symlink_to(file)
        costs["ninth"] = _run(data, home)
    for times, name in ((1, "leads"), (10, "ten times the leads")):
        _multiply_leads(feed / "Lead.csv", data / "Lead.csv", times)
        costs[name] = _run(data, home)
    _report(costs, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="an existing wide feed; made under benchmarks/out/ if left out")
    parser.add_argument("--reps", type=int, default=453_000, help="advisors on the first snapshot")
    parser.add_argument("--leads", type=int, default=48_000, help="records in Lead.csv")
    return parser.parse_args()


def _size(arguments: argparse.Namespace) -> list[object]:
    return ["--reps", arguments.reps, "--leads", arguments.leads]


def _floor(files: list[Path]) -> Cost:
    return _told("floor", run([sys.executable, "-c", FLOOR, *map(str, files)], {}))


def _run(data: Path, home: Path, *more: str) -> Cost:
    return leadscore("run", "--data", data, "--home", home, *more)


def leadscore(*arguments: object) -> Cost:
    """One command line, in a process of its own."""
    command = [sys.executable, "-m", "leadscore_v6.cli", *map(str, arguments)]
    return _told(" ".join(["leadscore", *map(str, arguments)]), run(command, {}))


def _told(name: str, cost: Cost) -> Cost:
    print(f"{name}: {cost.wall:.1f} s wall, {cost.cpu:.1f} s CPU, peak {cost.peak_gb:.2f} GB", flush=True)
    return cost


def _multiply_leads(source: Path, target: Path, times: int) -> None:
    """Each lead `times` times, with an Id of its own and a contact some days earlier. One blank record makes it new."""
    target.unlink(missing_ok=True)
    with source.open(newline="", encoding="utf-8") as read, target.open("w", newline="", encoding="utf-8") as write:
        rows = csv.DictReader(read)
        assert rows.fieldnames is not None, "it has a header"
        out = csv.DictWriter(write, rows.fieldnames)
        out.writeheader()
        for row in rows:
            for copy in range(times):
                stage = {name: _earlier(row[name], copy) for name in rows.fieldnames if name.startswith("Stage_")}
                out.writerow({**row, **stage, "Id": f"{row['Id']}-{copy}"})


def _earlier(stamp: str, days: int) -> str:
    if not stamp or not days:
        return stamp
    moved = datetime.fromisoformat(stamp.replace("+0000", "+00:00")).replace(tzinfo=UTC) - timedelta(days=days)
    return moved.isoformat(sep=" ", timespec="seconds")


def _report(costs: dict[str, Cost], arguments: argparse.Namespace) -> None:
    floor = (costs["floor"].wall + costs["floor after"].wall) / 2
    ratios = {
        "from landed files: rebuild / floor (bar 1.5)": costs["rebuild"].wall / floor,
        "from delivered files, landing included: run / floor": costs["run"].wall / floor,
        "peak of run, GB (bar 4)": costs["run"].peak_gb,
        "again / run": costs["again"].wall / costs["run"].wall,
        "ten times the leads / leads (linear is 10)": costs["ten times the leads"].wall / costs["leads"].wall,
        "floor after / floor (how steady the machine was)": costs["floor after"].wall / costs["floor"].wall,
    }
    if "ninth" in costs:
        ratios["ninth / run (one ninth is 0.11)"] = costs["ninth"].wall / costs["run"].wall
        added = costs["ninth"].wall - costs["again"].wall
        ratios["what the ninth adds to the command again / run"] = added / costs["run"].wall
    print()
    for name, ratio in ratios.items():
        print(f"{ratio:8.2f}  {name}")
    file = OUT / "phase1.json"
    content = {"reps": arguments.reps, "leads": arguments.leads, "ratios": ratios}
    file.write_text(json.dumps({**content, "costs": {name: asdict(cost) for name, cost in costs.items()}}, indent=2))
    print(f"\nwritten to {file}")


if __name__ == "__main__":
    main()
