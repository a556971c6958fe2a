"""`leadscore demo` on many seeds, through the model: which share passes each gate, and how near it comes to the truth.

    python -m benchmarks.seeds [--seeds 20] [--workers 2] [--keep FOLDER] [--page docs/demo-seeds.md]

No seed is picked: they are 1, 2, 3, … (R41). A world that was run is kept in FOLDER as JSON, and not run again as long
as product, configuration and locked libraries are the same.
Exits with 1 when so few worlds pass every gate that the share is below 95 % beyond chance (exact binomial test, 5 %),
or one comes less near than 0.8.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from leadscore_v6.estimate import p_said

LEAST_SHARE, LEAST_REACHED, LEVEL = 0.95, 0.8, 0.05
STEPS = ("4.1", "4.2", "4.3", "4.4")
ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("leadscore_v6/**/*.py", "sql/**/*.sql", "config/**/*.*", "requirements.lock")
PAGE = """# The demo world on many seeds

Made by `python -m benchmarks.seeds`, which `make prove` runs: `leadscore demo --through model` on the seeds {seeds},
none left out. A world that is stopped at a gate never comes to the later ones; their shares are of those that did.

**{passed} of {worlds} worlds pass every gate** (95 % interval {interval}; against the aim of 95 %: {p}).
The model reaches {reached} of the AUC-PR (average precision) that the true probabilities have on the same holdout leads
(least {least:.2f}, median {median:.2f}); R41 asks for 0.8.

The world deals its outcomes by the month, so that an honest model passes with room (R41,
`docs/adr/0024-r41-the-demo-world-is-pinned.md`): ECE's null (R20) stops it more seldom than where outcomes are
independent coins, as they are outside. How often the gates are wrong there: `docs/operating-characteristics.md`.

| step | gate | passes | of | share |
|---|---|---|---|---|
{gates}

| seed | CV AUC-PR | holdout | best possible | reached | stopped by |
|---|---|---|---|---|---|
{lines}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, write the page, say whether it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="worlds side by side")
    parser.add_argument("--keep", type=Path, default=Path(".leadscore/seeds"))
    parser.add_argument("--page", type=Path, default=Path("docs/demo-seeds.md"))
    given = parser.parse_args(arguments)
    given.keep.mkdir(parents=True, exist_ok=True)
    seeds = range(1, given.seeds + 1)
    with ThreadPoolExecutor(given.workers) as pool:
        worlds = list(pool.map(lambda seed: world(seed, given.keep / f"{seed}.json"), seeds))
    given.page.write_text(page(worlds), encoding="utf-8")
    whole = [one for one in worlds if not one["stopped_by"]]
    print(f"{len(whole)} of {len(worlds)} worlds pass every gate; {given.page}")
    near = all(one["reached"] >= LEAST_REACHED for one in whole)
    return 0 if chance(len(whole), len(worlds)).pvalue >= LEVEL and near else 1


def chance(passed: int, worlds: int) -> Any:
    """The exact test of the share against `LEAST_SHARE`, one-sided: too few by chance, or by what is wrong?"""
    return binomtest(passed, worlds, LEAST_SHARE, alternative="less")


def world(seed: int, kept: Path) -> dict[str, Any]:
    """What came of one seed; what another product made of it does not count."""
    known = dict(json.loads(kept.read_text(encoding="utf-8"))) if kept.exists() else {}
    if known.get("product") == product():
        return known
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = play(seed, Path(folder) / "home") | {"product": product()}
    kept.write_text(json.dumps(found), encoding="utf-8")
    print(f"seed {seed}: {found['stopped_by'] or 'passes'}, {time.monotonic() - started:.0f} s", flush=True)
    return found


@cache
def product() -> str:
    """Digest of everything that decides what becomes of a seed."""
    digest = hashlib.sha256()
    for file in sorted(file for pattern in PRODUCT for file in ROOT.glob(pattern)):
        digest.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def play(seed: int, home: Path) -> dict[str, Any]:
    """Run the demo as a user does; gates from the ledger, the best possible from what it prints."""
    said = leadscore("demo", "--home", home, "--seed", seed, "--through", "model")
    if said.returncode not in (0, 3):
        raise SystemExit(f"seed {seed} ended with {said.returncode}:\n{said.stderr}")
    gates = json.loads(leadscore("status", "--home", home, "--json").stdout)
    models = json.loads(leadscore("model", "list", "--home", home, "--json").stdout)
    told = re.search(r"holdout leads is (\d\.\d+); with the true probabilities (\d\.\d+)", said.stdout)
    best = float(told[2]) if told else None
    model = models[0] if models else {"cv_auc_pr": None, "holdout_auc_pr": None}
    return {
        "seed": seed,
        "gates": [{name: gate[name] for name in ("step", "gate", "verdict", "figure")} for gate in gates],
        "cv": model["cv_auc_pr"],
        "holdout": model["holdout_auc_pr"],
        "best": best,
        "reached": model["holdout_auc_pr"] / best if best else None,
        "stopped_by": sorted({gate["gate"] for gate in gates if gate["verdict"] in ("fail", "not judgeable")}),
    }


def leadscore(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "leadscore_v6.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def page(worlds: Sequence[dict[str, Any]]) -> str:
    """The page, as Markdown."""
    judged: dict[tuple[str, str], list[bool]] = {}
    for one in worlds:
        for gate in one["gates"]:
            if gate["step"] in STEPS:
                judged.setdefault((gate["step"], gate["gate"]), []).append(gate["verdict"] == "pass")
    earlier = [all(g["verdict"] != "fail" for g in one["gates"] if g["step"] not in STEPS) for one in worlds]
    rows = [f"| 1.1 to 3.3 | all of them | {sum(earlier)} | {len(earlier)} | {sum(earlier) / len(earlier):.0%} |"]
    rows += [
        f"| {step} | `{gate}` | {sum(passes)} | {len(passes)} | {sum(passes) / len(passes):.0%} |"
        for (step, gate), passes in judged.items()
    ]
    lines = [
        f"| {one['seed']} | {shown(one['cv'])} | {shown(one['holdout'])} | {shown(one['best'])} | "
        f"{shown(one['reached'], '.2f')} | {', '.join(one['stopped_by'])} |"
        for one in worlds
    ]
    reached = sorted(one["reached"] for one in worlds if one["reached"])
    median = reached[len(reached) // 2] if reached else float("nan")
    passed = sum(not one["stopped_by"] for one in worlds)
    within = binomtest(passed, len(worlds)).proportion_ci()
    return PAGE.format(
        seeds=f"1 to {len(worlds)}",
        passed=passed,
        worlds=len(worlds),
        interval=f"{within.low:.0%} to {within.high:.0%}",
        p=p_said(chance(passed, len(worlds)).pvalue),
        reached=f"{reached[0]:.2f} to {reached[-1]:.2f}" if reached else "nothing",
        least=reached[0] if reached else float("nan"),
        median=median,
        gates="\n".join(rows),
        lines="\n".join(lines),
    )


def shown(value: float | None, form: str = ".3f") -> str:
    """A figure, or a dash."""
    return "-" if value is None else f"{value:{form}}"


if __name__ == "__main__":
    raise SystemExit(main())
