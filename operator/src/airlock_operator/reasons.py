"""
The reasons of a TaskRun and their meaning: the failure model as one table (docs/failures.md).

A reason either *waits* (the attempt goes on), or *ends* the attempt. If it ends the attempt, its kind says which budget
pays for the next one: none (the TaskRun is over), the user's retries, the infra budget, or the token budget.
"""

from enum import Enum, StrEnum


class Reason(StrEnum):
    """CamelCase, as Kubernetes' own reasons; the REASON column."""

    # Before a pod exists.
    SUSPENDED = "Suspended"
    WAITING_FOR_RETRY = "WaitingForRetry"
    PENDING = "Pending"
    QUOTA_EXCEEDED = "QuotaExceeded"
    API_BUSY = "ApiBusy"
    FORBIDDEN = "Forbidden"
    # A pod exists, its runner does not run.
    UNSCHEDULABLE = "Unschedulable"
    SCHEDULING_GATED = "SchedulingGated"
    PULLING = "PullingImage"
    IMAGE_PULL = "ImagePull"
    CONFIG_ERROR = "ContainerConfig"
    VOLUME_MOUNT = "VolumeMount"
    FETCHING_BUNDLE = "FetchingBundle"
    STARTING = "Starting"
    # It runs, or is on its way out.
    RUNNING = "Running"
    STOPPING = "Stopping"
    # As the task reported.
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    RETRY = "Retry"
    DEFERRED = "Deferred"
    RESCHEDULED = "Rescheduled"
    AWAITING_INPUT = "AwaitingInput"
    ALREADY_FINISHED = "AlreadyFinished"
    # It never started.
    DENIED = "Denied"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    INVALID_POD = "InvalidPod"
    CANNOT_EXEC = "CannotExec"
    # The task's own doing.
    OOM_KILLED = "OOMKilled"
    STORAGE_EXCEEDED = "StorageExceeded"
    CRASHED = "Crashed"
    TIMED_OUT = "TimedOut"
    # The platform's doing.
    EVICTED = "Evicted"
    PREEMPTED = "Preempted"
    POD_DELETED = "PodDeleted"
    NODE_LOST = "NodeLost"
    SIDECAR_LOST = "SidecarLost"
    RUNNER_NEVER_CONNECTED = "RunnerNeverConnected"
    BUNDLE_FAILED = "BundleFailed"
    INFRA_BUDGET_EXHAUSTED = "InfraBudgetExhausted"
    # Somebody else's decision.
    SUPERSEDED = "Superseded"
    TOKEN_EXPIRED = "TokenExpired"  # noqa: S105 - a reason, not a token
    REJECTED = "Rejected"
    CANCELLED = "Cancelled"


class Kind(Enum):
    """What a reason does to its attempt."""

    #: The attempt goes on, or has not begun.
    WAITS = "waits"
    #: The TaskRun is over with the state beside it in the table.
    OVER = "over"
    #: The user's next try follows, if there is one; else the TaskRun has failed.
    USER = "user"
    #: Another attempt of the same try follows, within the infra budget.
    INFRA = "infra"
    #: Another attempt with a fresh token follows, a few times.
    TOKEN = "token"  # noqa: S105 - a kind, not a token


#: Each reason's kind, and for one that is over the task's state.
TABLE: dict[Reason, tuple[Kind, str]] = {
    Reason.SUSPENDED: (Kind.WAITS, ""),
    Reason.WAITING_FOR_RETRY: (Kind.WAITS, ""),
    Reason.PENDING: (Kind.WAITS, ""),
    Reason.QUOTA_EXCEEDED: (Kind.WAITS, ""),
    Reason.API_BUSY: (Kind.WAITS, ""),
    Reason.FORBIDDEN: (Kind.WAITS, ""),
    Reason.UNSCHEDULABLE: (Kind.WAITS, ""),
    Reason.SCHEDULING_GATED: (Kind.WAITS, ""),
    Reason.PULLING: (Kind.WAITS, ""),
    Reason.IMAGE_PULL: (Kind.WAITS, ""),
    Reason.CONFIG_ERROR: (Kind.WAITS, ""),
    Reason.VOLUME_MOUNT: (Kind.WAITS, ""),
    Reason.FETCHING_BUNDLE: (Kind.WAITS, ""),
    Reason.STARTING: (Kind.WAITS, ""),
    Reason.RUNNING: (Kind.WAITS, ""),
    Reason.STOPPING: (Kind.WAITS, ""),
    Reason.SUCCEEDED: (Kind.OVER, "success"),
    Reason.SKIPPED: (Kind.OVER, "skipped"),
    Reason.FAILED: (Kind.OVER, "failed"),
    Reason.RETRY: (Kind.USER, ""),
    Reason.DEFERRED: (Kind.OVER, "deferred"),
    Reason.RESCHEDULED: (Kind.OVER, "up_for_reschedule"),
    Reason.AWAITING_INPUT: (Kind.OVER, "awaiting_input"),
    Reason.ALREADY_FINISHED: (Kind.OVER, "success"),
    Reason.DENIED: (Kind.OVER, "failed"),
    Reason.IMAGE_PULL_FAILED: (Kind.OVER, "failed"),
    Reason.INVALID_POD: (Kind.OVER, "failed"),
    Reason.CANNOT_EXEC: (Kind.OVER, "failed"),
    Reason.OOM_KILLED: (Kind.USER, ""),
    Reason.STORAGE_EXCEEDED: (Kind.USER, ""),
    Reason.CRASHED: (Kind.USER, ""),
    Reason.TIMED_OUT: (Kind.USER, ""),
    Reason.EVICTED: (Kind.INFRA, ""),
    Reason.PREEMPTED: (Kind.INFRA, ""),
    Reason.POD_DELETED: (Kind.INFRA, ""),
    Reason.NODE_LOST: (Kind.INFRA, ""),
    Reason.SIDECAR_LOST: (Kind.INFRA, ""),
    Reason.RUNNER_NEVER_CONNECTED: (Kind.INFRA, ""),
    Reason.BUNDLE_FAILED: (Kind.INFRA, ""),
    Reason.INFRA_BUDGET_EXHAUSTED: (Kind.OVER, "failed"),
    Reason.SUPERSEDED: (Kind.OVER, "removed"),
    Reason.TOKEN_EXPIRED: (Kind.TOKEN, ""),
    Reason.REJECTED: (Kind.OVER, "failed"),
    Reason.CANCELLED: (Kind.OVER, "failed"),
}


def waits(reason: Reason) -> bool:
    """Tells whether an attempt with this reason goes on."""
    return TABLE[reason][0] is Kind.WAITS
