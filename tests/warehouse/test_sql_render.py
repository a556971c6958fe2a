"""The strict renderer: names are checked, nothing is left undeclared, values stay parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.warehouse import sql
from leadscore_v6.warehouse.sql import render


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `sql/` of its own: one macro file, and one query that uses everything the renderer offers."""
    (tmp_path / "macros.sql").write_text("{% macro day(t) -%}\nDATE({{ t }}, 'UTC')\n{%- endmacro %}\n")
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "query.sql").write_text(
        "{% import 'macros.sql' as m %}\n"
        "SELECT {% for c in kept %}{{ c }}{{ ', ' if not loop.last }}{% endfor %}, {{ m.day('at') }}\n"
        "FROM {{ reps }} WHERE at <= @as_of\n"
    )
    monkeypatch.setattr(sql, "sql_root", lambda: tmp_path)
    return tmp_path


def test_names_become_quoted_identifiers_and_parameters_stay(folder: Path) -> None:
    text = render("thing/query.sql", {"reps": "LeadScoring.snapshot_reps_20240107"}, {"kept": ["RepCRD", "_x1"]})
    assert text == (
        "SELECT `RepCRD`, `_x1`, DATE(at, 'UTC')\nFROM `LeadScoring.snapshot_reps_20240107` WHERE at <= @as_of\n"
    )


def test_a_project_may_carry_dashes_and_lists_may_be_tables(folder: Path) -> None:
    text = render("thing/query.sql", {"reps": "savvy-gtm-analytics.LeadScoring.t"}, {"kept": ["LeadScoring.a"]})
    assert "`savvy-gtm-analytics.LeadScoring.t`" in text
    assert "SELECT `LeadScoring.a`," in text


@pytest.mark.parametrize(
    "name",
    [
        *("t", "LeadScoring.t`; DROP TABLE x; --", "LeadScoring.t t", "LeadScoring.", ".t", "a.b.c.d", ""),
        *("LeadScoring.1t", "Lead Scoring.t", "LeadScoring.t\n", "LeadScoring.t-1", "Lead-Scoring.t", "LeadScoring.té"),
        *("LeadScoring.`t`", "LeadScoring.@t", "a.LeadScoring.t;", "LeadScoring..t", "LeadScoring.t/*"),
    ],
)
def test_a_table_name_of_another_form_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a table name"):
        render("thing/query.sql", {"reps": name}, {"kept": ["a"]})


@pytest.mark.parametrize("name", ["a b", "a`", "1a", "", "a-b", "a;", "%ChangeYTD", "a\n", "*", "a,b"])
def test_a_column_name_of_another_form_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not a column name"):
        render("thing/query.sql", {"reps": "LeadScoring.t"}, {"kept": ["ok", name]})


def test_a_name_that_is_no_text_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError):
        render("thing/query.sql", {"reps": 7}, {"kept": ["a"]})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("names", "says"),
    [([], "empty list"), ("RepCRD", "list of names"), (["a", "A"], "twice"), (["L.t", "a"], "not a table name")],
)
def test_a_list_is_a_list_of_different_names_of_one_sort(folder: Path, names: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        render("thing/query.sql", {"reps": "LeadScoring.t"}, {"kept": names})


def test_what_the_template_uses_must_be_given(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"thing/query\.sql.*'kept' is undefined"):
        render("thing/query.sql", {"reps": "LeadScoring.t"})


def test_a_name_is_given_once(folder: Path) -> None:
    with pytest.raises(UsageError, match="given twice"):
        render("thing/query.sql", {"reps": "LeadScoring.t", "kept": "L.t"}, {"kept": ["a"]})


@pytest.mark.parametrize("variable", ["Reps", "reps ", "__class__", "a-b"])
def test_a_variable_has_a_plain_name(folder: Path, variable: str) -> None:
    with pytest.raises(UsageError, match="not a template variable"):
        render("thing/query.sql", {variable: "LeadScoring.t"}, {"kept": ["a"]})


@pytest.mark.parametrize("template", ["thing/absent.sql", "../secret.sql", "/etc/passwd", "thing/../../secret.sql"])
def test_templates_come_from_the_sql_folder_only(folder: Path, template: str) -> None:
    (folder.parent / "secret.sql").write_text("SELECT 1")
    with pytest.raises(UsageError, match="no SQL template"):
        render(template, {})


def test_templates_have_no_globals_of_jinja(folder: Path) -> None:
    (folder / "thing" / "query.sql").write_text("SELECT {{ range(3) | join(',') }}")
    with pytest.raises(UsageError, match="'range' is undefined"):
        render("thing/query.sql", {})


def test_an_attribute_that_is_not_there_is_an_error(folder: Path) -> None:
    (folder / "thing" / "query.sql").write_text("{% import 'macros.sql' as m %}SELECT {{ m.absent }}")
    with pytest.raises(UsageError):
        render("thing/query.sql", {})


def test_a_broken_template_is_named_with_its_line(folder: Path) -> None:
    (folder / "thing" / "query.sql").write_text("SELECT 1\nFROM {{ reps\n")
    with pytest.raises(UsageError, match=r"query\.sql, line 2"):
        render("thing/query.sql", {"reps": "LeadScoring.t"})
