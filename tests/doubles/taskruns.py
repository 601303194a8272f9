"""TaskRuns and their pods as the API server would show them: JSON, for tests of the operator's decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from airlock_operator.decide.acts import Plan
from airlock_operator.decide.blocked import blocked
from airlock_operator.decide.case import Answer, Case, NoAnswer, Refusal
from airlock_operator.decide.plan import plan
from airlock_operator.durations import micro_text, parse_time, time_text
from airlock_operator.observe.moments import Moments
from airlock_operator.observe.podfacts import PodFacts, observe
from airlock_operator.observe.taskrun import TaskRun, read
from airlock_wire.record import Reason, Record, encode

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
UID = "9a1c3f10-0000-4000-8000-000000000001"
POD_UID = "9a1c3f10-0000-4000-8000-00000000000a"


def ago(seconds: float) -> str:
    return micro_text(NOW - timedelta(seconds=seconds))


def body(*, status: dict[str, Any] | None = None, name: str = "hello", **spec: Any) -> dict[str, Any]:
    """A TaskRun as JSON."""
    return {
        "apiVersion": "airlock.dev/v1alpha1",
        "kind": "TaskRun",
        "metadata": {
            "namespace": "team",
            "name": name,
            "uid": UID,
            "generation": 1,
            "resourceVersion": "7",
            "creationTimestamp": time_text(NOW - timedelta(seconds=30)),
        },
        "spec": {"dagId": "d", "taskId": "t", "image": "i", "source": {"inline": "..."}} | spec,
        "status": status or {},
    }


def run(*, status: dict[str, Any] | None = None, **spec: Any) -> TaskRun:
    return read(body(status=status, **spec))


def open_attempt(attempt: int = 1, **more: Any) -> dict[str, Any]:
    """The status of a TaskRun whose attempt has its pod."""
    return {
        "seenAt": ago(20),
        "runId": f"manual__{UID}",
        "try": 1,
        "attempt": attempt,
        "podRef": {"name": f"hello-{attempt}", "uid": POD_UID},
        "state": "queued",
        "reason": "Starting",
        "since": ago(20),
        "attempts": [{"attempt": n, "try": 1} for n in range(1, attempt)],
    } | more


def pod_body(
    *,
    attempt: int = 1,
    runner: dict[str, Any] | None = None,
    sidecar: dict[str, Any] | None = None,
    record: Record | None = None,
    conditions: list[dict[str, Any]] | None = None,
    deleting: bool = False,
    uid: str = POD_UID,
    owner: str = UID,
    node: str = "node-1",
    **status: Any,
) -> dict[str, Any]:
    """A pod as JSON; ``runner`` and ``sidecar`` are container states, ``record`` goes where a sidecar leaves it."""
    if record is not None:
        sidecar = {"terminated": {"exitCode": 0, "message": encode(record).decode()}}
    meta = {
        "name": f"hello-{attempt}",
        "namespace": "team",
        "uid": uid,
        "resourceVersion": "9",
        "creationTimestamp": time_text(NOW - timedelta(seconds=20)),
        "labels": {"airlock.dev/taskrun": "hello", "airlock.dev/attempt": str(attempt)},
        "ownerReferences": [{"kind": "TaskRun", "uid": owner, "controller": True}],
    }
    if deleting:
        meta["deletionTimestamp"] = time_text(NOW)
    return {
        "metadata": meta,
        "spec": {"nodeName": node} if node else {},
        "status": {
            "phase": "Pending",
            "conditions": conditions or [],
            "initContainerStatuses": [{"name": "sidecar", "state": sidecar or {}}],
            "containerStatuses": [{"name": "runner", "state": runner or {}}],
        }
        | status,
    }


def pod(*, gone: bool = False, **kwargs: Any) -> PodFacts:
    return observe(pod_body(**kwargs), gone=gone)


GATED = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
RUNNING = {"running": {"startedAt": time_text(NOW - timedelta(seconds=10))}}


def ended(code: int = 0, reason: str = "", seconds_ago: float = 1.0, message: str = "") -> dict[str, Any]:
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason or ("Completed" if code == 0 else "Error"),
            "message": message,
            "startedAt": time_text(NOW - timedelta(seconds=10)),
            "finishedAt": time_text(NOW - timedelta(seconds=seconds_ago)),
        }
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def record(reason: Reason, *, started: bool = True, **more: Any) -> Record:
    timeline = {"listening": NOW.timestamp() - 9, "connected": NOW.timestamp() - 8.5}
    if started:
        timeline["started"] = NOW.timestamp() - 8
    return msgspec.structs.replace(Record(reason=reason, timeline=timeline), **more)


def inits(bundle: dict[str, Any]) -> dict[str, Any]:
    """A pod's status whose init container that fetches the bundle is in this state."""
    statuses = [{"name": "sidecar", "state": {"running": {}}}, {"name": "bundle", "state": bundle}]
    return {"initContainerStatuses": statuses}


def moments(known: TaskRun, pod: PodFacts | None) -> Moments:
    """When an operator that watched all the time saw each step, in the seconds of ``case``'s clock."""
    ended_at = pod.runner_ended.at if pod is not None and pod.runner_ended is not None else None
    started = pod.runner_started if pod is not None else None
    held = blocked(known, pod) if pod is not None else None
    return Moments(
        attempt=known.status.attempt,
        opened=_seconds(_time(known.status.since)) or NOW.timestamp(),
        failing=_seconds(_time(known.status.failing_since)),
        failing_as=str(held.reason) if held is not None and held.failing else "",
        ran=_seconds(known.times.started_at or started),
        ended=_seconds(ended_at),
        over=_seconds(known.times.finished_at),
    )


def _time(text: str) -> datetime | None:
    return parse_time(text) if text else None


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def case(known: TaskRun, pod: PodFacts | None = None, *, seen: Moments | None = None, **more: Any) -> Case:
    """A case now. ``seen`` are the operator's moments; by default it watched all the time."""
    return Case(known, pod, NOW, seen or moments(known, pod), NOW.timestamp(), **more)


def decide(
    status: dict[str, Any] | None = None,
    pod: PodFacts | None = None,
    refusal: Refusal | None = None,
    *,
    seen: Moments | None = None,
    asks: bool = False,
    answer: Answer | NoAnswer | None = None,
    server_away: str = "",
    queued: str = "",
    waited: float = 0.0,
    **spec: Any,
) -> Plan:
    """The plan for a TaskRun of this status and spec, now."""
    known = run(status=status, **spec)
    if waited:
        seen = Moments(known.status.attempt, NOW.timestamp() - waited, waits=NOW.timestamp() - waited)
    facts = {"refusal": refusal, "asks": asks, "answer": answer, "server_away": server_away, "queued": queued}
    return plan(case(known, pod, seen=seen, **facts))
