"""A JSON or YAML file of the configuration: read, checked against its JSON Schema, refused with file and line.

Belongs here: what holds for every config file. Does not belong here: what one kind of file means (`contract.py`).
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from leadscore_v6.errors import InputError
from leadscore_v6.paths import config_root

Steps = Sequence[str | int]


class Document:
    """The content of a config file, and the line on which each part of it stands.

    `content` is plain JSON data. `path` is only used in messages.
    """

    def __init__(self, path: Path, content: Any, root: yaml.Node) -> None:
        """`root` is the YAML node tree of the same text: it knows the lines."""
        self.path = path
        self.content = content
        self._root = root

    def line(self, at: Steps, key: str | None = None) -> int:
        """Line, from 1, of the value at `at`; with `key`, of that key of the mapping there."""
        node = self._root
        for step in at:
            node = _child(node, step)
        if key is not None and isinstance(node, yaml.MappingNode):
            node = next((name for name, _ in node.value if name.value == key), node)
        return int(node.start_mark.line) + 1

    def refusal(self, problem: str, at: Steps, key: str | None = None) -> InputError:
        """The error that says what is wrong on which line."""
        return _refusal(self.path, self.line(at, key), problem)


def load_document(path: Path, schema: str) -> Any:
    """Content of a JSON or YAML file that holds against `config/schemas/<schema>.schema.json`.

    Raises InputError naming file and line: missing file, syntax, the same key twice in one mapping, schema.
    """
    return read_document(path, schema).content


def read_document(path: Path, schema: str) -> Document:
    """As `load_document`, with the lines, for checks that a JSON Schema cannot express."""
    document = _parse(path)
    errors = sorted(
        ((*_place(document, error), error.message) for error in _validator(schema).iter_errors(document.content)),
        key=lambda found: found[0],
    )
    if errors:
        line, where, message = errors[0]
        others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise _refusal(path, line, f"{where}: {message}{others}" if where else f"{message}{others}")
    return document


# libyaml reads ten times as fast, where PyYAML was built with it: every command reads ten documents.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _validator(schema: str) -> Draft202012Validator:
    """Of a schema of ours, which a test has checked: to check it in each command takes a tenth of a second."""
    content = json.loads((config_root() / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(content)


def _parse(path: Path) -> Document:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError("This configuration file is missing.", file=str(path)) from None
    except UnicodeDecodeError as error:
        raise _refusal(path, error.object.count(b"\n", 0, error.start) + 1, "not UTF-8") from None
    # YAML reads JSON, but for tabs between tokens; inside a JSON string no tab can stand.
    is_json = path.suffix == ".json"
    lined = text.replace("\t", " ") if is_json else text
    try:
        content = json.loads(text) if is_json else yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
        root = yaml.compose(lined, Loader=_LOADER)
    except json.JSONDecodeError as error:
        raise _refusal(path, error.lineno, f"not JSON: {error.msg}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refusal(path, mark.line + 1 if mark else 1, f"not YAML: {error.problem}") from None
    if root is None:
        raise _refusal(path, 1, "the file is empty")
    _refuse_twice(path, root)
    return Document(path, content, root)


def _refuse_twice(path: Path, node: yaml.Node) -> None:
    """Parsers keep the last of two equal keys and say nothing: half of what was written would not count."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[Hashable, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise _refusal(path, line, f"the key {key.value!r} is already on line {seen[key.value]}")
            seen[key.value] = line
            _refuse_twice(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twice(path, item)


def _place(document: Document, error: ValidationError) -> tuple[int, str]:
    at = list(error.absolute_path)
    unknown: Iterable[str] = ()
    if error.validator in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, Mapping):
        # The message quotes the names that it does not know; the fault is on their lines.
        unknown = [name for name in error.instance if repr(name) in error.message]
    line = min((document.line(at, name) for name in unknown), default=document.line(at))
    return line, ".".join(str(step) for step in at)


def _child(node: yaml.Node, step: str | int) -> yaml.Node:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step]  # type: ignore[no-any-return]
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), node)
    return node


def _refusal(path: Path, line: int, problem: str) -> InputError:
    return InputError(f"Malformed configuration, line {line}: {problem}.", file=str(path))
