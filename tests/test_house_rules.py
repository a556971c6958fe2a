"""The house rules of CONTRIBUTING.md that no linter knows: sizes, names, no clock and no chance in SQL."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(file for folder in ("leadscore_v6", "benchmarks", "tests") for file in (ROOT / folder).rglob("*.py"))
TEXTS = sorted((ROOT / "sql").rglob("*.sql"))

MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 60


def where(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", MODULES, ids=where)
def test_modules_and_functions_fit_in_the_head(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= MOST_LINES_OF_A_MODULE
    long = {
        node.name: (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [where(file) for file in MODULES if file.stem in {"util", "utils", "helpers", "misc", "common"}] == []


def statement(text: str) -> str:
    """SQL without comments of SQL and Jinja."""
    return re.sub(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("file", TEXTS, ids=where)
def test_sql_reads_neither_clock_nor_chance(file: Path) -> None:
    forbidden = r"\b(CURRENT_\w+|NOW\s*\(|RAND\s*\(|GENERATE_UUID|SESSION_USER|TABLESAMPLE|ANY_VALUE|APPROX_\w+)"
    assert re.findall(forbidden, statement(file.read_text()), re.IGNORECASE) == []


def test_there_is_sql_to_judge() -> None:
    assert len(TEXTS) > 10
