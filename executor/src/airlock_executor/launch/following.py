"""
Says what a change of a TaskRun means for its launch. Pure.

A launch is told apart by its TaskRun's name alone: its key is also that of the launch before it and after it.
"""

from typing import Any

import msgspec

from airlock_executor.launch import identity, outcomes
from airlock_executor.launch.observed import Observed
from airlock_executor.launch.order import Order
from airlock_executor.launch.outcomes import Outcome
from airlock_executor.launch.tokens import UNKNOWN, TokenLife


class Launch(msgspec.Struct):
    """
    A launch that is followed. ``key`` is Airflow's; nothing here reads it. The body is there until its TaskRun is.
    """

    key: Any
    namespace: str
    name: str
    ti_id: str
    body: dict[str, Any] | None = None
    token: TokenLife = UNKNOWN
    #: When its TaskRun was let go, or taken over; seconds of a clock of this process.
    ready_at: float | None = None
    #: Whether its runner was seen to run.
    begun: bool = False
    #: The reason that its author was told last.
    reason: str = ""
    #: How often launches of its task instance were lost to the platform.
    losses: int = 0
    #: Whether it goes on with a deferral: scheduled again, it would begin from its start.
    resumed: bool = False
    #: What its sidecar answers with (``lookups``).
    lookups: bytes = b""

    @property
    def place(self) -> tuple[str, str]:
        """Where its TaskRun is: namespace and name."""
        return self.namespace, self.name


class Note(msgspec.Struct, frozen=True):
    """A reason for waiting, for the task's event log."""

    reason: str
    text: str


class Step(msgspec.Struct, frozen=True):
    """What follows from a change: something to tell, or the end."""

    note: Note | None = None
    outcome: Outcome | None = None


NOTHING = Step()


def launch_of(order: Order, namespace: str, body: dict[str, Any], key: Any) -> Launch:
    """Returns the launch that a TaskRun's body is for."""
    name = body["metadata"]["name"]
    return Launch(key, namespace, name, order.ti_id, body, losses=order.losses, resumed=order.resumed)


def taken_over(taskrun: Observed, key: Any) -> Launch:
    """Returns the launch that another process made, by what its TaskRun says."""
    metadata = taskrun.metadata
    return Launch(
        key,
        metadata.namespace,
        metadata.name,
        taskrun.spec.task_instance_id,
        losses=identity.losses(metadata.annotations),
        resumed=identity.resumed(metadata.annotations),
    )


def follow(launch: Launch, taskrun: Observed, *, deleted: bool = False) -> Step:
    """Returns what a change means, and notes in the launch how far it is."""
    status = taskrun.now
    if taskrun.finished:
        return Step(outcome=outcomes.outcome(status.reason, status.message))
    if deleted:
        return Step(outcome=outcomes.vanished())
    launch.begun = status.reason in outcomes.BEGUN
    if status.reason == launch.reason:
        return NOTHING
    launch.reason = status.reason
    if status.reason in outcomes.BLOCKED:
        text = f"{status.reason}: {status.message}" if status.message else status.reason
        return Step(note=Note(status.reason, f"{text} (TaskRun {launch.namespace}/{launch.name})"))
    return NOTHING


def chosen(taskruns: list[Observed], launch_id: str | None, *, running: bool) -> Observed | None:
    """
    Returns the TaskRun of a task instance that a scheduler left behind, among all of that task instance; None if the
    task instance is to be scheduled anew.

    ``launch_id`` is what the scheduler wrote down for it. A queued task instance may also have TaskRuns of launches
    before: those that ended in order are not its own.
    """
    own = [each for each in taskruns if launch_id and each.metadata.labels.get(identity.LAUNCH) == launch_id]
    unfinished = [each for each in taskruns if not each.finished and not each.spec.cancel]
    # A queued one's last TaskRun that is over was another launch's, unless its label says otherwise.
    newest = sorted(taskruns, key=lambda each: each.metadata.creation_timestamp)[-1:] if running else []
    for each in (*own, *unfinished, *newest):
        end = outcomes.outcome(each.now.reason, "").end
        if running or not each.finished or end not in (outcomes.End.ORDERLY, outcomes.End.SILENT):
            return each
    return None
