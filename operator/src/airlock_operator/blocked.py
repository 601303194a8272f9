"""
Why an attempt whose pod exists does not run yet, and how long that may go on. Pure.
"""

from datetime import datetime, timedelta

import msgspec

from airlock_operator.durations import parse_time, seconds
from airlock_operator.podfacts import PodFacts
from airlock_operator.reasons import Reason
from airlock_operator.taskrun import TaskRun

#: How long a container may miss what its configuration names: a Secret that is made a moment later is common.
CONFIG_SECONDS = 20.0


class Blocked(msgspec.Struct, frozen=True):
    """
    Why nothing runs. ``gives_up_at`` is when waiting ends, None for never; ``ends_as`` is the reason it then ends
    with. ``failing`` marks a reason with a clock of its own, which starts when it is first seen.
    """

    reason: Reason
    message: str
    ends_as: Reason
    gives_up_at: datetime | None
    failing: bool = False


def blocked(run: TaskRun, pod: PodFacts, now: datetime) -> Blocked | None:
    """The reason of a pod whose runner has not run; None for one that runs or ran."""
    if pod.runner_ran or pod.runner_ended is not None:
        return None
    since = parse_time(run.status.since) if run.status.since else now
    pending_ends = since + timedelta(seconds=seconds(run.spec.pending_timeout))
    failing = parse_time(run.status.failing_since) if run.status.failing_since else now
    if pod.pulling:
        patience = 0.0 if pod.pulling_hopeless else seconds(run.spec.image_pull_timeout)
        gives_up = failing + timedelta(seconds=patience)
        return Blocked(Reason.IMAGE_PULL, pod.pulling, Reason.IMAGE_PULL_FAILED, gives_up, failing=True)
    if pod.config:
        gives_up = failing + timedelta(seconds=CONFIG_SECONDS)
        return Blocked(Reason.CONFIG_ERROR, pod.config, Reason.INVALID_POD, gives_up, failing=True)
    if pod.gated:
        message = "a scheduling gate holds the pod back; whoever set it (Kueue, for example) lifts it"
        return Blocked(Reason.SCHEDULING_GATED, message, Reason.SCHEDULING_GATED, None)
    if pod.unschedulable:
        return Blocked(Reason.UNSCHEDULABLE, pod.unschedulable, Reason.UNSCHEDULABLE, pending_ends)
    where = f"on node {pod.node}" if pod.node else "waiting for a node"
    return Blocked(Reason.STARTING, f"pod {pod.name} is {where}", Reason.PENDING, pending_ends)
