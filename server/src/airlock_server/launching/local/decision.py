"""
Makes the owner's decision about a launch, from the sidecar's record. Pure: facts in, a decision out.

A lost launch does not use up a retry: the task is launched again within the infra budget. If user code had begun, that
happens only if the task has retries, because `retries: 0` often means "not idempotent".
"""

from enum import Enum
from typing import NamedTuple

from airlock_wire.record import Reason, Record
from airlock_wire.states import TaskInstanceState

#: How often a token that the server refused at the start is minted anew.
TOKEN_TRIES = 3


class Next(Enum):
    """What to do about a launch that has ended."""

    #: The server has the task's state; there is nothing to decide.
    DONE = "done"
    #: Launch the same try again.
    AGAIN = "again"
    #: Write the state that comes with it: nobody else will.
    CLOSE = "close"


class Decision(NamedTuple):
    """What to do, the state for CLOSE, and why, for a person."""

    next: Next
    state: TaskInstanceState | None = None
    why: str = ""


class Used(NamedTuple):
    """What this try has used up so far: launches lost to infrastructure, and refused tokens."""

    infra: int = 0
    tokens: int = 0


_LOST = {Reason.INTERRUPTED, Reason.VANISHED, Reason.RUNNER_NEVER_CONNECTED}


def decide(
    record: Record | None, *, began: bool, retries: int, infra_budget: int, used: Used, stopping: bool
) -> Decision:
    """
    Returns the owner's decision. ``record`` is None if the sidecar left no record. ``began``: the sidecar noted that
    the task was handed to the runner. ``stopping``: the command was told to end.
    """
    if record is None:
        return _lost("SidecarLost", began=began, retries=retries, budget=infra_budget, used=used, stopping=stopping)
    why = f"{record.reason.value}: {record.message}".rstrip(": ")
    if record.reason in (Reason.SUPERSEDED, Reason.ALREADY_FINISHED, Reason.PARSED):
        return Decision(Next.DONE, why=why)
    if record.acknowledged:
        return Decision(Next.DONE, why=why)
    if record.reason is Reason.TOKEN_EXPIRED:
        if used.tokens < TOKEN_TRIES and not stopping:
            return Decision(Next.AGAIN, why=why)
        return Decision(Next.CLOSE, TaskInstanceState.FAILED, f"TokenExpired, {TOKEN_TRIES} times: {record.message}")
    if record.reason in _LOST:
        return _lost(
            record.reason.value,
            began=began or "started" in record.timeline,
            retries=retries,
            budget=infra_budget,
            used=used,
            stopping=stopping,
        )
    state = TaskInstanceState(record.state) if record.state in set(TaskInstanceState) else TaskInstanceState.FAILED
    return Decision(Next.CLOSE, state, why)


def _lost(reason: str, *, began: bool, retries: int, budget: int, used: Used, stopping: bool) -> Decision:
    if stopping:
        return Decision(Next.CLOSE, TaskInstanceState.FAILED, f"{reason}: the command was told to stop")
    if began and retries == 0:
        return Decision(
            Next.CLOSE,
            TaskInstanceState.FAILED,
            f"{reason}: user code had begun, and a task without retries is not run again",
        )
    if used.infra >= budget:
        return Decision(
            Next.CLOSE,
            TaskInstanceState.FAILED,
            f"InfraBudgetExhausted: {reason}, after {budget} launches more than the first",
        )
    return Decision(Next.AGAIN, why=reason)
