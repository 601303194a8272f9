"""
Keeps when this operator first saw each step of an attempt, by its own monotonic clock, in seconds. Pure.

Every time-out of the operator starts at one of these moments. The clocks of nodes, of the API server and of an earlier
operator may differ from ours by minutes, so their stamps decide nothing. A new operator saw nothing yet, so its
time-outs start anew.
"""

from typing import NamedTuple

from airlock_operator.observe.podfacts import PodFacts
from airlock_operator.observe.taskrun import TaskRun


class Moments(NamedTuple):
    """
    The moments of one attempt; None for a step that was not seen. Ten thousand are kept, so each is one small tuple.
    """

    attempt: int
    #: The attempt itself.
    opened: float
    #: A reason for not starting that has a time-out of its own; ``starting`` says which.
    failing: float | None = None
    failing_as: str = ""
    #: The runner's container ran.
    ran: float | None = None
    #: The runner's container had ended, or the pod was not there any more.
    ended: float | None = None
    #: The pod was being deleted.
    deleting: float | None = None
    #: The TaskRun waited for its next attempt.
    waits: float | None = None
    #: The TaskRun was over.
    over: float | None = None


def advance(
    before: Moments | None,
    run: TaskRun,
    pod: PodFacts | None,
    clock: float,
    failing_as: str = "",
    *,
    away: bool = False,
) -> Moments:
    """
    Returns the moments after a look. ``failing_as`` is the present reason for not starting, if that reason has a
    time-out of its own. ``away``: the server does not answer, which is not the task's time.
    """
    if before is None or before.attempt != run.status.attempt:
        before = Moments(run.status.attempt, clock)
    expected = run.attempt_open and run.status.pod_ref is not None
    ended = expected if pod is None else pod.finished or pod.runner_ended is not None
    held_back = pod is not None and pod.gated
    return Moments(
        attempt=before.attempt,
        # Whoever holds the pod back may take as long as he likes: the attempt's time to start begins afterwards.
        opened=clock if held_back else before.opened,
        failing=(before.failing if before.failing_as == failing_as else clock) if failing_as else None,
        failing_as=failing_as,
        ran=_kept(None if away else before.ran, clock, pod is not None and pod.runner_ran),
        ended=_kept(before.ended, clock, ended),
        deleting=_kept(before.deleting, clock, pod is not None and pod.deleting),
        waits=_kept(before.waits, clock, not (run.attempt_open or run.over)),
        over=_kept(before.over, clock, run.over),
    )


def _kept(before: float | None, clock: float, happened: object) -> float | None:
    if not happened:
        return None
    return clock if before is None else before
