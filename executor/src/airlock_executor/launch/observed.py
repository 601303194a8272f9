"""
What the executor reads of a TaskRun, and of a change of one. Plain data.

Nothing else of a TaskRun is decoded or kept: a scheduler follows thousands of them.
"""

import msgspec


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """Who a TaskRun is."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """Which task instance it is of."""

    dag_id: str = ""
    task_id: str = ""
    run_id: str = ""
    map_index: int = -1
    try_number: int = 1
    task_instance_id: str = ""
    suspend: bool = False
    cancel: bool = False


class PodRef(msgspec.Struct, frozen=True):
    """The present pod."""

    name: str = ""


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """How far it is."""

    reason: str = ""
    message: str = ""
    started_at: str = ""
    finished_at: str = ""
    attempt: int = 0
    pod_ref: PodRef | None = None


class Observed(msgspec.Struct, frozen=True):
    """A TaskRun, as far as it matters here."""

    metadata: Metadata = Metadata()
    spec: Spec = Spec()
    status: Status | None = None

    @property
    def now(self) -> Status:
        """Its status; an empty one before the operator has written any."""
        return self.status or Status()

    @property
    def finished(self) -> bool:
        """Whether it is over for good."""
        return bool(self.now.finished_at)


class Change(msgspec.Struct, frozen=True):
    """What a watch says: the kind of change, and the TaskRun after it."""

    #: ADDED, MODIFIED, DELETED or BOOKMARK.
    kind: str
    taskrun: Observed
