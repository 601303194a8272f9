"""
What the end of a TaskRun means for Airflow: a table over the reasons of docs/failures.md. Pure.

An end after which the task instance comes again under the same key and try number is not reported. Airflow would take
a late report for the end of the launch that follows. Every other end is reported, also one that the task itself
reported: Airflow schedules a task instance that was cleared only when it hears of its end.
"""

from enum import Enum

import msgspec


class End(Enum):
    """What the executor does about a TaskRun that is over."""

    #: The task instance comes again under the same key: the launch is forgotten, and Airflow is told nothing.
    SILENT = "silent"
    #: The task reported its end, or the server has another launch in mind.
    ORDERLY = "orderly"
    #: Airflow is told that it failed, and handles it: tries, callbacks, e-mail.
    FAILED = "failed"
    #: It never began, by the platform's fault: it is launched anew on the same try, within a budget.
    ANEW = "anew"
    #: The platform took it after it began: the try is saved by scheduling it again, where that is allowed.
    SAVE = "save"


#: Each reason with which a TaskRun can be over. A reason for waiting stands for a wait that took too long.
TABLE = {
    "Succeeded": End.ORDERLY,
    "Skipped": End.ORDERLY,
    "Failed": End.ORDERLY,
    "Retry": End.ORDERLY,
    "AlreadyFinished": End.ORDERLY,
    "Superseded": End.ORDERLY,
    "Deferred": End.SILENT,
    "Rescheduled": End.SILENT,
    "AwaitingInput": End.SILENT,
    "Evicted": End.SAVE,
    "Preempted": End.SAVE,
    "PodDeleted": End.SAVE,
    "NodeLost": End.SAVE,
    "SidecarLost": End.SAVE,
    "RuntimeFailed": End.SAVE,
    "RunnerNeverConnected": End.ANEW,
    "BundleFailed": End.ANEW,
    "InfraBudgetExhausted": End.ANEW,
    "TokenExpired": End.ANEW,
    "OOMKilled": End.FAILED,
    "StorageExceeded": End.FAILED,
    "Crashed": End.FAILED,
    "TimedOut": End.FAILED,
    "Denied": End.FAILED,
    "ImagePullFailed": End.FAILED,
    "InvalidPod": End.FAILED,
    "CannotExec": End.FAILED,
    "Rejected": End.FAILED,
    "Cancelled": End.FAILED,
    # Waits that were longer than pendingTimeout.
    "Suspended": End.FAILED,
    "WaitingForRetry": End.FAILED,
    "Pending": End.FAILED,
    "QuotaExceeded": End.FAILED,
    "ApiBusy": End.FAILED,
    "Forbidden": End.FAILED,
    "Unschedulable": End.FAILED,
    "SchedulingGated": End.FAILED,
    "PullingImage": End.FAILED,
    "ImagePull": End.FAILED,
    "ContainerConfig": End.FAILED,
    "VolumeMount": End.FAILED,
    "FetchingBundle": End.FAILED,
    "Starting": End.FAILED,
    "Queued": End.FAILED,
    "Running": End.FAILED,
    "Stopping": End.FAILED,
    "ServerAway": End.FAILED,
}

#: Reasons that keep a task from beginning, or from going on, and that its author is told at once.
BLOCKED = frozenset(
    {
        "QuotaExceeded", "ApiBusy", "Forbidden", "Unschedulable", "SchedulingGated", "ImagePull", "ContainerConfig",
        "VolumeMount", "Queued", "ServerAway",
    }
)  # fmt: skip
#: Reasons of a launch whose runner runs, or ran: its token was shown to the server.
BEGUN = frozenset({"Running", "Stopping", "ServerAway"})


class Outcome(msgspec.Struct, frozen=True):
    """How a launch ended: what follows, the reason, and a sentence for the task's log and event log."""

    end: End
    reason: str
    text: str = ""


def outcome(reason: str, message: str) -> Outcome:
    """
    Returns what the end of a TaskRun means. An operator that is newer than this executor may write a reason that is not
    in the table: that is a failure, with its words.
    """
    end = TABLE.get(reason, End.FAILED)
    text = f"{reason}: {message}" if message else reason
    return Outcome(end, reason, "" if end in (End.ORDERLY, End.SILENT) else text)


def vanished() -> Outcome:
    """Returns what it means that a TaskRun is gone before it was over."""
    return Outcome(End.FAILED, "Deleted", "Deleted: somebody deleted its TaskRun before it was over")


def refused(reason: str, text: str) -> Outcome:
    """Returns what it means that a launch could not be made."""
    return Outcome(End.FAILED, reason, f"{reason}: {text}")
