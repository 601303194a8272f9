"""
The reasons of a TaskRun and their meaning: the failure model as one table (docs/failures.md).

A reason either *waits* (the attempt goes on), or *ends* the attempt. If it ends the attempt, its kind says which budget
pays for the next one: none (the TaskRun is over), the user's retries, the infra budget, or the token budget.
"""

from enum import Enum, StrEnum
from typing import Self


class Kind(Enum):
    """What a reason does to its attempt."""

    #: The attempt goes on, or has not begun.
    WAITS = "waits"
    #: The TaskRun is over with the state beside it.
    OVER = "over"
    #: The user's next try follows, if there is one; else the TaskRun has failed.
    USER = "user"
    #: Another attempt of the same try follows, within the infra budget.
    INFRA = "infra"
    #: Another attempt with a fresh token follows, a few times.
    TOKEN = "token"  # noqa: S105 - a kind, not a token


#: The types of Kubernetes' Events.
NORMAL, WARNING = "Normal", "Warning"


class Reason(StrEnum):
    """
    CamelCase, as Kubernetes' own reasons; the REASON column. A new one is a row here, and a line in docs/failures.md.

    A row has the kind, the task's state if the TaskRun is over with it, the type of its Event, and advice for readers.
    """

    _value_: str
    kind: Kind
    state: str
    event_type: str
    advice: str

    def __new__(
        cls, value: str, kind: Kind = Kind.WAITS, state: str = "", event_type: str = WARNING, advice: str = ""
    ) -> Self:
        """Makes a member of its row; with the value alone it finds the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.kind, member.state, member.event_type, member.advice = kind, state, event_type, advice
        return member

    # Before a pod exists.
    SUSPENDED = ("Suspended", Kind.WAITS, "", NORMAL, "set spec.suspend to false to let it run")
    WAITING_FOR_RETRY = ("WaitingForRetry", Kind.WAITS, "", WARNING)
    PENDING = ("Pending", Kind.WAITS, "", NORMAL)
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        Kind.WAITS,
        "",
        WARNING,
        "it is made as soon as the namespace's ResourceQuota has room",
    )
    API_BUSY = ("ApiBusy", Kind.WAITS, "", WARNING, "the API server is asked again, with growing pauses")
    FORBIDDEN = (
        "Forbidden",
        Kind.WAITS,
        "",
        WARNING,
        "change what the message names, or ask an administrator to allow it",
    )
    # A pod exists, its runner does not run.
    UNSCHEDULABLE = (
        "Unschedulable",
        Kind.WAITS,
        "",
        WARNING,
        "lower spec.pod.resources or relax its node rules, or add a node",
    )
    SCHEDULING_GATED = ("SchedulingGated", Kind.WAITS, "", NORMAL)
    PULLING = ("PullingImage", Kind.WAITS, "", NORMAL)
    IMAGE_PULL = (
        "ImagePull",
        Kind.WAITS,
        "",
        WARNING,
        "check spec.image, and spec.pod.imagePullSecrets where its registry asks who you are",
    )
    CONFIG_ERROR = (
        "ContainerConfig",
        Kind.WAITS,
        "",
        WARNING,
        "make what the message says is missing, or correct spec.pod",
    )
    VOLUME_MOUNT = (
        "VolumeMount",
        Kind.WAITS,
        "",
        WARNING,
        "make what the volume names, or correct spec.pod.volumes in a new TaskRun",
    )
    FETCHING_BUNDLE = (
        "FetchingBundle",
        Kind.WAITS,
        "",
        NORMAL,
        "see the container bundle in kubectl logs, where it takes long",
    )
    STARTING = ("Starting", Kind.WAITS, "", NORMAL)
    QUEUED = ("Queued", Kind.WAITS, "", NORMAL, "it starts as soon as others have ended; see the limits in the chart")
    # It runs, or is on its way out.
    RUNNING = ("Running", Kind.WAITS, "", NORMAL)
    STOPPING = ("Stopping", Kind.WAITS, "", NORMAL)
    SERVER_AWAY = (
        "ServerAway",
        Kind.WAITS,
        "",
        WARNING,
        "nothing is lost while the server is away; an administrator looks at its pod",
    )
    # As the task reported.
    SUCCEEDED = ("Succeeded", Kind.OVER, "success", NORMAL)
    SKIPPED = ("Skipped", Kind.OVER, "skipped", NORMAL)
    FAILED = ("Failed", Kind.OVER, "failed", WARNING)
    RETRY = ("Retry", Kind.USER, "", WARNING)
    DEFERRED = ("Deferred", Kind.OVER, "deferred", NORMAL)
    RESCHEDULED = ("Rescheduled", Kind.OVER, "up_for_reschedule", NORMAL)
    AWAITING_INPUT = ("AwaitingInput", Kind.OVER, "awaiting_input", WARNING)
    ALREADY_FINISHED = ("AlreadyFinished", Kind.OVER, "success", WARNING)
    # It never started.
    DENIED = ("Denied", Kind.OVER, "failed", WARNING, "an administrator grants it, or the TaskRun does without it")
    IMAGE_PULL_FAILED = (
        "ImagePullFailed",
        Kind.OVER,
        "failed",
        WARNING,
        "correct spec.image or spec.pod.imagePullSecrets in a new TaskRun",
    )
    INVALID_POD = ("InvalidPod", Kind.OVER, "failed", WARNING, "correct what the message names, and make a new TaskRun")
    CANNOT_EXEC = (
        "CannotExec",
        Kind.OVER,
        "failed",
        WARNING,
        "use an image made from Airlock's runner image, or one with Airflow and spec.runner airflow",
    )
    # The task's own doing.
    OOM_KILLED = (
        "OOMKilled",
        Kind.USER,
        "",
        WARNING,
        "raise spec.pod.resources.limits.memory, or let the task hold less",
    )
    STORAGE_EXCEEDED = (
        "StorageExceeded",
        Kind.USER,
        "",
        WARNING,
        "raise the ephemeral-storage limit, or write to a volume",
    )
    CRASHED = ("Crashed", Kind.USER, "", WARNING, "its last lines are in kubectl logs")
    TIMED_OUT = ("TimedOut", Kind.USER, "", WARNING, "raise spec.executionTimeout, or let the task do less")
    # The platform's doing.
    EVICTED = ("Evicted", Kind.INFRA, "", WARNING)
    PREEMPTED = ("Preempted", Kind.INFRA, "", WARNING)
    POD_DELETED = ("PodDeleted", Kind.INFRA, "", WARNING)
    NODE_LOST = ("NodeLost", Kind.INFRA, "", WARNING)
    SIDECAR_LOST = ("SidecarLost", Kind.INFRA, "", WARNING, "see the sidecar container in kubectl describe pod")
    RUNNER_NEVER_CONNECTED = (
        "RunnerNeverConnected",
        Kind.INFRA,
        "",
        WARNING,
        "see the sidecar container in kubectl describe pod",
    )
    RUNTIME_FAILED = (
        "RuntimeFailed",
        Kind.INFRA,
        "",
        WARNING,
        "an administrator looks at the node's container runtime, where it goes on",
    )
    BUNDLE_FAILED = ("BundleFailed", Kind.INFRA, "", WARNING, "see the container bundle in kubectl logs")
    INFRA_BUDGET_EXHAUSTED = ("InfraBudgetExhausted", Kind.OVER, "failed", WARNING)
    # Somebody else's decision.
    SUPERSEDED = ("Superseded", Kind.OVER, "removed", WARNING)
    TOKEN_EXPIRED = ("TokenExpired", Kind.TOKEN, "", WARNING)
    REJECTED = ("Rejected", Kind.OVER, "failed", WARNING)
    CANCELLED = ("Cancelled", Kind.OVER, "failed", NORMAL)


def waits(reason: Reason) -> bool:
    """Tells whether an attempt with this reason goes on."""
    return reason.kind is Kind.WAITS
