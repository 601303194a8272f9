"""
What this launch may ask for: the TaskRun's ``access``, applied to each message before anything is sent. Pure.

It can only narrow what the server allows. What a task is and has itself (its state, its own XComs, its rendered fields,
its own state store) is not governed here.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from airlock_wire.workload import Access

#: The rules' names: a field of ``Access`` each.
CONNECTIONS = "connections"
VARIABLES = "variables"
VARIABLE_WRITES = "variable_writes"
XCOM_READS = "xcom_reads"
XCOM_WRITES = "xcom_writes"
TRIGGERS = "triggers"
ASSET_STORES = "asset_stores"


class Missing(NamedTuple):
    """The grant that is not there: the field of ``spec.access`` to add to, and what to add."""

    field: str
    name: str

    @property
    def sentence(self) -> str:
        """What to tell the author."""
        return f"this TaskRun's spec.access.{self.field} does not include {self.name!r}"


def missing(access: Access, rule: str, name: str) -> Missing | None:
    """The grant that is missing for one name under a rule; None where it is there, or where nothing is narrowed."""
    patterns: Iterable[str] | None = getattr(access, rule)
    if patterns is None or any(matches(pattern, name) for pattern in patterns):
        return None
    return Missing(_camel(rule), name)


def missing_listing(access: Access, prefix: str | None) -> Missing | None:
    """The same for a list of variables' keys: all that begin with the prefix must be readable."""
    patterns = access.variables
    if patterns is None or any(_covers(pattern, prefix or "") for pattern in patterns):
        return None
    return Missing(_camel(VARIABLES), f"{prefix or ''}*")


def own_xcom(ids: dict[str, Any], ask: Any) -> bool:
    """Whether a message's XCom is this very task instance's."""
    map_index = getattr(ask, "map_index", None)
    own = (ids["dag_id"], ids["run_id"], ids["task_id"], ids["map_index"])
    return own == (ask.dag_id, ask.run_id, ask.task_id, ids["map_index"] if map_index is None else map_index)


def matches(pattern: str, name: str) -> bool:
    """Whether a name is what a pattern says; ``*`` stands for any characters, and nothing else is special."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == name
    *between, last = middle
    if not name.startswith(first) or len(name) < len(first) + len(last) or not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for piece in between:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _covers(pattern: str, prefix: str) -> bool:
    """Whether a pattern allows every name that begins with a prefix."""
    return pattern.endswith("*") and pattern.count("*") == 1 and prefix.startswith(pattern[:-1])


def _camel(rule: str) -> str:
    head, *rest = rule.split("_")
    return head + "".join(word.capitalize() for word in rest)
