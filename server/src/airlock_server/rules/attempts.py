"""A pod's row, what a pod asks for, and why it may not have it. Plain data."""

from datetime import datetime
from typing import Any

import msgspec

from airlock_server.rules.assets import NO_ASSETS, Declarations
from airlock_wire.identity import TaskInstanceKey


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A pod's row."""

    pod_uid: str
    pod_name: str
    number: int
    namespace: str
    taskrun_name: str
    taskrun_uid: str
    ti_id: str
    key: TaskInstanceKey
    try_number: int
    dag_version_id: str
    settled_at: datetime | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a pod asks for: itself, its TaskRun, and the task instance that the TaskRun names."""

    pod_uid: str
    pod_name: str
    number: int
    namespace: str
    taskrun_name: str
    taskrun_uid: str
    key: TaskInstanceKey
    try_number: int
    max_tries: int
    conf: dict[str, Any] | None
    assets: Declarations = NO_ASSETS


class Known(msgspec.Struct, frozen=True):
    """
    What the store knows of an attempt: the state of its try, and why it has it. The state is ``unknown`` if a later try
    has taken its place.
    """

    state: str
    message: str = ""


class Superseded(msgspec.Struct, frozen=True):
    """Another pod counts, or none any more, and why."""

    why: str


class OwnedBy(msgspec.Struct, frozen=True):
    """The DAG is another's."""

    owner: str


class RunBy(msgspec.Struct, frozen=True, kw_only=True):
    """The task instance is under way for another TaskRun; the empty one where this machine itself runs it."""

    namespace: str = ""
    name: str = ""
    uid: str = ""
