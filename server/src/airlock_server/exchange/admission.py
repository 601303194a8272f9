"""
Whether a pod may have its TaskRun's token: the pod that Kubernetes vouched for and the TaskRun, a verdict. Pure.
"""

from enum import StrEnum

import msgspec

from airlock_server.exchange.pod_token import Pod
from airlock_server.kube.taskruns import TaskRun
from airlock_server.rules.assets import Declarations, Pattern, Use
from airlock_server.rules.attempts import Claim
from airlock_wire import ids, taskrun
from airlock_wire.assets import DeclaredAsset, filled, problem
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.taskrun import Access, Asset, PodRef, Spec


class Reason(StrEnum):
    """Why there is no token. A sidecar acts on the status, and on whether there is a reason."""

    #: The pod's token is not a token, is not ours, has run out or was not vouched for.
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


class Refusal(msgspec.Struct, frozen=True):
    """Refusal token: why, and one sentence that names the rule and the fix."""

    reason: Reason
    message: str
    retry_after: int = 0


def judge(pod: Pod, run: TaskRun | None) -> Claim | Refusal:
    """Decides what the pod may ask the store for, or why it may not. ``run`` is None where there is no such TaskRun."""
    which = f"TaskRun {pod.namespace}/{pod.taskrun}"
    if run is None:
        return Refusal(Reason.SUPERSEDED, f"{which} is gone")
    if run.over:
        return Refusal(Reason.SUPERSEDED, f"{which} is over")
    if (refusal := _of_pod(pod, run.status.pod_ref, which)) is not None:
        return refusal
    if (refusal := _of_policy(pod, run.spec, which)) is not None:
        return refusal
    spec = run.spec
    return Claim(
        pod_uid=pod.uid,
        pod_name=pod.name,
        number=pod.number,
        namespace=pod.namespace,
        taskrun_name=pod.taskrun,
        taskrun_uid=run.metadata.uid,
        key=TaskInstanceKey(spec.dag_id, taskrun.run_id_of(spec, run.metadata.uid), spec.task_id, spec.map_index),
        try_number=run.status.try_number or spec.try_number,
        max_tries=spec.retries or 0,
        conf=spec.conf or None,
        assets=_declared(spec),
    )


def _declared(spec: Spec) -> Declarations:
    """Returns which assets the TaskRun lets its task use: its inlets and outlets, and patterns of its access."""
    access = spec.access or Access()
    lists: tuple[tuple[Use, tuple[str, ...]], ...] = (
        ("state", access.asset_stores or ()), ("outlet", access.asset_events or ()),
    )  # fmt: skip
    return Declarations(
        inlets=tuple(map(_asset, spec.inlets)),
        outlets=tuple(map(_asset, spec.outlets)),
        patterns=tuple(Pattern(use, pattern) for use, patterns in lists for pattern in patterns),
    )


def _asset(declared: Asset) -> DeclaredAsset:
    return DeclaredAsset(type=declared.type, name=declared.name, uri=declared.uri)


def _of_pod(pod: Pod, ref: PodRef | None, which: str) -> Refusal | None:
    """Tells whether this pod is the one that counts."""
    if ref is None or not ref.name or not ref.uid:
        return Refusal(Reason.NOT_YET_KNOWN, f"{which} does not name its pod yet; ask again")
    if (ref.name, ref.uid) == (pod.name, pod.uid):
        return None
    attempt = taskrun.attempt_of(ref.name)
    if attempt is not None and attempt[0] == pod.taskrun and attempt[1] < pod.number:
        return Refusal(Reason.NOT_YET_KNOWN, f"{which} still names pod {ref.name}; ask again")
    return Refusal(Reason.SUPERSEDED, f"the pod that counts for {which} is {ref.name} with UID {ref.uid}")


def _of_policy(pod: Pod, spec: Spec, which: str) -> Refusal | None:
    """Tells whether a TaskRun may ask for this at all."""
    account = spec.pod.get("serviceAccountName") or "default"
    if pod.service_account != account:
        return Refusal(
            Reason.DENIED,
            f"{which} runs as service account {account!r}, and the token is of {pod.service_account!r}; a TaskRun's "
            "pod must run as the account in spec.pod.serviceAccountName",
        )
    if spec.task_instance_id:
        return Refusal(
            Reason.DENIED,
            f"{which} sets spec.taskInstanceId, which is for a scheduler to set; leave it out",
        )
    for name, wrong in (
        ("dagId", ids.problem(spec.dag_id)),
        ("taskId", ids.problem(spec.task_id)),
        ("runId", ids.run_problem(spec.run_id) if spec.run_id else ""),
    ):
        if wrong:
            return Refusal(Reason.DENIED, f"{which}: spec.{name} {wrong}")
    for name, declared in (("inlets", spec.inlets), ("outlets", spec.outlets)):
        for place, each in enumerate(declared):
            if wrong := problem(filled(_asset(each))):
                return Refusal(Reason.DENIED, f"{which}: spec.{name}[{place}]: {wrong}")
    return None
