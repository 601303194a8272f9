"""
Names launches: the TaskRun's name, and the labels by which a scheduler finds it again. Pure.

A task instance's id and its try number stay the same over a deferral and a reschedule, so a name is one launch's alone.
"""

import re
import uuid
from collections.abc import Mapping

from airlock_executor.launch.order import Order

EXECUTOR = "airlock.dev/executor"
LAUNCH = "airlock.dev/launch"
TASK_INSTANCE = "airlock.dev/task-instance"
DAG, TASK = "airlock.dev/dag-id", "airlock.dev/task-id"
#: Annotations: what a scheduler that takes the launch over must know of what was before it.
RESUMED, LOSSES = "airlock.dev/resumed", "airlock.dev/losses"

#: A TaskRun's name has at most 59 characters, because its pods' names add to it.
_MAX_NAME = 59
_UNIQUE = 12
_MAX_LABEL = 63
_SLUG = re.compile(r"[^a-z0-9]+")
_LABEL = re.compile(r"[^A-Za-z0-9_.-]+")


def taskrun_name(dag_id: str, task_id: str, launch_id: str) -> str:
    """Returns a name that people can read and that no other launch has. ``launch_id`` is a UUID's text."""
    unique = uuid.UUID(launch_id).hex[:_UNIQUE]
    slug = _SLUG.sub("-", f"{dag_id}-{task_id}".lower())[: _MAX_NAME - _UNIQUE - 1].strip("-")
    return f"{slug or 'task'}-{unique}"


def labels(executor: str, order: Order) -> dict[str, str]:
    """Returns a TaskRun's labels. The whole key is in its spec, as a label cannot hold every id that Airflow allows."""
    readable = {DAG: label_value(order.dag_id), TASK: label_value(order.task_id)}
    own = {EXECUTOR: executor, LAUNCH: order.launch_id, TASK_INSTANCE: order.ti_id}
    return own | {name: value for name, value in readable.items() if value}


def annotations(*, resumed: bool, losses: int) -> dict[str, str]:
    """Returns a TaskRun's annotations."""
    return {RESUMED: "true" if resumed else "false", LOSSES: str(losses)}


def resumed(annotations: Mapping[str, str]) -> bool:
    """Tells whether a TaskRun goes on with a deferral. One that does not say so may."""
    return annotations.get(RESUMED) != "false"


def losses(annotations: Mapping[str, str]) -> int:
    """Returns how often the platform took a launch before it."""
    text = annotations.get(LOSSES, "")
    return int(text) if text.isdecimal() else 0


def label_value(text: str) -> str:
    """Returns what a label can hold of a text, for people to select by; it may be empty."""
    return _LABEL.sub("_", text)[:_MAX_LABEL].strip("_.-")


def selector(executor: str) -> str:
    """Returns what selects every TaskRun of an executor."""
    return f"{EXECUTOR}={executor}"


def selector_of_instance(ti_id: str) -> str:
    """Returns what selects the TaskRuns of a task instance, whoever launched them."""
    return f"{TASK_INSTANCE}={ti_id}"
