"""
Checks the ids of DAGs, runs and tasks in a message, before they become part of an address. Pure.

A server undoes the quoting of a path before it looks for the route. So a slash in an id moves the borders between the
ids after it: ``v1/made`` as a run is the run ``v1`` and the task ``made``. Ids of Airflow's have no slash. Whatever a
server or a proxy could read as a border, or as another spelling of one, is refused in every message.
"""

import re
from typing import Any

from airlock_sidecar.errors import NotAllowed

#: The fields that name a DAG, a run, a task or a group of tasks, whatever message they are in.
ONE = ("dag_id", "run_id", "task_id", "task_group_id")
#: The fields with a list of them. A task may come with its map index.
SEVERAL = ("task_ids", "run_ids", "tasks")

#: Borders of a path, an escape, the end of a path, control characters and line ends; two dots in a row.
_ODD = re.compile(r"[/\\%?#\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\.\.")
_RULE = "no id has a slash, a backslash, %, ?, # or a control character, or two dots in a row, or is a dot"


def check(ask: Any) -> None:
    """Refuses a message with an invalid id. Raises NotAllowed, which names the field and the rule."""
    fields = type(ask).__struct_fields__
    for name in ONE:
        if name in fields and (value := getattr(ask, name)) is not None:
            _check(type(ask).__name__, name, value)
    for name in SEVERAL:
        if name in fields:
            for item in getattr(ask, name) or ():
                _check(type(ask).__name__, name, _task_of(item) if name == "tasks" else item)


def odd(value: str) -> bool:
    """Tells whether this is not an id, as it is spelt or as a server may normalise it."""
    if not value or value == "." or _ODD.search(value):
        return True
    if value.isascii():
        return False
    import unicodedata  # only for an id that has letters beyond ASCII

    plain = unicodedata.normalize("NFKC", value)
    return plain == "." or _ODD.search(plain) is not None


def _check(kind: str, name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise NotAllowed("odd id", f"{kind}: {name} must be text, not {type(value).__name__}")
    if odd(value):
        raise NotAllowed("odd id", f"{kind}: {name} is {value[:250]!r}; {_RULE}")


def _task_of(item: Any) -> Any:
    """Returns the task of an entry of ``tasks``: its id, or the first of a pair whose other is a map index."""
    if isinstance(item, list | tuple):
        if len(item) != 2 or isinstance(item[1], bool) or not isinstance(item[1], int):
            raise NotAllowed("odd id", "tasks: an entry is a task's id, or a pair of one and a map index")
        return item[0]
    return item
