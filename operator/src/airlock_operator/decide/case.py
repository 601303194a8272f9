"""
The case that a plan is made for: one TaskRun, its pod, the time, and the last refusal to make the pod. Plain data.
"""

from datetime import datetime

import msgspec

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


class Case(msgspec.Struct, frozen=True):
    """
    One TaskRun to plan for. ``pod`` is the present attempt's pod, None if it does not exist; if ``status.podRef`` names
    it, the caller has asked the API server. ``refusal`` is the answer to the last try to make the pod.
    """

    run: TaskRun
    pod: PodFacts | None
    now: datetime
    refusal: Refusal | None = None

    def until(self, moment: datetime) -> float:
        """Returns the seconds until a moment, below zero for a moment that is past."""
        return (moment - self.now).total_seconds()

    def without_pod(self) -> "Case":
        """Returns the case without a pod: the one that was found is not this attempt's."""
        return msgspec.structs.replace(self, pod=None)
