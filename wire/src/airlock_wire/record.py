"""
The sidecar's record: its last word about a launch, for whoever decides what the launch meant.

In a pod it is the sidecar's termination message, so it must stay under 3 KiB; on a laptop it is a file. It says
what was reported and whether the server acknowledged it, how the runner ended, what was refused, and when each
step happened. It holds nothing that user code wrote but the end of its own error text.
"""

from enum import StrEnum

import msgspec

from airlock_wire.options import TaskOptions

MAX_RECORD_BYTES = 3072
_MESSAGE_CHARS = 600


class Reason(StrEnum):
    """Why a launch ended as it did, CamelCase as in Kubernetes."""

    #: The runner reported success and the server took it.
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
    #: The runner ended without a last word: an exit code, a signal, or nothing at all.
    CRASHED = "Crashed"
    #: The kernel killed the runner for memory.
    OOM_KILLED = "OOMKilled"
    #: The task or the import took longer than it may.
    TIMED_OUT = "TimedOut"
    #: The launcher was told to stop before the task ended; the owner decides.
    INTERRUPTED = "Interrupted"
    #: The launcher went away without a word; the owner decides on its own evidence.
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
    """How the child ended, by its launcher's word: a code or a signal, and whether it was for memory."""

    code: int | None = None
    signal: int | None = None
    oom: bool = False


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The record. ``state`` is what was reported or judged, ``acknowledged`` whether the server has it; ``refusals``
    counts what was refused by kind; ``timeline`` maps steps to seconds since the epoch; ``log_missing`` is how many
    bytes of the log its store lacked when the launch was over.
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
    #: What the task itself says, where its launch left that to it and it came so far as to say it.
    options: TaskOptions | None = None


def encode(record: Record) -> bytes:
    """The record as JSON within its bound: the message is cut first, then the timeline and the refusals go."""
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
    """A record from its JSON; msgspec.MsgspecError when it is none."""
    return msgspec.json.decode(data, type=Record)
