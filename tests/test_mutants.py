"""Each ruling undone, and the test that notices: `tests/mutants.toml`, carried out by `make prove`.

A mutant is one patch to the product: a text that stands once in one file, and what stands there without the ruling.
`make prove` copies the working tree, applies one patch at a time and runs the tests that it names: they must fail on an
assertion, and pass without the patch. `make test` only checks that the patches still fit and the tests still exist.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parent.parent
DECLARED = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
# What a test says that noticed; any other exception would only show that the patch is broken.
NOTICED = ("AssertionError", "assert ", "Failed: DID NOT RAISE")
SECONDS = 300


@dataclass(frozen=True)
class Mutant:
    """One patch, and the tests (pytest's node ids) that turn red with it."""

    ruling: str
    undoes: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in DECLARED["mutant"]]
EACH = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.ruling}: {mutant.undoes}")


# --- what holds in every run ---------------------------------------------------------------------------------------


def test_each_ruling_built_is_undone_or_it_is_said_why_not() -> None:
    records = {f"R{int(file.name[6:8])}": file for file in (ROOT / "docs" / "adr").glob("0*-r*.md")}
    undone = {mutant.ruling for mutant in MUTANTS}
    excused = {entry["ruling"] for entry in DECLARED.get("nothing_to_undo", []) if len(entry["because"]) > 40}
    assert undone & excused == set()
    assert undone | excused == set(records)
    for ruling, record in records.items():
        status = record.read_text(encoding="utf-8").splitlines()[2]
        assert ("Fails without it: nothing yet" in status) == (ruling in excused), record.name


@EACH
def test_the_patch_fits_once(mutant: Mutant) -> None:
    assert Path(mutant.file).parts[0] in {"leadscore_v6", "sql", "config", "pyproject.toml"}
    times = (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old)
    assert times == 1, f"stands {times} times in {mutant.file}: {mutant.old}"
    assert mutant.new != mutant.old


@cache
def functions(file: str) -> set[str]:
    """Names of the test functions of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@EACH
def test_its_tests_are_there(mutant: Mutant) -> None:
    assert mutant.tests
    for node in mutant.tests:
        found = re.fullmatch(r"(tests/[\w/]+\.py)::(test_\w+)(?:\[(.+)\])?", node)
        assert found, node
        file, function, parameter = found.groups()
        assert function in functions(file), node
        if function == "test_case":
            assert (ROOT / "tests" / "sql" / f"{parameter}.yaml").is_file(), node


# --- what `make prove` does ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree as git sees it: what is tracked, and what is new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folder = tmp_path_factory.mktemp("mutants") / "tree"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@contextmanager
def patched(file: Path, old: str, new: str) -> Iterator[None]:
    """The file with `new` in place of `old`."""
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def run(tree: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Pytest on the tree, as from a shell in it; and what it says of each failed test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    report = tree.parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
    done = subprocess.run(
        command,
        cwd=tree,
        # No bytecode: a patch of the same length within a second would not be seen.
        env={**inherited, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    cases = ET.parse(report).getroot().iter("failure") if report.exists() else []  # noqa: S314 - our own
    failures = [case.get("message", "") for case in cases]
    report.unlink(missing_ok=True)
    return done, failures


@pytest.mark.prove
@pytest.mark.parametrize("file", sorted({node.partition("::")[0] for mutant in MUTANTS for node in mutant.tests}))
def test_without_a_patch_they_pass(copy: Path, file: str) -> None:
    nodes = {node for mutant in MUTANTS for node in mutant.tests if node.startswith(f"{file}::")}
    done, _ = run(copy, *sorted(nodes))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prove
@EACH
def test_with_the_ruling_undone_they_turn_red(copy: Path, mutant: Mutant) -> None:
    with patched(copy / mutant.file, mutant.old, mutant.new):
        for node in mutant.tests:
            done, failures = run(copy, "-x", node)
            assert done.returncode == 1, f"{node} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            assert failures, f"{node} did not get as far as to fail:\n{done.stdout}"
            assert all(message.startswith(NOTICED) for message in failures), f"{node} broke:\n{done.stdout}"
