"""
The form in which a DAG travels, and the version of its content.

The form leaves out a field with its default, whichever object the default is: two parses of one file give the same
bytes. msgspec would leave out a default only if it is the same object, and a float that a file computes is not.

The version is a hash that changes only if the DAG does. Where the DAG is written (file, line, text) does not count, and
neither does the order of what has no order. So a file that is moved, or that makes its tasks out of a set, does not
give a new version at each parse.
"""

import functools
from datetime import UTC, datetime
from typing import Any

import msgspec

from airlock_wire.dags.dag import SerializedDag

#: Fields that say where something is written.
_PLACES = ("relative_file", "line", "source")
#: Equals no value of a field.
_NOTHING = object()
#: What JSON has, and no enumeration: their words are text too.
_SCALARS = (bool, int, float, type(None))


def plain(value: Any) -> Any:
    """Returns a struct and everything in it as maps, lists and scalars that JSON has."""
    if isinstance(value, msgspec.Struct):
        return _fields(value)
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return _moment(value)
    # The author's own kind of text becomes plain text.
    return str.__str__(value) if isinstance(value, str) else msgspec.to_builtins(value)


def _moment(value: datetime) -> str:
    """Returns a moment in UTC, of whichever class it is, so that it has one text in every zone."""
    own = value if value.tzinfo is None else value.astimezone(UTC)
    zone = None if value.tzinfo is None else UTC
    plain_moment = datetime(own.year, own.month, own.day, own.hour, own.minute, own.second, own.microsecond, zone)
    text: str = msgspec.to_builtins(plain_moment)
    return text


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    tag, defaults = _defaults(type(struct))
    values = dict(tag)
    for name, default in defaults:
        value = getattr(struct, name)
        # False is not 0, although both are equal.
        if value is default or (value == default and isinstance(value, bool) is isinstance(default, bool)):
            continue
        values[name] = plain(value)
    return values


@functools.cache
def _defaults(kind: type[msgspec.Struct]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Returns a struct's tag, and its fields with what is left out of each."""
    config = kind.__struct_config__
    tag = {} if config.tag_field is None else {config.tag_field: config.tag}
    fields = msgspec.structs.fields(kind)
    return tag, [(field.name, _default(field) if config.omit_defaults else _NOTHING) for field in fields]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        return _NOTHING
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def content_hash(dag: SerializedDag) -> str:
    """Returns the hash of a DAG's content: SHA-256 in 64 hexadecimal digits."""
    import hashlib  # deferred: a parser does not need it, and it loads OpenSSL

    return hashlib.sha256(msgspec.json.encode(_content(plain(dag)), order="sorted")).hexdigest()


def _content(dag: dict[str, Any]) -> dict[str, Any]:
    """Returns a DAG's plain form without places, and with sorted tasks, groups and children."""
    content = {name: value for name, value in dag.items() if name not in _PLACES}
    content["tasks"] = sorted(
        ({name: value for name, value in task.items() if name not in _PLACES} for task in dag["tasks"]),
        key=lambda task: str(task["task_id"]),
    )
    if "groups" in dag:
        groups = ({**group, "children": sorted(group.get("children", []))} for group in dag["groups"])
        content["groups"] = sorted(groups, key=lambda group: str(group["group_id"]))
    return content
