"""
Judges a launch that has ended: facts in, a verdict out. Pure and total: every combination of facts has one verdict.

The sidecar forwards what the runner reported. It judges a crash itself only if Airlock's own server owns the task
instance. It leaves to Kubernetes and the owner what only they can know.
"""

from typing import Literal, NamedTuple

from airlock_sidecar.state.stops import Stop
from airlock_wire.pod import CHILD_EXIT_CLOSED
from airlock_wire.record import Exit, Reason

_REPORTED = {
    "success": Reason.SUCCEEDED,
    "skipped": Reason.SKIPPED,
    "failed": Reason.FAILED,
    "removed": Reason.FAILED,
    "up_for_retry": Reason.RETRY,
    "deferred": Reason.DEFERRED,
    "up_for_reschedule": Reason.RESCHEDULED,
    "awaiting_input": Reason.AWAITING_INPUT,
}
#: What a runner does: it executes a task instance, parses a file, runs a trigger, asks a timetable, or calls callbacks.
Mode = Literal["execute", "parse", "trigger", "timetable", "callback"]

_DELIVERED = {
    "parse": Reason.PARSED,
    "trigger": Reason.FIRED,
    "timetable": Reason.ANSWERED,
    "callback": Reason.ANSWERED,
}
_STOPPED = {
    Stop.SUPERSEDED: Reason.SUPERSEDED,
    Stop.ALREADY_FINISHED: Reason.ALREADY_FINISHED,
    Stop.TOKEN_EXPIRED: Reason.TOKEN_EXPIRED,
    Stop.REJECTED: Reason.REJECTED,
    Stop.DENIED: Reason.DENIED,
}

#: The states that a task that took too long may still report: failures. Other states would hide that it was stopped.
_AFTER_TIME_OUT = frozenset({"failed", "up_for_retry"})

#: The reasons for a launch in which the task itself reported nothing.
UNEXPLAINED = frozenset({Reason.CRASHED, Reason.OOM_KILLED, Reason.TIMED_OUT})


class Facts(NamedTuple):
    """What is known at the end of a launch."""

    #: The state that the runner reported; None if it reported nothing, or if that is withheld (``withheld``).
    reported: str | None
    #: The runner of another mode than ``execute`` delivered its result.
    parsed: bool
    #: The launcher's exit report, None if the launcher went without a report.
    exit: Exit | None
    #: The launcher said that it was told to stop.
    signalled: bool
    #: Why this sidecar stopped the runner, empty where it did not.
    stopped: Stop
    #: A launcher connected at all.
    connected: bool
    #: The server says that a failure may be tried again.
    should_retry: bool
    #: This sidecar reports crashes by itself.
    judges: bool
    #: The server's message, if its answer made this sidecar stop the runner; after a time-out the sentence about it.
    stopped_message: str = ""
    #: Seconds that the runner may take, None without a limit; and what it does.
    limit: float | None = None
    mode: Mode = "execute"


class Verdict(NamedTuple):
    """The reason and the sentence for the record, and the state that the sidecar must report itself."""

    reason: Reason
    message: str
    report: str | None = None


def withheld(state: str, *, signalled: bool, stopped: Stop) -> bool:
    """
    Tells whether a state that the runner reports now is withheld, because the runner was told to stop before.

    Only the owner knows what its own stop means. A success after a stop is withheld too: code that is told to stop
    often ends by returning.
    """
    if signalled:
        return True
    return bool(stopped) and not (stopped == Stop.TIMED_OUT and state in _AFTER_TIME_OUT)


def timed_out(limit: float | None, mode: Mode) -> str:
    """Returns the sentence about a runner that took too long."""
    seconds = "" if limit is None else f" of {limit:g} s"
    if mode == "trigger":
        return f"the trigger ran longer than its limit{seconds} and was stopped"
    if mode == "callback":
        return f"the callbacks took longer than their limit{seconds} and were stopped"
    if mode == "timetable":
        return f"the timetable took longer to answer than its limit{seconds} and was stopped"
    if mode == "parse":
        return f"importing the file took longer than its limit{seconds} and was stopped"
    return f"the task ran longer than its execution_timeout{seconds} and was stopped"


def judge(facts: Facts) -> Verdict:
    """Returns the verdict on a launch that has ended."""
    if facts.stopped in _STOPPED:
        return Verdict(_STOPPED[facts.stopped], facts.stopped_message or _sentence(facts.stopped))
    if facts.parsed:
        return Verdict(_DELIVERED.get(facts.mode, Reason.PARSED), "")
    if not facts.connected:
        return Verdict(Reason.RUNNER_NEVER_CONNECTED, "no launcher connected in time")
    late = facts.stopped_message or timed_out(facts.limit, facts.mode)
    if facts.stopped == Stop.TIMED_OUT and facts.reported in _AFTER_TIME_OUT:
        return Verdict(Reason.TIMED_OUT, late)
    if facts.reported is not None:
        return Verdict(_REPORTED[facts.reported], "")
    if facts.signalled:
        return Verdict(Reason.INTERRUPTED, "the launcher was told to stop before the task ended")
    own_verdict = ("up_for_retry" if facts.should_retry else "failed") if facts.judges else None
    if facts.stopped == Stop.TIMED_OUT:
        return Verdict(Reason.TIMED_OUT, late, own_verdict)
    if facts.exit is None:
        return Verdict(Reason.VANISHED, "the launcher went away without a word")
    if facts.exit.oom:
        return Verdict(Reason.OOM_KILLED, "the kernel killed the runner for memory", own_verdict)
    return Verdict(Reason.CRASHED, _crash(facts), own_verdict)


def _crash(facts: Facts) -> str:
    if facts.stopped == Stop.BROKE_PROTOCOL:
        return "the runner broke the protocol and was stopped"
    assert facts.exit is not None  # noqa: S101 - the caller's order of rules
    if facts.exit.signal is not None:
        return f"the runner was ended by signal {facts.exit.signal} before it reported a state"
    if facts.exit.code == CHILD_EXIT_CLOSED:
        return "the task closed its runner's own descriptors (os.closerange or os.close): no state could be reported"
    return f"the runner exited with code {facts.exit.code} before it reported a state"


def _sentence(stopped: Stop) -> str:
    return {
        Stop.SUPERSEDED: "the server says that this launch is no longer the one that counts",
        Stop.ALREADY_FINISHED: "the server says that the task instance is finished already",
        Stop.TOKEN_EXPIRED: "the server refused the token; the owner has to mint another",
        Stop.REJECTED: "the server refused to start this launch",
        Stop.DENIED: "the server's policy denies this launch its token",
    }[stopped]
