"""Writes the page of settings from the settings' structs: sections, settings, and the ``#:`` comment above each."""

import inspect
import re
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import msgspec

from airlock_operator import settings as operator
from airlock_server import settings as server
from airlock_sidecar import settings as sidecar
from airlock_wire.process.settings import PREFIX
from reference import markdown

HEAD = """\
# Settings

This page is written by `make manifests` from the comments of the settings' own structs; a test holds them equal.

A setting has a section and a name. It is set by `AIRLOCK__SECTION__NAME` in the environment. The server also reads
`airlock.toml` in `AIRLOCK_HOME`; the environment wins over the file. An unknown section or name is refused, and the
refusal names the nearest known one.

In a cluster the chart sets what is needed ([chart values](chart-values.md)). Its `server.env` and `operator.env` set
others. The operator sets those of the sidecars.
"""

#: Each process: its title, what is read before its sections, its struct of sections.
PROCESSES: tuple[tuple[str, str, type[msgspec.Struct], ModuleType], ...] = (
    ("The server", "And the `airlock` command, which works on the same home.", server.ServerSettings, server),
    ("The operator", "The chart sets them.", operator.OperatorSettings, operator),
    ("The sidecar", "The operator or the local executor sets them.", sidecar.SidecarSettings, sidecar),
)
_KINDS = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text"}


def page() -> str:
    """Write the whole page."""
    parts = [HEAD]
    for title, note, sections, module in PROCESSES:
        parts.append(f"## {title}\n\n{note}\n")
        parts += [_section(title, field.encode_name, field.type, module) for field in msgspec.structs.fields(sections)]
    return "\n".join(parts)


def comments(kind: type, module: ModuleType) -> dict[str, str]:
    """Read the ``#:`` comment above each field of a struct, by the field's name."""
    texts: dict[str, str] = {}
    above: list[str] = []
    for line in inspect.getsource(getattr(module, kind.__name__)).splitlines():
        if match := re.match(r"\s+#: ?(.*)", line):
            above.append(match[1])
        elif match := re.match(r"    (\w+):", line):
            texts[match[1]] = markdown.prose(" ".join(above))
            above = []
        else:
            above = []
    return texts


def _section(process: str, name: str, kind: type[msgspec.Struct], module: ModuleType) -> str:
    texts = comments(kind, module)
    rows = [
        (
            markdown.code(f"{PREFIX}{name.upper()}__{field.encode_name.upper()}"),
            _kind(field.type),
            markdown.value(field.default),
            texts[field.name],
        )
        for field in msgspec.structs.fields(kind)
    ]
    head = f"### {process}: `[{name}]`\n\n{markdown.prose(inspect.getdoc(kind) or '')}\n\n"
    return head + markdown.table(("setting", "kind", "default", "what it is"), rows)


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(markdown.code(str(each)) for each in get_args(kind))
    return _KINDS[kind]
