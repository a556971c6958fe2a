"""Small pieces of Markdown."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; a cell's bars and line breaks are escaped."""
    lines = [_line(header), _line(["---"] * len(header)), *map(_line, rows)]
    return "\n".join(lines)


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def embed(text: str, pictures: Mapping[str, bytes]) -> str:
    """The text with its PNG files inside it, for a page that cannot read what lies beside the Markdown."""
    for name, content in pictures.items():
        text = text.replace(f"]({name})", f"](data:image/png;base64,{base64.b64encode(content).decode()})")
    return text


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
