"""
Applies the TaskRun's ``access`` to each message before anything is sent: what this launch may ask for. Pure.

It can only narrow what the server allows. A task instance's own state, XComs, DAG run, rendered fields and state store
are not governed here. ``governing`` says which message needs which grant.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from airlock_wire import patterns
from airlock_wire.workload import Access

#: The rules' names: a field of ``Access`` each.
CONNECTIONS = "connections"
VARIABLES = "variables"
VARIABLE_WRITES = "variable_writes"
XCOM_READS = "xcom_reads"
XCOM_WRITES = "xcom_writes"
TRIGGERS = "triggers"
DAG_RUNS = "dag_runs"
TASKS = "tasks"
ASSETS = "assets"
ASSET_STORES = "asset_stores"
ASSET_EVENTS = "asset_events"
DEFERRALS = "deferrals"

#: The map index of a task that is not mapped; the server takes this one if a request has no map index.
UNMAPPED = -1


class Missing(NamedTuple):
    """A missing grant: the field of ``spec.access`` to add to, and what to add."""

    field: str
    name: str

    @property
    def sentence(self) -> str:
        """The sentence for the author."""
        return f"this TaskRun's spec.access.{self.field} does not include {self.name!r}"


def missing(access: Access, rule: str, name: str) -> Missing | None:
    """
    Returns the grant that one name lacks under a rule; None where it is there, or where nothing is narrowed.

    Airflow looks for a connection in its environment under the id in upper case, so an id is compared in this form.
    """
    granted: Iterable[str] | None = getattr(access, rule)
    if rule == CONNECTIONS and name.upper() in access.connections_by_name:
        return None if name in (granted or ()) else Missing(camel(rule), name)
    if granted is None or any(patterns.matches(pattern, name) for pattern in granted):
        return None
    return Missing(camel(rule), name)


def missing_listing(access: Access, rule: str, prefix: str) -> Missing | None:
    """Does the same for all names that begin with a prefix: each of them must be granted."""
    granted: Iterable[str] | None = getattr(access, rule)
    if granted is None or any(patterns.covers_all_of(pattern, prefix) for pattern in granted):
        return None
    return Missing(camel(rule), f"{prefix}*")


def own_xcom(ids: dict[str, Any], ask: Any) -> bool:
    """
    Tells whether a message can only reach XComs of this very task instance: of its run, and of its map index.

    A message without a map index means the task that is not mapped, because that is what the request will say. A
    message that cannot have a map index means all of them. A message about earlier runs too is not about its own alone.
    """
    if getattr(ask, "include_prior_dates", False):
        return False
    map_index = getattr(ask, "map_index", None)
    if map_index is None or map_index < 0:
        map_index = UNMAPPED
    own = (ids["dag_id"], ids["run_id"], ids["task_id"], ids["map_index"])
    return own == (ask.dag_id, ask.run_id, ask.task_id, map_index)


def camel(rule: str) -> str:
    """Returns a rule's name as a TaskRun spells it."""
    head, *rest = rule.split("_")
    return head + "".join(word.capitalize() for word in rest)
