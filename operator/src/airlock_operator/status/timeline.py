"""
Computes the time of each step of the present attempt, in seconds after the operator first saw the TaskRun. Pure.

Kubernetes' own times have a resolution of a second. The sidecar's times come from its record and are exact, by the
node's clock. A clock that differs from the operator's moves steps, but never before the TaskRun or after now.
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
    before: dict[str, float], seen_at: datetime, pod: PodFacts | None, now: datetime, *, over: bool
) -> dict[str, float]:
    """Returns the times known so far; those that were known before stay."""
    marks = dict(before)
    seconds = round((now - seen_at).total_seconds(), 3)
    if over:
        marks.setdefault("finished", seconds)
    if pod is None:
        return marks
    for name, moment in (("podScheduled", pod.scheduled_at), ("runnerStarted", pod.runner_started)):
        if moment is not None and name not in marks:
            # A stamp of another clock is used where it can be right, because it is nearer than our first sight of it.
            marks[name] = round(min(max(0.0, (moment - seen_at).total_seconds()), seconds), 3)
    if pod.record is not None and pod.record.timeline:
        recorded = pod.record.timeline
        # The node's clock may differ: the steps keep their distances, and the last of them is not later than now.
        zero = seen_at.timestamp()
        late = max(0.0, max(recorded.values()) - zero - seconds)
        early = max(0.0, zero + marks.get("podScheduled", 0.0) - 1.0 - min(recorded.values()))
        for step, mark in _RECORDED.items():
            if step in recorded:
                marks[mark] = round(max(0.0, recorded[step] - zero - late + early), 3)
    return marks


def ran_for(pod: PodFacts | None, started: datetime | None, now: datetime) -> str:
    """
    Says for people how long the runner ran; empty if it did not. Kubernetes' own times are whole seconds, and both are
    of one clock. For a run below a second the sidecar's times are used, if they agree with Kubernetes'; without them
    it is ``<1s``. ``started`` is when the operator saw it run, for a pod that shows no times.
    """
    ended = pod.runner_ended if pod is not None else None
    if ended is not None and ended.started is not None and ended.at is not None:
        whole = max(0.0, (ended.at - ended.started).total_seconds())
    elif started is not None:
        whole = max(0.0, (now - started).total_seconds())
    else:
        return ""
    marks = pod.record.timeline if pod is not None and pod.record is not None else {}
    if "connected" in marks and "ended" in marks:
        exact = marks["ended"] - marks["connected"]
        if whole < 10 and 0.0 <= exact <= whole + 1:
            return shown(max(exact, 0.01))
    return shown(whole) if whole >= 1 else "<1s"
