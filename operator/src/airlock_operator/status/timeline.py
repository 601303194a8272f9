"""
Computes the time of each step of the present attempt, in seconds after the operator first saw the TaskRun. Pure.

Kubernetes' own times have a resolution of a second. The sidecar's times come from its record and are exact, by the
node's clock.
"""

from datetime import datetime

from airlock_operator.durations import shown
from airlock_operator.observe.podfacts import PodFacts

#: The record's names of the steps, and the status's names.
_RECORDED = {
    "listening": "sidecarListening",
    "connected": "runnerConnected",
    "running": "serverSaidRun",
    "started": "taskStarted",
    "terminal": "taskReported",
    "acknowledged": "reportAcknowledged",
    "exited": "runnerExited",
}


def timeline(
    before: dict[str, float], seen_at: datetime, pod: PodFacts | None, finished: float | None
) -> dict[str, float]:
    """Returns the times known so far; those that were known before stay."""
    marks = dict(before)
    if finished is not None:
        marks.setdefault("finished", finished)
    if pod is None:
        return marks
    zero = seen_at.timestamp()
    steps = {
        "podScheduled": pod.scheduled_at,
        "runnerStarted": pod.runner_started,
    }
    for name, moment in steps.items():
        if moment is not None and name not in marks:
            marks[name] = round(max(0.0, moment.timestamp() - zero), 3)
    if pod.record is not None:
        for theirs, ours in _RECORDED.items():
            if theirs in pod.record.timeline:
                marks[ours] = round(max(0.0, pod.record.timeline[theirs] - zero), 3)
    return marks


def ran_for(pod: PodFacts | None, started: datetime, ended: datetime) -> str:
    """
    Says for people how long the runner ran. Kubernetes' own times are whole seconds. For a run below a second the
    sidecar's times are used, if they agree with Kubernetes'; without them it is ``<1s``.
    """
    whole = max(0.0, (ended - started).total_seconds())
    marks = pod.record.timeline if pod is not None and pod.record is not None else {}
    if "connected" in marks and "ended" in marks:
        exact = marks["ended"] - marks["connected"]
        if whole < 10 and 0.0 <= exact <= whole + 1:
            return shown(max(exact, 0.01))
    return shown(whole) if whole >= 1 else "<1s"
