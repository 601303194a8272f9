"""
Whether a pod may have its TaskRun's token: the pod that Kubernetes vouched for and the TaskRun, a verdict. Pure.
"""

from enum import StrEnum
from typing import Any

import msgspec

from airlock_server.exchange.podtoken import Pod
from airlock_server.store.attempts import Asked
from airlock_wire import ids


class Reason(StrEnum):
    """Why there is no token, CamelCase as in Kubernetes. The sidecar acts on these words."""

    #: The pod's token is none, not ours, has run out or was not vouched for.
    BAD_TOKEN = "BadToken"  # noqa: S105 - a reason, not a token
    #: Policy says no, and will say so again.
    DENIED = "Denied"
    #: The operator has not written down yet that this pod counts: ask again soon.
    NOT_YET_KNOWN = "NotYetKnown"
    #: Another pod counts, or the TaskRun is over.
    SUPERSEDED = "Superseded"
    #: Too many questions from this address.
    TOO_MANY = "TooMany"
    #: Kubernetes cannot be asked.
    API_BUSY = "ApiBusy"


STATUS: dict[Reason, int] = {
    Reason.BAD_TOKEN: 401,
    Reason.DENIED: 403,
    Reason.NOT_YET_KNOWN: 409,
    Reason.SUPERSEDED: 410,
    Reason.TOO_MANY: 429,
    Reason.API_BUSY: 503,
}


class No(msgspec.Struct, frozen=True):
    """No token: why, and one sentence that names the rule and the fix."""

    reason: Reason
    message: str
    retry_after: int = 0


class PodRef(msgspec.Struct, frozen=True):
    """The pod that counts."""

    name: str = ""
    uid: str = ""


class PodSettings(msgspec.Struct, frozen=True, rename="camel"):
    """Of the pod's settings in a spec, the one that matters here."""

    service_account_name: str = ""


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """Of a TaskRun's spec, what names its task instance."""

    dag_id: str
    task_id: str
    run_id: str = ""
    map_index: int = -1
    try_number: int = 1
    task_instance_id: str = ""
    retries: int = 0
    conf: dict[str, Any] | None = None
    pod: PodSettings = PodSettings()


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """Of a TaskRun's status, what the operator has decided."""

    try_number: int = msgspec.field(name="try", default=0)
    pod_ref: PodRef | None = None
    state: str = ""
    reason: str = ""
    message: str = ""
    finished_at: str | None = None


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """A TaskRun's name and life."""

    name: str
    namespace: str
    uid: str
    deletion_timestamp: str | None = None


class TaskRun(msgspec.Struct, frozen=True):
    """A TaskRun as the server reads it."""

    metadata: Metadata
    spec: Spec
    status: Status = Status()

    @property
    def over(self) -> bool:
        """Nothing runs for it any more."""
        return bool(self.status.finished_at or self.metadata.deletion_timestamp)


def judge(pod: Pod, run: TaskRun | None) -> Asked | No:
    """What the pod may ask the store for, or why it may not. ``run`` is None where there is no such TaskRun."""
    which = f"TaskRun {pod.namespace}/{pod.taskrun}"
    if run is None:
        return No(Reason.SUPERSEDED, f"{which} is gone")
    if run.over:
        return No(Reason.SUPERSEDED, f"{which} is over")
    if (no := _of_pod(pod, run.status.pod_ref, which)) is not None:
        return no
    if (no := _of_policy(pod, run.spec, which)) is not None:
        return no
    spec = run.spec
    return Asked(
        pod_uid=pod.uid,
        pod_name=pod.name,
        number=pod.number,
        namespace=pod.namespace,
        taskrun_name=pod.taskrun,
        taskrun_uid=run.metadata.uid,
        dag_id=spec.dag_id,
        run_id=spec.run_id or f"manual__{run.metadata.uid}",
        task_id=spec.task_id,
        map_index=spec.map_index,
        try_number=run.status.try_number or spec.try_number,
        max_tries=spec.retries,
        conf=spec.conf,
    )


def _of_pod(pod: Pod, ref: PodRef | None, which: str) -> No | None:
    """Whether this pod is the one that counts."""
    if ref is None or not ref.name or not ref.uid:
        return No(Reason.NOT_YET_KNOWN, f"{which} does not name its pod yet; ask again")
    if (ref.name, ref.uid) == (pod.name, pod.uid):
        return None
    number = ref.name.removeprefix(f"{pod.taskrun}-")
    if ref.name != pod.name and number.isascii() and number.isdecimal() and int(number) < pod.number:
        return No(Reason.NOT_YET_KNOWN, f"{which} still names pod {ref.name}; ask again")
    return No(Reason.SUPERSEDED, f"the pod that counts for {which} is {ref.name} with UID {ref.uid}")


def _of_policy(pod: Pod, spec: Spec, which: str) -> No | None:
    """Whether a TaskRun may ask for this at all."""
    account = spec.pod.service_account_name or "default"
    if pod.service_account != account:
        return No(
            Reason.DENIED,
            f"{which} runs as service account {account!r}, and the token is of {pod.service_account!r}; a TaskRun's "
            "pod must run as the account in spec.pod.serviceAccountName",
        )
    if spec.task_instance_id:
        return No(
            Reason.DENIED,
            f"{which} sets spec.taskInstanceId, which is for a scheduler to set; leave it out",
        )
    for name, wrong in (
        ("dagId", ids.problem(spec.dag_id)),
        ("taskId", ids.problem(spec.task_id)),
        ("runId", ids.run_problem(spec.run_id) if spec.run_id else ""),
    ):
        if wrong:
            return No(Reason.DENIED, f"{which}: spec.{name} {wrong}")
    return None
