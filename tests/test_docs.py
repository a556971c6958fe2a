"""Pages that are made from the product say what the product says; links in the README lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def test_the_data_dictionary_is_that_of_the_contracts() -> None:
    spec = importlib.util.spec_from_file_location("data_dictionary", REPOSITORY / "docs" / "data_dictionary.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (REPOSITORY / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert written == module.page(), "run: python docs/data_dictionary.py"


def test_every_local_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []
