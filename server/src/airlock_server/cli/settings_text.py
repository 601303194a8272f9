"""Writes settings as TOML: a listing of what they are, and a commented file of their defaults. Pure."""

import inspect
import json
import textwrap
from typing import Any

import msgspec

from airlock_server.settings import ServerSettings
from airlock_wire.process.setting_comments import comments
from airlock_wire.process.settings import Form, Origin, Origins, forms_of

_HIDDEN = "***"
_COLUMNS = 100

_HEAD = """\
# The settings of Airlock's server and of the airlock command.
#
# Each setting is a comment with its default. Uncomment a line to change it. AIRLOCK__SECTION__KEY in the environment
# wins over this file.
"""

_FORM_NOTES: dict[Form, str] = {
    "cmd": "{key}_cmd: a command that prints it.",
    "secret": "{key}_secret: the name of a secret that a class of [secrets] backends knows.",
}


def listing(settings: ServerSettings, origins: Origins, only: str | None = None) -> str:
    """Returns every setting as TOML, with its origin as a comment, and secrets hidden; of one section if ``only``."""
    parts = []
    for section in msgspec.structs.fields(ServerSettings):
        if only in (None, section.encode_name):
            values = getattr(settings, section.name)
            lines = [f"[{section.encode_name}]"]
            for field in msgspec.structs.fields(section.type):
                value = getattr(values, field.name)
                shown = _HIDDEN if value and forms_of(field) else value
                origin = _origin(origins.get((section.encode_name, field.encode_name)))
                lines.append(f"{field.encode_name} = {toml(shown)}  # {origin}")
            parts.append("\n".join(lines))
    return "\n\n".join(parts)


def commented(kind: type[msgspec.Struct]) -> str:
    """Returns a file with every section and, as comments, every setting with its meaning and its default."""
    parts = [_HEAD]
    for section in msgspec.structs.fields(kind):
        texts = comments(section.type)
        parts.append(f"\n{_comment(inspect.getdoc(section.type) or '')}[{section.encode_name}]\n")
        for field in msgspec.structs.fields(section.type):
            key = field.encode_name
            notes = "".join(_comment(_FORM_NOTES[form].format(key=key)) for form in forms_of(field))
            parts.append(f"\n{_comment(texts[field.name])}{notes}#{key} = {toml(field.default)}\n")
    return "".join(parts)


def toml(value: Any) -> str:
    """Returns a text, a number or a truth value as TOML, which writes them as JSON does."""
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    plain = " ".join(text.replace("``", "`").split())
    return "".join(f"# {line}\n" for line in textwrap.wrap(plain, _COLUMNS))


def _origin(origin: Origin | None) -> str:
    if origin is None:
        return "default"
    kind = {"value": origin.place, "cmd": "command", "secret": "secret"}[origin.form]
    return f"{kind}: {origin.name}"
