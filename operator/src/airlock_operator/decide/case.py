"""
The case that a plan is made for: one TaskRun, its pod, the time, and the last refusal to make the pod. Plain data.
"""

from datetime import datetime

import msgspec

from airlock_operator.observe.moments import Moments
from airlock_operator.observe.podfacts import PodFacts
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.reasons import Reason


class Refusal(msgspec.Struct, frozen=True):
    """
    Why the pod cannot be made. ``final`` if asking again cannot help; else the API server is asked again at
    ``again_at``.
    """

    reason: Reason
    message: str
    again_at: datetime
    final: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What the server knows of an attempt: its task instance's state; empty if its pod was never given a token."""

    state: str
    message: str = ""


class NoAnswer(msgspec.Struct, frozen=True):
    """Why the server did not answer. It is asked again at ``again_at``."""

    message: str
    again_at: datetime


class Case(msgspec.Struct, frozen=True):
    """
    One TaskRun to plan for. ``pod`` is the present attempt's pod, None if it does not exist; if ``status.podRef`` names
    it, the caller has asked the API server. ``refusal`` is the answer to the last try to make the pod.

    ``now`` is for texts. Time-outs count from ``moments`` to ``clock``, both in monotonic seconds. ``asks`` says
    whether there is a server to ask about an attempt, and ``answer`` is what it said. ``server_away`` says since when
    the server does not answer at all; it is empty while it answers. ``queued`` says why the TaskRun may not begin yet,
    and is empty if it may.
    """

    run: TaskRun
    pod: PodFacts | None
    now: datetime
    moments: Moments
    clock: float
    refusal: Refusal | None = None
    asks: bool = False
    answer: Answer | NoAnswer | None = None
    server_away: str = ""
    queued: str = ""

    def left(self, start: float | None, seconds: float) -> float:
        """Returns how much is left of so many seconds after a moment; all of them if it was not seen yet."""
        return seconds - (self.clock - start) if start is not None else seconds

    def until(self, moment: datetime) -> float:
        """Returns the seconds until a moment, below zero for a moment that is past."""
        return (moment - self.now).total_seconds()

    def without_pod(self) -> "Case":
        """Returns the case without a pod: the one that was found is not this attempt's."""
        return msgspec.structs.replace(self, pod=None)
