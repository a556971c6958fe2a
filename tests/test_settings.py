"""Settings from the environment: what cannot work is refused at once, with what would."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore_v6.errors import UsageError
from leadscore_v6.settings import from_environment


@pytest.mark.parametrize("name", ["a,b", "a?b", "a*b", "a[b", "a\\b", "a%41b", "a\nb"])
def test_a_home_that_duckdb_or_sqlite_would_not_find_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"in its path.*--home or LEADSCORE_HOME"):
        from_environment({}, home=tmp_path / name / "home")
    with pytest.raises(UsageError, match="in its path"):
        from_environment({"LEADSCORE_HOME": str(tmp_path / name)})


@pytest.mark.parametrize("name", ["a b", "a%b", "a#b", "a'b", 'a"b', "a;b", "a]b", "ä"])
def test_any_other_home_is_taken(name: str, tmp_path: Path) -> None:
    assert from_environment({}, home=tmp_path / name).home == tmp_path / name


@pytest.mark.parametrize("variable", ["LEADSCORE_DATASET", "LEADSCORE_CRM_DATASET"])
@pytest.mark.parametrize("name", ["", "a.b", "a-b", "1a", 'a"b', "Lead Scoring", "information_schema", "PG_CATALOG"])
def test_what_is_no_datasets_name(variable: str, name: str) -> None:
    with pytest.raises(UsageError, match=f"{variable} is .*letters, digits and _"):
        from_environment({variable: name})


@pytest.mark.parametrize("amount", ["", "lots", "3", "3 apples", "-1GB", "3GB; DROP", "80%"])
def test_what_is_no_amount_of_memory(amount: str) -> None:
    with pytest.raises(UsageError, match=r"LEADSCORE_MEMORY_LIMIT is .*such as 3GB"):
        from_environment({"LEADSCORE_MEMORY_LIMIT": amount})


@pytest.mark.parametrize("amount", ["3GB", "500MB", "1.5 GiB", "2tb"])
def test_an_amount_of_memory_that_the_engine_takes(amount: str, tmp_path: Path) -> None:
    from leadscore_v6.warehouse.engines import open_warehouse

    given = {"LEADSCORE_MEMORY_LIMIT": amount, "LEADSCORE_DATASET": "_Scoring2", "LEADSCORE_CRM_DATASET": "crm"}
    settings = from_environment(given, home=tmp_path)
    with open_warehouse(settings) as warehouse:
        assert (warehouse.dataset, warehouse.crm_dataset) == ("_Scoring2", "crm")
