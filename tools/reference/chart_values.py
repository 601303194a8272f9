"""Writes the page of chart values from the comments of values.yaml and the types of values.schema.json."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reference import markdown
from reference.sources import read_json, read_text, read_yaml

VALUES = "charts/airlock/values.yaml"
SCHEMA = "charts/airlock/values.schema.json"

HEAD = """\
# Chart values

This page is written by `make manifests` from `charts/airlock/values.yaml` and its schema; a test holds them equal.
Helm refuses a value that is unknown or wrong, and names it.
"""


class Value(NamedTuple):
    """One value, or a group of values (``default`` None), with the comment above it."""

    path: str
    comment: tuple[str, ...]
    group: bool


def page() -> str:
    """Write the whole page."""
    defaults, schema = read_yaml(VALUES), read_json(SCHEMA)
    parts = [HEAD]
    rows: list[tuple[str, str, str, str]] = []

    def close() -> None:
        if rows:
            parts.append(markdown.table(("value", "kind", "default", "what it is"), rows))
            rows.clear()

    for value in read_values(read_text(VALUES)):
        if "." not in value.path:
            close()
            parts.append(f"## {value.path}\n")
            if value.group and value.comment:
                parts.append(_text(value.comment))
        if not value.group:
            meaning = markdown.prose(" ".join(value.comment))
            if "." not in value.path:
                parts.append(_text(value.comment))
                meaning = "as above"
            kind = _kind(_schema_of(schema, value.path), schema)
            rows.append((markdown.code(value.path), kind, markdown.value(_at(defaults, value.path)), meaning))
    close()
    return "\n".join(parts)


def read_values(text: str) -> Iterator[Value]:
    """Yield the values of a file of plain block mappings, in order, each with the comment directly above it."""
    lines = text.splitlines()
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    for number, line in enumerate(lines):
        if match := re.match(r"( *)# ?(.*)", line):
            comment.append(match[2])
        elif match := re.match(r"( *)([A-Za-z]\w*):(.*)", line):
            indent = len(match[1])
            path = [each for each in path if each[0] < indent] + [(indent, match[2])]
            following = next((each for each in lines[number + 1 :] if each.strip() and each.strip()[0] != "#"), "")
            deeper = len(following) - len(following.lstrip()) > indent
            yield Value(".".join(name for _, name in path), tuple(comment), not match[3].strip() and deeper)
            comment = []
        else:
            comment = []


def _text(comment: tuple[str, ...]) -> str:
    """Write a comment as Markdown: its indented lines, ``name   what it is``, become a list."""
    lines: list[str] = []
    for line in comment:
        if match := re.match(r"  (\w+)  +(.*)", line):
            lines.append(f"- `{match[1]}`: {match[2]}")
        elif line.startswith("  "):
            lines.append(f"  {line.strip()}")
        else:
            lines += ["", line] if lines and lines[-1].startswith(("-", "  ")) else [line]
    items = [n for n, line in enumerate(lines) if line.startswith("- ")]
    if items:
        lines.insert(items[0], "")
    return "\n".join(lines).strip() + "\n"


def _at(defaults: Any, path: str) -> Any:
    for name in path.split("."):
        defaults = defaults[name]
    return defaults


def _schema_of(schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    node = schema
    for name in path.split("."):
        node = _resolved(node, schema)["properties"][name]
    return node


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        node = schema["definitions"][node["$ref"].rpartition("/")[2]]
    return node


def _kind(node: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Say in words what a value may be."""
    node = _resolved(node, schema)
    if "enum" in node:
        return " or ".join(markdown.code(str(each)) for each in node["enum"])
    if "anyOf" in node:
        kinds = [each for each in node["anyOf"] if each != {"const": ""}]
        return _kind(kinds[0], schema) if len(kinds) == 1 else "text"
    kind = node.get("type", "")
    if isinstance(kind, list):
        return "quantity"
    names = {"string": "text", "boolean": "`true` or `false`", "object": "map", "array": "list"}
    if kind in ("integer", "number"):
        least, most = node.get("minimum"), node.get("maximum")
        number = "whole number" if kind == "integer" else "number"
        return number + (
            f", {least} to {most}" if most is not None else f", at least {least}" if least is not None else ""
        )
    return names[kind]
