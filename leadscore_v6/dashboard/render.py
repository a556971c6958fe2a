"""A page as HTML: one file that loads nothing, runs nothing, and escapes all that it is given.

The style stands in the page, and its digest in the page's own Content-Security-Policy: a browser applies this style and
no other, and fetches, runs and frames nothing, whatever text a feed brings along.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from leadscore_v6.dashboard.page import Chart, Figures, Folded, Page, Table, Words

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"
_KINDS = {Chart: "chart", Figures: "figures", Folded: "folded", Table: "table", Words: "words"}
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})")


def render_page(page: Page) -> str:
    """The page; the same text for the same values, with a newline at its end."""
    style = style_sheet()
    return _environment().get_template("page.html.j2").render(page=page, style=Markup(style), digest=_digest(style))  # noqa: S704 - our own file


def style_sheet() -> str:
    """The one style sheet, as it stands in the page."""
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"typed": _typed, "kind": lambda block: _KINDS[type(block)], "slug": _slug, "at": _at}
    return made


def _typed(text: str) -> Markup:
    """Text, escaped; what stands between backquotes is something to type, and a day stays on one line."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a lone backquote is a backquote
        return _dated(text)
    marked = [Markup("<code>{}</code>").format(part) if odd % 2 else _dated(part) for odd, part in enumerate(parts)]
    return Markup("").join(marked)


def _dated(text: str) -> Markup:
    marked = [
        Markup("<time>{}</time>").format(part) if odd % 2 else escape(part)
        for odd, part in enumerate(_DAY.split(text))
    ]
    return Markup("").join(marked)


def _slug(text: str) -> str:
    """Text as a class or an id: letters, digits and dashes."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def _at(place: float) -> str:
    """A place in a drawing, to a tenth of a unit, without a zero that says nothing."""
    return f"{place:.1f}".removesuffix(".0")


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
