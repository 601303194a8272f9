"""Writes the page of settings from the settings' structs: sections, settings, and the ``#:`` comment above each."""

import inspect
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from airlock_operator import settings as operator
from airlock_server import settings as server
from airlock_sidecar import settings as sidecar
from airlock_wire.process.setting_comments import comments
from airlock_wire.process.settings import PREFIX, forms_of
from reference import markdown

HEAD = """\
# Settings

This page is written by `make manifests` from the comments of the settings' own structs; a test holds them equal.

A setting has a section and a name. It is set by `AIRLOCK__SECTION__NAME` in the environment. The server also reads
`airlock.toml` in `AIRLOCK_HOME`; the environment wins over the file. An unknown section or name is refused, and the
refusal names the nearest known one. `airlock config list` shows what is set and where, and `airlock config init` writes
a commented file.

A setting that is marked as secret has two more forms, in the file and in the environment. `KEY_CMD` is a command that
prints the value; it runs once, at the start, without a shell. `KEY_SECRET` is the name of a secret that a class of
`[secrets] backends` knows ([Secrets](../guides/secrets.md)). One setting in two forms is refused.

In a cluster the chart sets what is needed ([chart values](chart-values.md)). Its `server.env` and `operator.env` set
others. The operator sets those of the sidecars.
"""

#: Each process: its title, what is read before its sections, its struct of sections.
PROCESSES: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("The server", "And the `airlock` command, which works on the same home.", server.ServerSettings),
    ("The operator", "The chart sets them.", operator.OperatorSettings),
    ("The sidecar", "The operator or the local executor sets them.", sidecar.SidecarSettings),
)
_KINDS = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text"}


def page() -> str:
    """Write the whole page."""
    parts = [HEAD]
    for title, note, sections in PROCESSES:
        parts.append(f"## {title}\n\n{note}\n")
        parts += [_section(title, field.encode_name, field.type) for field in msgspec.structs.fields(sections)]
    return "\n".join(parts)


def _section(process: str, name: str, kind: type[msgspec.Struct]) -> str:
    texts = comments(kind)
    rows = [
        (
            markdown.code(f"{PREFIX}{name.upper()}__{field.encode_name.upper()}"),
            _kind(field.type),
            markdown.value(field.default),
            markdown.prose(texts[field.name]) + _forms(field),
        )
        for field in msgspec.structs.fields(kind)
    ]
    head = f"### {process}: `[{name}]`\n\n{markdown.prose(inspect.getdoc(kind) or '')}\n\n"
    return head + markdown.table(("setting", "kind", "default", "what it is"), rows)


def _forms(field: msgspec.structs.FieldInfo) -> str:
    """Name the further forms of a secret setting."""
    names = [markdown.code(f"{field.encode_name}_{form}".upper()) for form in forms_of(field)]
    return f" **Secret**: also as {' or '.join(names)}." if names else ""


def _kind(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return _kind(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return " or ".join(markdown.code(str(each)) for each in get_args(kind))
    return _KINDS[kind]
