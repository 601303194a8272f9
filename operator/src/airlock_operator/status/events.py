"""
Makes the Events of a TaskRun, which ``kubectl describe`` shows: one for each new reason. Pure.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from airlock_operator.durations import time_text
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.reasons import Reason
from airlock_wire.taskrun import API_VERSION, KIND, Status

#: Steps that the pod's own Events show already.
_QUIET = frozenset({Reason.PENDING, Reason.STARTING})


def of_change(run: TaskRun, status: Status, component: str) -> list[dict[str, Any]]:
    """Returns the Events for a change of status; an empty list if the reason stays."""
    before = run.status
    if (status.reason, status.attempt) == (before.reason, before.attempt) or Reason(status.reason) in _QUIET:
        return []
    return [event(run, status.reason, status.message, component)]


def event(run: TaskRun, reason: str, message: str, component: str) -> dict[str, Any]:
    """Returns one Event about a TaskRun."""
    now = time_text(datetime.now(UTC))
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{run.name}.{uuid4().hex[:16]}", "namespace": run.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": run.namespace,
            "name": run.name,
            "uid": run.uid,
            "resourceVersion": run.resource_version,
        },
        "type": Reason(reason).event_type,
        "reason": reason,
        "message": message[:1024] or reason,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": component,
    }
