"""
Finds the grants that a message needs, by one function for each rule over more than one name. Pure.

The docstring of such a function is a cell of docs/messages.md, so it names what must be granted.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import access, deferrals
from airlock_sidecar.requests.access import Missing
from airlock_wire.protocol import endings, messages
from airlock_wire.workload import Access

Ids = dict[str, Any]


class Needed(NamedTuple):
    """One grant: of this name, or of every name that begins with it."""

    name: str
    all_of: bool = False


def missing(allowed: Access, rule: str, needed: Iterator[Needed]) -> Missing | None:
    """Returns the first of these grants that this launch does not have."""
    for each in needed:
        look = access.missing_listing if each.all_of else access.missing
        if (grant := look(allowed, rule, each.name)) is not None:
            return grant
    return None


def xcom(ids: Ids, ask: Any) -> Iterator[Needed]:
    """Any XCom but the task instance's own, by dag_id/task_id."""
    if not access.own_xcom(ids, ask):
        yield Needed(f"{ask.dag_id}/{ask.task_id}")


def variable_keys(_: Ids, ask: Any) -> Iterator[Needed]:
    """Any key that begins with the prefix."""
    yield Needed(ask.prefix or "", all_of=True)


def dag(ids: Ids, ask: Any) -> Iterator[Needed]:
    """Another DAG, by dag_id."""
    if ask.dag_id != ids["dag_id"]:
        yield Needed(ask.dag_id)


def dag_run(ids: Ids, ask: Any) -> Iterator[Needed]:
    """Another DAG run, also of this DAG, by dag_id."""
    if (ask.dag_id, ask.run_id) != (ids["dag_id"], ids["run_id"]):
        yield Needed(ask.dag_id)


def dag_runs(_: Ids, ask: Any) -> Iterator[Needed]:
    """Any DAG run, by dag_id."""
    yield Needed(ask.dag_id)


def tasks(_: Ids, ask: Any) -> Iterator[Needed]:
    """Any dag_id/task_id in the message; all tasks of the DAG if it has a group or no task."""
    task_ids = getattr(ask, "task_ids", None) or ([ask.task_id] if hasattr(ask, "task_id") else [])
    if not task_ids or getattr(ask, "task_group_id", None) is not None:
        yield Needed(f"{ask.dag_id}/", all_of=True)
    for task_id in task_ids:
        yield Needed(f"{ask.dag_id}/{task_id}")


def asset(_: Ids, ask: Any) -> Iterator[Needed]:
    """Any name, uri or alias_name in the message."""
    for field in ("name", "uri", "alias_name"):
        if getattr(ask, field, None):
            yield Needed(getattr(ask, field))


def missing_ending(allowed: Access, ids: Ids, ask: Any) -> Missing | None:
    """Returns the grant that a terminal message needs. Raises NotAllowed for one that no grant allows."""
    if isinstance(ask, endings.DeferTask | endings.AwaitInputTask):
        deferrals.check(ask)
        return deferrals.missing(allowed, ids, ask)
    if isinstance(ask, messages.SucceedTask):
        return missing(allowed, access.ASSET_EVENTS, _claimed(ask))
    return None


def _claimed(ask: messages.SucceedTask) -> Iterator[Needed]:
    """
    Yields each name and each URI of what a success claims to have written: a DAG may wait for either, and an alias
    makes an asset of any two. Raises NotAllowed for a value that is not an asset.
    """
    for outlet in ask.task_outlets or ():
        yield from _names("task_outlets", outlet, ("name", "uri"))
    for event in ask.outlet_events or ():
        yield from _names("outlet_events", event.get("dest_asset_key"), ("name", "uri"))
        if "source_alias_name" in event:
            yield from _names("outlet_events", event, ("source_alias_name",))


def _names(field: str, asset: Any, keys: tuple[str, ...]) -> Iterator[Needed]:
    if not isinstance(asset, dict):
        text = f"SucceedTask: {field} names an asset by a map of its name and URI, not by {asset!r:.80}"
        raise NotAllowed("odd asset", text)
    names = [asset[key] for key in keys if asset.get(key) is not None]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise NotAllowed("odd asset", f"SucceedTask: {field} has an asset without a name or URI: {asset!r:.250}")
    for name in names:
        yield Needed(name)
