"""
The sidecar's record: its final statement about a launch, for the owner, who decides what follows.

In a pod it is the sidecar's termination message, so it must stay under 3 KiB; on a laptop it is a file. It says
what was reported and whether the server acknowledged it, how the runner ended, what was refused, and when each
step happened. The only text of user code in it is the end of its own error text.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from airlock_wire.options import TaskOptions

MAX_RECORD_BYTES = 3072
_MESSAGE_CHARS = 600


class Reason(StrEnum):
    """Why a launch ended as it did, CamelCase as in Kubernetes."""

    #: The runner reported success; ``acknowledged`` says whether the server has it.
    SUCCEEDED = "Succeeded"
    #: The runner reported that the task skipped itself.
    SKIPPED = "Skipped"
    #: The runner reported a failure with no tries left.
    FAILED = "Failed"
    #: The runner reported a failure with tries left.
    RETRY = "Retry"
    #: The task waits for a trigger, and is resumed by another launch.
    DEFERRED = "Deferred"
    #: The task wants to be started again at a date.
    RESCHEDULED = "Rescheduled"
    #: The task waits for a person, and is resumed by another launch.
    AWAITING_INPUT = "AwaitingInput"
    #: The runner in parse mode delivered its result.
    PARSED = "Parsed"
    #: The runner in trigger mode told how the trigger ended.
    FIRED = "Fired"
    #: The runner in timetable or callback mode answered.
    ANSWERED = "Answered"
    #: The runner ended without a terminal message: with an exit code, by a signal, or in an unknown way.
    CRASHED = "Crashed"
    #: The kernel killed the runner for memory.
    OOM_KILLED = "OOMKilled"
    #: The task or the import took longer than it may.
    TIMED_OUT = "TimedOut"
    #: The launcher was told to stop before the task ended; the owner decides.
    INTERRUPTED = "Interrupted"
    #: The launcher disappeared without a report; the owner decides on its own evidence.
    VANISHED = "Vanished"
    #: No launcher came in time.
    RUNNER_NEVER_CONNECTED = "RunnerNeverConnected"
    #: The server said that this launch is no longer the one that counts.
    SUPERSEDED = "Superseded"
    #: The server said that the task instance is finished already.
    ALREADY_FINISHED = "AlreadyFinished"
    #: The server refused the token at the start; the owner cures it by minting again.
    TOKEN_EXPIRED = "TokenExpired"  # noqa: S105 - a reason, not a token
    #: The server refused the launch for good: it does not know the task instance, or the request was wrong.
    REJECTED = "Rejected"
    #: The server refused, by policy, to exchange the pod's token for the task's; the message names rule and fix.
    DENIED = "Denied"


class Exit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the child ended, as its launcher reports: a code or a signal, and whether the kernel killed it for memory."""

    code: int | None = None
    signal: int | None = None
    oom: bool = False


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What the sidecar says about a launch. ``state`` was reported or judged, and ``acknowledged`` says whether the server
    has it. ``refusals`` counts refused requests by kind. ``timeline`` maps steps to seconds since the epoch.
    ``log_missing`` is how many bytes of the log its store lacked when the launch was over.
    """

    reason: Reason
    state: str | None = None
    acknowledged: bool = False
    judged: bool = False
    message: str = ""
    exit: Exit | None = None
    restarts: int = 0
    refusals: dict[str, int] = {}
    timeline: dict[str, float] = {}
    log_missing: int = 0
    #: The task's own options, if the launch left them to the task and the runner came far enough to report them.
    options: TaskOptions | None = None
    #: The delay before the next try that the task's retry policy answered for this failure.
    retry_delay_seconds: float | None = None
    #: The DAG run's, if it was told: a delay that grows has a part that follows from it (``retry_delay``).
    logical_date: datetime | None = None


def encode(record: Record) -> bytes:
    """Returns the record as JSON within its bound: the message is cut first, then the timeline and the refusals go."""
    message = record.message
    if len(message) > _MESSAGE_CHARS:
        message = message[: _MESSAGE_CHARS - 1] + "…"
    record = msgspec.structs.replace(record, message=message)
    data = msgspec.json.encode(record)
    if len(data) > MAX_RECORD_BYTES:
        record = msgspec.structs.replace(record, refusals={}, timeline={}, message=message[:200])
        data = msgspec.json.encode(record)
    return data


def decode(data: bytes) -> Record:
    """Decodes a record from its JSON; raises msgspec.MsgspecError if the bytes are not a record."""
    return msgspec.json.decode(data, type=Record)
