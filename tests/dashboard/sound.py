"""What must hold for every dashboard page, whatever is on it: read by an HTML5 parser that forgives nothing.

Belongs here: rules of a page that a person, a screen reader and a browser without a network rely on. Does not belong
here: what a page says, or how it looks (tests/e2e/test_browser.py has a browser for that).
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from justhtml import Element, JustHTML

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Elements and attributes that load, run or send something.
ACTIVE = {"script", "iframe", "object", "embed", "form", "input", "button", "base", "image", "use", "foreignobject"}
LOADING = {"src", "srcset", "action", "formaction", "poster", "data", "xlink:href", "background"}


def read(html: str) -> JustHTML:
    """The page. Raises at the first thing that HTML5 calls a parse error."""
    return JustHTML(html, strict=True, sanitize=False)


def text_of(page: JustHTML, selector: str) -> str:
    """All text under the only element of that selector, blanks made one."""
    (found,) = page.query(selector)
    return " ".join(found.to_text(separator=" ").split())


def assert_sound(html: str) -> JustHTML:
    """Hold a page against every rule; returns it parsed."""
    page = read(html)
    elements = list(_elements(page))
    _assert_outline(page, elements)
    _assert_named(page, elements)
    _assert_inert(page, elements, html)
    return page


def _assert_outline(page: JustHTML, elements: list[Element]) -> None:
    (root,) = page.query("html")
    assert root.attrs["lang"] == "en"
    assert [text for text in (one.to_text().strip() for one in page.query("title")) if text]
    assert "width=device-width" in page.query('meta[name="viewport"]')[0].attrs["content"]
    for landmark in ("header", "nav", "main", "footer"):
        assert len(page.query(landmark)) == 1, landmark
    levels = [HEADINGS.index(one.name) + 1 for one in elements if one.name in HEADINGS]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    for number, table in enumerate(page.query("table")):
        assert table.query("caption"), number
        heads = table.query("th")
        assert heads
        assert all(head.to_text().strip() for head in heads)
        assert all(head.attrs.get("scope") in ("col", "row") for head in heads)
        widths = {len(row.query("th")) + len(row.query("td")) for row in table.query("tr")}
        assert len(widths) == 1, f"rows of table {number} differ in cells: {widths}"
    assert all(one.query("summary") for one in page.query("details"))


def _assert_named(page: JustHTML, elements: list[Element]) -> None:
    ids = Counter(one.attrs["id"] for one in elements if "id" in one.attrs)
    assert [name for name, times in ids.items() if times > 1] == []
    for one in elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert all(word in ids for word in (one.attrs.get(name) or "").split()), one.attrs
        if one.attrs.get("href", "").startswith("#"):
            assert one.attrs["href"][1:] in ids, one.attrs["href"]
    for drawing in page.query("svg"):
        if drawing.attrs.get("aria-hidden") == "true":
            continue
        assert drawing.attrs["role"] == "img"
        for part in ("title", "desc"):
            (found,) = drawing.query(part)
            assert found.to_text().strip()
            assert found.attrs["id"] in drawing.attrs["aria-labelledby"].split()
    for region in page.query('[role="group"]'):
        assert region.attrs["tabindex"] == "0"  # a region that scrolls is reached by the keyboard
        assert region.attrs["aria-labelledby"]
    assert not page.query("img")


def _assert_inert(page: JustHTML, elements: list[Element], html: str) -> None:
    """Nothing is loaded, run or sent, and the browser is told to see to that."""
    assert {one.name.lower() for one in elements} & ACTIVE == set()
    for one in elements:
        names = {name.lower() for name in one.attrs}
        assert not names & LOADING, one.attrs
        assert not [name for name in names if name.startswith("on") or name == "style"], one.attrs
        if one.name in ("a", "link"):
            assert one.attrs["href"].startswith(("#", "data:,")), one.attrs
    assert len(page.query("style")) == 1
    css = _between(html, "<style>", "</style>")
    assert "url(" not in css
    assert "@import" not in css
    assert "//" not in css
    (policy,) = [one for one in page.query("meta") if one.attrs.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.attrs["content"].split(";"))
    assert rules.pop("default-src") == "'none'"
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert rules.pop("style-src") == f"'sha256-{digest}'"
    assert rules == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}


def _between(text: str, begin: str, end: str) -> str:
    return text.split(begin, 1)[1].split(end, 1)[0]


def _elements(page: JustHTML) -> Iterator[Element]:
    yield from (one for one in page.query("*") if isinstance(one, Element))
