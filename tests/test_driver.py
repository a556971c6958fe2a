"""The end of a run: which error and exit code its failures become (R54)."""

from __future__ import annotations

import pytest

from leadscore_v6.driver import raise_for
from leadscore_v6.errors import LeadscoreError
from leadscore_v6.runs import Failure, Summary


@pytest.mark.parametrize(("codes", "gravest"), [([3], 3), ([2], 2), ([3, 2, 3], 2), ([3, 1, 2], 1)])
def test_the_gravest_failure_gives_the_exit_code(codes: list[int], gravest: int) -> None:
    failures = [Failure("a_step", f"failed with {code}", code, "a/report.md") for code in codes]
    with pytest.raises(LeadscoreError) as raised:
        raise_for(Summary(failures=failures))
    assert raised.value.exit_code == gravest
    assert all(f"failed with {code}" in str(raised.value) for code in codes)
    assert "a/report.md" in str(raised.value)


def test_without_a_failure_nothing_is_raised() -> None:
    raise_for(Summary())
