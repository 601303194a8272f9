"""
A TaskRun as the operator reads it: what the spec asks for, what the status remembers. Plain data.
"""

from datetime import datetime
from typing import Any

import msgspec

from airlock_operator.durations import parse_time, seconds
from airlock_wire import taskrun
from airlock_wire.taskrun import Spec, Status

MAX_TOKEN_RERUNS = 3
#: Annotations by which a TaskRun's maker says in which trace it was made; spec.contextCarrier says it, too.
TRACE_ANNOTATIONS = ("airlock.dev/traceparent", "airlock.dev/tracestate")


class Durations(msgspec.Struct, frozen=True):
    """The spec's durations in seconds. None for what is left to the task."""

    pending_timeout: float
    image_pull_timeout: float
    grace_period: float
    ttl_after_success: float
    ttl_after_failure: float
    retry_delay: float | None
    execution_timeout: float | None


class Times(msgspec.Struct, frozen=True):
    """The status's times that decide or show something; None for what has not happened."""

    seen_at: datetime | None = None
    started_at: datetime | None = None
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None


class TaskRun(msgspec.Struct, frozen=True):
    """One TaskRun. ``resource_version`` is the precondition of every write to it."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    created: datetime
    deleting: bool
    spec: Spec
    status: Status
    durations: Durations
    times: Times
    #: What the TaskRun's maker said of its trace, as it is.
    traceparent: str = ""
    tracestate: str = ""

    @property
    def run_id(self) -> str:
        """The DAG run's id: the spec's, else one that no other TaskRun has."""
        return taskrun.run_id_of(self.spec, self.uid)

    @property
    def by_secret(self) -> bool:
        """Its token was minted by somebody else, who owns it: it is in a Secret, and not exchanged for."""
        return self.spec.token == "Secret"  # noqa: S105 - a mode, not a token

    @property
    def airflow(self) -> bool:
        """Its image has Airflow's runner and not ours."""
        return self.spec.runner == "airflow"

    @property
    def over(self) -> bool:
        """Nothing will run for it any more."""
        return bool(self.status.finished_at)

    @property
    def attempt_open(self) -> bool:
        """The present attempt's number was given and its pod has not come to an end."""
        last = self.status.attempts[-1].attempt if self.status.attempts else 0
        return self.status.attempt > last

    def pod_name(self, attempt: int) -> str:
        """Returns the name of an attempt's pod."""
        return taskrun.pod_name(self.name, attempt)


def read(body: dict[str, Any]) -> TaskRun:
    """
    Reads a TaskRun from the API's JSON; raises msgspec.ValidationError or ValueError where the CRD of another version
    let in what this operator cannot read.
    """
    meta = body["metadata"]
    spec = msgspec.convert(body.get("spec") or {}, Spec)
    status = msgspec.convert(body.get("status") or {}, Status)
    durations = {name: getattr(spec, name) for name in Durations.__struct_fields__}
    return TaskRun(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        generation=int(meta.get("generation", 0)),
        resource_version=meta["resourceVersion"],
        created=parse_time(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=spec,
        status=status,
        durations=msgspec.convert(
            {name: None if text is None else seconds(text) for name, text in durations.items()}, Durations
        ),
        times=times_of(status),
        **_trace(meta, spec),
    )


def _trace(meta: dict[str, Any], spec: Spec) -> dict[str, str]:
    """Returns what the TaskRun's maker said of its trace: by annotations, else in spec.contextCarrier."""
    given = meta.get("annotations") or {}
    parent, state = TRACE_ANNOTATIONS
    if parent in given:
        return {"traceparent": str(given[parent]), "tracestate": str(given.get(state) or "")}
    carrier = spec.context_carrier or {}
    return {name: carrier.get(name, "") for name in ("traceparent", "tracestate")}


def times_of(status: Status) -> Times:
    """Parses the status's times; raises ValueError for a text that is not a time."""
    return Times(*(parse_time(text) if (text := getattr(status, name)) else None for name in Times.__struct_fields__))
