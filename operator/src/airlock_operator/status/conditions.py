"""
The conditions of a TaskRun, in Kubernetes' form. Pure.

``Admitted``: a pod could be made. ``Scheduled``: it has a node. ``Running``: the runner's container runs.
``ServerReachable``: the server answers, as far as the operator sees. ``Succeeded`` is the summary: Unknown while the
TaskRun goes on, then finally True or False.
"""

from typing import Any

from airlock_operator.observe.podfacts import PodFacts
from airlock_operator.reasons import Reason
from airlock_wire.taskrun import Status

_GOOD = frozenset({"success", "skipped"})


def conditions(status: Status, pod: PodFacts | None, now: str, generation: int, note: str = "") -> list[dict[str, Any]]:
    """
    Returns all five, each with the time of its last change taken over from ``status`` where nothing changed. ``note``
    is what an administrator should know of a pod that was made.
    """
    reason, message = status.reason or Reason.PENDING, status.message
    over = bool(status.finished_at)
    pod_made = pod is not None and status.pod_ref is not None
    rows: list[tuple[str, str, str, str]] = []
    if pod_made:
        rows.append(("Admitted", "True", "PodCreated", f"pod {pod.name if pod else ''} was made{note and '; '}{note}"))
    elif over and status.pod_ref is not None:
        rows.append(_kept(status, "Admitted", "NeverAdmitted"))
    else:
        rows.append(("Admitted", "False", reason, message))
    if pod_made and pod is not None and pod.node:
        rows.append(("Scheduled", "True", "Scheduled", f"on node {pod.node}"))
    elif over:
        rows.append(_kept(status, "Scheduled", "NeverScheduled"))
    else:
        rows.append(("Scheduled", "False", reason if pod_made else "NoPod", message if pod_made else ""))
    if over:
        rows.append(("Running", "False", "Ended" if status.started_at else "NeverRan", ""))
        rows.append(_kept(status, "ServerReachable", "NotNeeded", "Unknown"))
        rows.append(("Succeeded", "True" if status.state in _GOOD else "False", reason, message))
    else:
        away = reason == Reason.SERVER_AWAY
        running = reason == Reason.RUNNING or (away and status.state == "running")
        rows.append(("Running", "True" if running else "False", reason, "" if running else message))
        rows.append(("ServerReachable", *(("False", reason, message) if away else ("True", "Answers", ""))))
        rows.append(("Succeeded", "Unknown", reason, message))
    before = {c["type"]: c for c in status.conditions}
    return [_condition(before.get(each[0]), each, now, generation) for each in rows]


def _kept(status: Status, kind: str, never: str, value: str = "False") -> tuple[str, str, str, str]:
    """Returns a condition as it was when the TaskRun ended: it shows how far the TaskRun came."""
    condition = next((c for c in status.conditions if c["type"] == kind), None)
    if condition is None:
        return kind, value, never, ""
    return kind, condition["status"], condition["reason"], condition["message"]


def _condition(
    before: dict[str, Any] | None, row: tuple[str, str, str, str], now: str, generation: int
) -> dict[str, Any]:
    kind, status, reason, message = row
    same = before is not None and before["status"] == status
    return {
        "type": kind,
        "status": status,
        "reason": str(reason),
        "message": message[:1024],
        "observedGeneration": generation,
        "lastTransitionTime": before["lastTransitionTime"] if same and before else now,
    }
