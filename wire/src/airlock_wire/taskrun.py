"""
A TaskRun as its CRD has it (manifests/crd), for those who read it from Kubernetes. Plain data.

Only what somebody decides by is named here; the rest of a pod's settings goes from the spec into the pod as it is. The
CRD says which fields there are, and a test holds the two equal.
"""

from typing import Any, Literal

import msgspec

from airlock_wire.assets import Kind

GROUP = "airlock.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "TaskRun"
PLURAL = "taskruns"
DEFAULT_INFRA_BUDGET = 3
#: The Secret of a token that an executor brings is named by its TaskRun, so that no TaskRun can name another's.
TOKEN_SECRET_PREFIX = "airlock-token-"  # noqa: S105 - a name, not a token
#: Its keys: the token, and what the sidecar answers with itself, which may be missing.
TOKEN_KEY, LOOKUPS_KEY = "token", "lookups.json"
#: Attempts are numbered from 1, with few digits.
_MAX_DIGITS = 6


def run_id_of(spec: "Spec", uid: str) -> str:
    """Returns the id of a TaskRun's DAG run: the spec's, else one that no other TaskRun has."""
    return spec.run_id or f"manual__{uid}"


def pod_name(taskrun: str, attempt: int) -> str:
    """Names an attempt's pod: the same whoever makes it, so that the API server refuses a second."""
    return f"{taskrun}-{attempt}"


def attempt_of(pod: str) -> tuple[str, int] | None:
    """Returns the TaskRun and the attempt in a pod's name; None for a name that ``pod_name`` does not make."""
    name, _, number = pod.rpartition("-")
    plain = number.isascii() and number.isdecimal() and not number.startswith("0") and len(number) <= _MAX_DIGITS
    return (name, int(number)) if name and plain else None


class Source(msgspec.Struct, frozen=True):
    """DAG source given in the TaskRun itself."""

    inline: str = ""


class Bundle(msgspec.Struct, frozen=True):
    """The bundle a file is in; ``path`` is its folder in the runner's image or on a volume."""

    name: str = ""
    version: str | None = None
    path: str = ""


class Access(msgspec.Struct, frozen=True, rename="camel"):
    """What the task may ask the server for: ``workload.Access``, as a TaskRun writes it."""

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


class Asset(msgspec.Struct, frozen=True, omit_defaults=True):
    """An inlet or outlet: ``assets.DeclaredAsset``, as a TaskRun writes it."""

    type: Kind = "Asset"
    name: str = ""
    uri: str = ""


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """The spec. Durations are Go's: ``90s``."""

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
    #: Where the operator's limits hold TaskRuns back, the highest of a namespace begins first.
    priority: int = 0
    context_carrier: dict[str, str] | None = None
    access: Access | None = None
    #: Assets that the task reads and writes: their state is open to it, and it may say that it wrote its outlets.
    inlets: tuple[Asset, ...] = ()
    outlets: tuple[Asset, ...] = ()
    source: Source | None = None
    bundle: Bundle | None = None
    file: str = ""
    conf: dict[str, Any] = {}
    #: None, here and in ``execution_timeout``, means the task's own option.
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
    """The current pod: only its sidecar is given a token."""

    name: str = ""
    uid: str = ""


class Attempt(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An attempt that has ended: its pod, and how it ended."""

    attempt: int
    try_number: int = msgspec.field(name="try", default=0)
    pod: str = ""
    node: str = ""
    reason: str = ""
    message: str = ""
    finished_at: str = ""


class Option(msgspec.Struct, frozen=True, rename={"source": "from"}):
    """An option in effect: its value as text, and its source: ``TaskRun``, ``Task`` or ``Default``."""

    value: str
    source: Literal["TaskRun", "Task", "Default"]


class Status(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The status. Times are text, as in the API; ``timeline`` has seconds after ``seen_at``."""

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
    #: When the present attempt was planned, or when the wait for the next one began.
    since: str = ""
    #: Why the operator itself stops the present pod.
    stopping: str = ""
    #: When the runner's container of the present attempt was first seen to run.
    started_at: str = ""
    #: When the reason for not starting was first seen, if that reason has a timeout of its own.
    failing_since: str = ""
    next_attempt_at: str = ""
    infra_reruns: int = 0
    token_reruns: int = 0
    finished_at: str = ""
    duration: str = ""
    #: The options in effect, once they are known, by their names in the spec.
    options: dict[str, Option] = {}
    attempts: list[Attempt] = []
    timeline: dict[str, float] = {}
    conditions: list[dict[str, Any]] = []
