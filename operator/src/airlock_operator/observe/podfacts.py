"""
Reads a pod's facts about an attempt: raw Kubernetes JSON in, plain facts out. Pure.

The end of the runner's container says *when* an attempt ended. The pod's phase does not: it waits for sidecars and
injected meshes. The sidecar's record says *what* happened. The runner container's own termination message is ignored,
because user code writes it.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from airlock_operator.durations import parse_time
from airlock_operator.observe import runtime
from airlock_operator.observe.complaints import Complaint
from airlock_wire.record import Record, decode

SIDECAR = "sidecar"
RUNNER = "runner"
#: The init container that fetches a bundle.
BUNDLE = "bundle"
RUN_LABEL = "airlock.dev/taskrun"
ATTEMPT_LABEL = "airlock.dev/attempt"

#: Waiting reasons of a container whose image does not come; each with whether waiting can help.
PULL_REASONS = {
    "ErrImagePull": True,
    "ImagePullBackOff": True,
    "ImageInspectError": True,
    "RegistryUnavailable": True,
    "SignatureValidationFailed": True,
    "ErrImageNeverPull": False,
    "InvalidImageName": False,
}
_CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
#: Reasons of a container that ended because its first process could not be started.
_EXEC_REASONS = frozenset({"StartError", "ContainerCannotRun"})


#: The values of ``PodFacts.fetching``.
FETCH_WAITS = "waits"
FETCHES = "runs"
#: The containers that Airlock puts in a pod.
_OURS = (SIDECAR, RUNNER, BUNDLE)
#: Exit codes above are those of a process that a signal ended.
_SIGNALS = 128


class Ended(msgspec.Struct, frozen=True):
    """How a container ended."""

    code: int
    reason: str
    message: str
    at: datetime | None
    started: datetime | None

    @property
    def never_ran(self) -> bool:
        """Whether its first process could not be started."""
        return self.reason in _EXEC_REASONS

    @property
    def cannot_exec(self) -> bool:
        """Whether its first process could not be started because of its image."""
        return self.never_ran and runtime.of_the_image(self.message)

    @property
    def runtime_failed(self) -> bool:
        """Whether the node's container runtime failed to start it."""
        return self.never_ran and not runtime.of_the_image(self.message)

    @property
    def oom_killed(self) -> bool:
        """Whether the kernel killed it for memory."""
        return self.reason == "OOMKilled" and self.code != 0


class PodFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one pod. ``gone``: the API server no longer has it, and these are its last facts."""

    name: str
    uid: str
    version: int
    owner: str
    attempt: int
    gone: bool = False
    deleting: bool = False
    phase: str = "Pending"
    node: str = ""
    scheduled_at: datetime | None = None
    unschedulable: str = ""
    gated: bool = False
    #: A waiting container's reason and message, where it is one that keeps the runner from starting.
    pulling: str = ""
    pulling_hopeless: bool = False
    config: str = ""
    #: The container that waits for its image or its configuration.
    waits: str = ""
    #: The image of the runner's container.
    image: str = ""
    #: Whether the init container that fetches a bundle waits or runs; empty if the pod has none, or if it has ended.
    fetching: str = ""
    #: Why the bundle was not fetched: the last line of that init container.
    no_bundle: str = ""
    runner_started: datetime | None = None
    runner_ended: Ended | None = None
    sidecar_running: bool = False
    #: Whether a container that is not of Airlock runs beside the runner, such as that of a service mesh.
    others_running: bool = False
    #: What the node's container runtime said when it failed to start one of Airlock's containers.
    runtime_failed: str = ""
    sidecar_ended: Ended | None = None
    record: Record | None = None
    #: A ``DisruptionTarget`` condition's reason, for example EvictionByEvictionAPI.
    disruption: str = ""
    disruption_message: str = ""
    #: What its kubelet last complained of, where its status does not say it.
    complaint: Complaint | None = None
    #: The pod's own reason, for example Evicted by the kubelet.
    reason: str = ""
    message: str = ""

    @property
    def blamed(self) -> str:
        """The container that keeps the runner from starting, by its status or by its kubelet's last complaint."""
        return self.waits or (self.complaint.container if self.complaint is not None else "")

    @property
    def runner_ran(self) -> bool:
        """Whether the runner's container was started: from then on user code may have begun."""
        ended = self.runner_ended
        return self.runner_started is not None or (ended is not None and not ended.never_ran)

    @property
    def finished(self) -> bool:
        """Whether every container of the pod has ended."""
        return self.gone or self.phase in ("Succeeded", "Failed")

    @property
    def dead(self) -> bool:
        """Whether the pod can no longer run user code."""
        never = not self.node and self.deleting
        return self.finished or self.runner_ended is not None or never


def observe(body: dict[str, Any], *, gone: bool = False) -> PodFacts:
    """Returns the facts of a pod's JSON. ``gone``: the JSON came with the event of its deletion."""
    meta, status = body["metadata"], body.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    sidecar = _container(status.get("initContainerStatuses"), SIDECAR)
    runner = _container(status.get("containerStatuses"), RUNNER)
    scheduled, disruption = conditions.get("PodScheduled", {}), conditions.get("DisruptionTarget", {})
    waiting = [w for w in (_waiting(sidecar), _waiting(runner), *_others(status)) if w.reason]
    pulls = [w for w in waiting if w.reason in PULL_REASONS]
    configs = [w for w in waiting if w.reason in _CONFIG_REASONS and not runtime.of_the_node(w.message)]
    containers = (body.get("spec") or {}).get("containers") or []
    running = (runner.get("state") or {}).get("running")
    ended = _ended(runner)
    return PodFacts(
        name=meta["name"],
        uid=meta["uid"],
        version=int(meta["resourceVersion"]) if str(meta.get("resourceVersion")).isdigit() else 0,
        owner=next((o["uid"] for o in meta.get("ownerReferences") or [] if o.get("controller")), ""),
        attempt=int((meta.get("labels") or {}).get(ATTEMPT_LABEL) or 0),
        gone=gone,
        deleting="deletionTimestamp" in meta,
        phase=status.get("phase") or "Pending",
        node=(body.get("spec") or {}).get("nodeName") or "",
        scheduled_at=_time(scheduled.get("lastTransitionTime")) if scheduled.get("status") == "True" else None,
        unschedulable=(scheduled.get("message") or "") if scheduled.get("reason") == "Unschedulable" else "",
        gated=scheduled.get("reason") == "SchedulingGated",
        pulling=pulls[0].text if pulls else "",
        pulling_hopeless=any(not PULL_REASONS[each.reason] for each in pulls),
        config=configs[0].text if configs else "",
        waits=next((each.container for each in (*pulls, *configs)), ""),
        image=next((str(c.get("image") or "") for c in containers if c.get("name") == RUNNER), ""),
        fetching=_fetching(_container(status.get("initContainerStatuses"), BUNDLE)),
        no_bundle=_no_bundle(_ended(_container(status.get("initContainerStatuses"), BUNDLE))),
        runner_started=_time(running.get("startedAt"))
        if running
        else (ended.started if ended and not ended.never_ran else None),
        runner_ended=ended,
        sidecar_running="running" in (sidecar.get("state") or {}),
        sidecar_ended=_ended(sidecar),
        others_running=any(
            "running" in (s.get("state") or {}) for s in status.get("containerStatuses") or [] if s["name"] != RUNNER
        ),
        runtime_failed=_runtime_failed(status),
        record=_record(sidecar),
        disruption=(disruption.get("reason") or "") if disruption.get("status") == "True" else "",
        disruption_message=disruption.get("message") or "",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
    )


def _container(statuses: Any, name: str) -> dict[str, Any]:
    return next((s for s in statuses or [] if s.get("name") == name), {})


class _Waiting(NamedTuple):
    container: str
    reason: str
    message: str

    @property
    def text(self) -> str:
        return ": ".join(filter(None, (self.reason, self.message)))


def _others(status: dict[str, Any]) -> list[_Waiting]:
    """Returns the container that keeps the runner from starting; injected containers can do so too."""
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return [_waiting(s) for s in statuses if s.get("name") not in (SIDECAR, RUNNER)]


def _waiting(container: dict[str, Any]) -> _Waiting:
    waiting = (container.get("state") or {}).get("waiting") or {}
    return _Waiting(container.get("name") or "", waiting.get("reason") or "", waiting.get("message") or "")


def _ended(container: dict[str, Any]) -> Ended | None:
    terminated = (container.get("state") or {}).get("terminated")
    if not terminated:
        return None
    return Ended(
        code=int(terminated.get("exitCode") or 0),
        reason=terminated.get("reason") or "",
        message=terminated.get("message") or "",
        at=_time(terminated.get("finishedAt")),
        started=_time(terminated.get("startedAt")),
    )


def _fetching(container: dict[str, Any]) -> str:
    state = container.get("state") or {}
    return FETCHES if "running" in state else FETCH_WAITS if "waiting" in state else ""


def _no_bundle(ended: Ended | None) -> str:
    """Says why the bundle was not fetched. A signal's code means that the pod was deleted, unless memory ran out."""
    if ended is None or ended.code == 0 or ended.runtime_failed:
        return ""
    if ended.code > _SIGNALS and not (ended.cannot_exec or ended.oom_killed):
        return ""
    if ended.oom_killed:
        return f"init container {BUNDLE} was killed for memory while it fetched the bundle"
    lines = [line.strip() for line in ended.message.splitlines() if line.strip()]
    return lines[-1] if lines else f"init container {BUNDLE} ended with exit code {ended.code} ({ended.reason})"


def _runtime_failed(status: dict[str, Any]) -> str:
    """Returns the runtime's own words about the first of our containers that it failed to start."""
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    ends = [_ended(each) for each in statuses if each.get("name") in _OURS]
    return next((each.message or each.reason for each in ends if each is not None and each.runtime_failed), "")


def _record(sidecar: dict[str, Any]) -> Record | None:
    """
    Returns the record of the sidecar that ended last; a restarted sidecar has the earlier record in ``lastState``.
    """
    for state in ("state", "lastState"):
        text = ((sidecar.get(state) or {}).get("terminated") or {}).get("message")
        if text:
            try:
                return decode(text.encode())
            except msgspec.MsgspecError:
                # A sidecar that could not even start leaves the tail of its output there.
                continue
    return None


def _time(text: Any) -> datetime | None:
    # The kubelet writes a zero time, its own or Unix', for a container that never started.
    if not text or str(text).startswith(("0001-", "1970-")):
        return None
    return parse_time(text)
