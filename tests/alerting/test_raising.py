"""Whatever goes wrong with an alert is logged; it neither stops a run nor hides why one has stopped."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from leadscore_v6.alerting import raising
from leadscore_v6.alerting.outbox import Outbox
from leadscore_v6.alerting.raising import raise_finding
from leadscore_v6.alerting.rules import Finding
from leadscore_v6.errors import GateBlocked, UsageError
from tests.alerting.conftest import NOON

FAILED = Finding("run", {"steps_failed": 1}, {"steps_failed": ("production_scores_v6",)}, is_synthetic=True)


@pytest.fixture(autouse=True)
def _without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPERATIONS", "DATA_SCIENCE", "SALES_LEAD", "ON_CALL"):
        monkeypatch.delenv(f"LEADSCORE_ALERT_{name}", raising=False)


def test_a_finding_is_filed_and_its_title_says_that_it_is_synthetic(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        raise_finding(tmp_path, FAILED, NOON)
    (filed,) = Outbox(tmp_path).filed()
    assert filed.alert.subject_line == "[critical] A run did not end well (SYNTHETIC DATA)"
    assert "(SYNTHETIC DATA)" in caplog.text
    assert (tmp_path / f"{filed.id}.md").read_text().startswith(f"# {filed.alert.subject_line}")


@pytest.mark.parametrize(
    "trouble",
    [
        OSError(28, "No space left on device"),
        UsageError("no such time zone"),
        ValueError("a host name that is none"),
        UnicodeEncodeError("ascii", "x", 0, 1, "no"),
        KeyError("figure"),
        TypeError("a figure that is a text"),
        ImportError("apprise is broken"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", ["send", "alerting_settings"])
def test_trouble_with_it_does_not_take_the_place_of_what_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str, trouble: Exception
) -> None:
    def raises(*_given: object) -> None:
        raise trouble

    monkeypatch.setattr(raising, where, raises)
    with pytest.raises(GateBlocked, match="stopped"):
        _fail(tmp_path)
    assert f"no alert could be raised: {type(trouble).__name__}" in caplog.text


def _fail(outbox: Path) -> None:
    try:
        raise GateBlocked("stopped")
    finally:
        raise_finding(outbox, FAILED, NOON)


def test_a_figure_of_another_type_and_an_outbox_that_is_a_file_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raise_finding(tmp_path, Finding("run", {"steps_failed": "one"}), NOON)  # type: ignore[dict-item]
    (tmp_path / "file").write_text("")
    raise_finding(tmp_path / "file", FAILED, NOON)
    assert caplog.text.count("no alert could be raised") == 2
