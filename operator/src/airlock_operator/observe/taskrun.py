"""
A TaskRun as the operator reads it: what the spec asks for, what the status remembers. Plain data.

Only what a decision needs is named here; the rest of a pod's settings goes from the spec into the pod as it is. The
CRD (manifests/crd) is what says which fields there are; a test holds the two equal.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from airlock_operator.durations import parse_time, seconds

DEFAULT_INFRA_BUDGET = 3
MAX_TOKEN_RERUNS = 3


class Source(msgspec.Struct, frozen=True):
    """DAG source given in the TaskRun itself."""

    inline: str = ""


class Bundle(msgspec.Struct, frozen=True):
    """The bundle a file is in; ``path`` is its folder in the runner's image or on a volume."""

    name: str = ""
    version: str | None = None
    path: str = ""


class Access(msgspec.Struct, frozen=True, rename="camel"):
    """What the task may ask the server for: ``airlock_wire.workload.Access``, as a TaskRun writes it."""

    connections: tuple[str, ...] | None = None
    variables: tuple[str, ...] | None = None
    variable_writes: tuple[str, ...] | None = None
    xcom_reads: tuple[str, ...] | None = None
    xcom_writes: tuple[str, ...] | None = None
    triggers: tuple[str, ...] | None = None
    dag_runs: tuple[str, ...] | None = None
    tasks: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None
    asset_stores: tuple[str, ...] | None = None
    asset_events: tuple[str, ...] | None = None
    deferrals: tuple[str, ...] | None = None


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """What is asked for. Durations are Go's: ``90s``."""

    dag_id: str
    task_id: str
    #: The chart's runner image where empty.
    image: str = ""
    run_id: str = ""
    map_index: int = -1
    try_number: int = 1
    runner: Literal["airlock", "airflow"] = "airlock"
    token: Literal["Exchange", "Secret"] = "Exchange"  # noqa: S105 - a mode, not a token
    task_instance_id: str = ""
    dag_version_id: str = ""
    queue: str = "default"
    context_carrier: dict[str, str] | None = None
    access: Access | None = None
    source: Source | None = None
    bundle: Bundle | None = None
    file: str = ""
    conf: dict[str, Any] = {}
    #: None for these and ``execution_timeout``: as the task itself says.
    retries: int | None = None
    retry_delay: str | None = None
    infra_budget: int = DEFAULT_INFRA_BUDGET
    rerun_after_start: bool = False
    execution_timeout: str | None = None
    pending_timeout: str = "10m"
    image_pull_timeout: str = "3m"
    grace_period: str = "60s"
    ttl_after_success: str = "1h"
    ttl_after_failure: str = "24h"
    suspend: bool = False
    cancel: bool = False
    pod: dict[str, Any] = {}


class PodRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """The one pod that counts: only its sidecar is given a token."""

    name: str = ""
    uid: str = ""


class Attempt(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A pod that came to its end, and how."""

    attempt: int
    try_number: int = msgspec.field(name="try", default=0)
    pod: str = ""
    node: str = ""
    reason: str = ""
    message: str = ""
    finished_at: str = ""


class Option(msgspec.Struct, frozen=True, rename={"source": "from"}):
    """An option that counts: its value as text, and who said so: ``TaskRun``, ``Task`` or ``Default``."""

    value: str
    source: Literal["TaskRun", "Task", "Default"]


class Status(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the operator remembers. Times are text, as in the API; ``timeline`` is seconds after ``seen_at``."""

    observed_generation: int = 0
    seen_at: str = ""
    run_id: str = ""
    try_number: int = msgspec.field(name="try", default=0)
    attempt: int = 0
    pod_ref: PodRef | None = None
    node: str = ""
    state: str = ""
    reason: str = ""
    message: str = ""
    #: When the present attempt was decided on, or the wait for the next began.
    since: str = ""
    #: The reason that the operator itself stops the present pod for.
    stopping: str = ""
    #: When the runner's container of the present attempt was first seen to run.
    started_at: str = ""
    #: When the reason for not starting that has a timeout of its own was first seen.
    failing_since: str = ""
    next_attempt_at: str = ""
    infra_reruns: int = 0
    token_reruns: int = 0
    finished_at: str = ""
    duration: str = ""
    #: The options that count, once they are known, by their names in the spec.
    options: dict[str, Option] = {}
    attempts: list[Attempt] = []
    timeline: dict[str, float] = {}
    conditions: list[dict[str, Any]] = []


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

    @property
    def run_id(self) -> str:
        """The DAG run's id: the spec's, else one that no other TaskRun has."""
        return self.spec.run_id or f"manual__{self.uid}"

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
        """The name of an attempt's pod: the same whoever makes it, so that the API server refuses a second."""
        return f"{self.name}-{attempt}"


def read(body: dict[str, Any]) -> TaskRun:
    """
    A TaskRun from the API's JSON; msgspec.ValidationError or ValueError where the CRD of another version let in
    what this operator cannot read.
    """
    meta = body["metadata"]
    run = TaskRun(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        generation=int(meta.get("generation", 0)),
        resource_version=meta["resourceVersion"],
        created=parse_time(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        spec=msgspec.convert(body.get("spec") or {}, Spec),
        status=msgspec.convert(body.get("status") or {}, Status),
    )
    for field in ("pending_timeout", "image_pull_timeout", "grace_period", "retry_delay", "execution_timeout"):
        if (given := getattr(run.spec, field)) is not None:
            seconds(given)
    return run
