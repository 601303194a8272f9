"""
Decides how an attempt ended: the TaskRun and its pod's facts in, a reason out, or None while it goes on. Pure.

There are three sources, in order of precedence: the task's report (the sidecar's record), the operator's own act
(``status.stopping``), and the pod's state. A record that only says that the launcher was told to stop, or disappeared,
does not give the reason: then the other sources do.
"""

from datetime import datetime

import msgspec

from airlock_operator.observe.podfacts import LAUNCHER, SIDECAR, PodFacts
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod.bundle import BUNDLE_VOLUME
from airlock_operator.reasons import Reason
from airlock_wire import pod as shared
from airlock_wire import record
from airlock_wire.options import TaskOptions

#: How long a sidecar may take to end after its runner: it may wait for a server that is away.
SIDECAR_ENDS_SECONDS = 120.0

#: What a record does not decide alone: it only shows that the launch was cut short. The status and the pod say why.
_CUT_SHORT = frozenset({record.Reason.INTERRUPTED, record.Reason.VANISHED, record.Reason.PARSED})
_DISRUPTIONS = {
    "PreemptionByScheduler": Reason.PREEMPTED,
    "DeletionByTaintManager": Reason.NODE_LOST,
    "DeletionByPodGC": Reason.NODE_LOST,
}
_LAUNCHER_CODES = {
    shared.EXIT_NEVER_CONNECTED: (
        Reason.RUNNER_NEVER_CONNECTED,
        "the launcher reached no sidecar in 60 s; see the sidecar container's state in kubectl describe pod",
    ),
    shared.EXIT_SIDECAR_LOST: (
        Reason.SIDECAR_LOST,
        "the sidecar went away and did not come back in 120 s, or came back to a runner that cannot go on with another",
    ),
}


#: Parts of a kubelet's message about a pod that used too much disk.
_STORAGE = ("ephemeral local storage", "local ephemeral storage", "exceeds the limit", "emptyDir")
#: Parts of that message if a container of the platform used too much, which never costs one of the user's tries.
_OURS = (
    *(f'"airlock-{name}"' for name in ("log", "state", "socket", "launcher", "token")),
    f"ontainer {SIDECAR} ",
    f"ontainer {LAUNCHER} ",
)


class End(msgspec.Struct, frozen=True):
    """
    An attempt's end. ``begun``: user code may have run, so a rerun may run it twice. ``state`` is the server's, if the
    task instance was finished before this launch. ``options`` are the task's own.
    """

    reason: Reason
    message: str
    begun: bool
    state: str = ""
    options: TaskOptions | None = None


def end_of(run: TaskRun, pod: PodFacts | None, now: datetime) -> End | None:
    """
    Returns the end of the present attempt, whose pod was certainly made; None while it goes on.

    ``pod`` is None if the API server does not have the pod and nobody saw how it ended.
    """
    if pod is None:
        # Nobody knows how far it came, so user code is taken to have begun.
        message = "the pod is gone, and went while the operator was not watching"
        return End(Reason(run.status.stopping or Reason.POD_DELETED), message, begun=True)
    if not _over(pod, now):
        return None
    reason, message = _why(run, pod)
    finished = pod.record.state if pod.record is not None and reason is Reason.ALREADY_FINISHED else None
    told = pod.record.options if pod.record is not None else None
    return End(reason, message, begun=_begun(run, pod), state=finished or "", options=told)


def _over(pod: PodFacts, now: datetime) -> bool:
    if pod.gone or pod.phase in ("Succeeded", "Failed"):
        return True
    if pod.runner_ended is None:
        return False
    if pod.sidecar_ended is not None and not pod.sidecar_running:
        return True
    ended = pod.runner_ended.at
    return ended is not None and (now - ended).total_seconds() > SIDECAR_ENDS_SECONDS


def _begun(run: TaskRun, pod: PodFacts) -> bool:
    if pod.record is not None:
        return "started" in pod.record.timeline
    ended = pod.runner_ended
    if ended is not None and ended.code == shared.EXIT_NEVER_CONNECTED:
        return False
    return pod.runner_ran or bool(run.status.started_at)


def _why(run: TaskRun, pod: PodFacts) -> tuple[Reason, str]:
    ended, kept = pod.runner_ended, pod.record
    if pod.no_launcher and not run.status.stopping:
        return Reason.INVALID_POD, pod.no_launcher
    if pod.no_bundle and not run.status.stopping:
        return Reason.BUNDLE_FAILED, pod.no_bundle
    if ended is not None and ended.cannot_exec and not (kept is not None and "connected" in kept.timeline):
        return Reason.CANNOT_EXEC, ended.message or ended.reason
    if kept is not None and kept.reason not in _CUT_SHORT:
        reason = Reason(kept.reason.value)
        if reason is Reason.CRASHED and ended is not None and ended.oom_killed:
            return Reason.OOM_KILLED, "the kernel killed the runner for memory"
        # No launcher connected because the pod was deleted before: the pod's state says why.
        cut_short = bool(run.status.stopping or pod.disruption or pod.deleting or pod.gone)
        if reason is not Reason.RUNNER_NEVER_CONNECTED or not cut_short:
            return reason, kept.message
    return _evidence(run, pod)


def _evidence(run: TaskRun, pod: PodFacts) -> tuple[Reason, str]:
    ended = pod.runner_ended
    if run.status.stopping:
        return Reason(run.status.stopping), run.status.message
    if pod.reason == "Evicted" and BUNDLE_VOLUME in pod.message:
        return Reason.BUNDLE_FAILED, f"{pod.message.rstrip(' .')}; an administrator raises the bundle's sizeLimit"
    if pod.reason == "Evicted":
        own = any(words in pod.message for words in _STORAGE) and not any(words in pod.message for words in _OURS)
        return (Reason.STORAGE_EXCEEDED if own else Reason.EVICTED), pod.message
    if pod.disruption:
        return _DISRUPTIONS.get(pod.disruption, Reason.EVICTED), f"{pod.disruption}: {pod.disruption_message}"
    if ended is not None and ended.oom_killed:
        return Reason.OOM_KILLED, "the kernel killed the runner for memory"
    if ended is not None and ended.code in _LAUNCHER_CODES:
        return _LAUNCHER_CODES[ended.code]
    if pod.deleting or pod.gone:
        return Reason.POD_DELETED, f"pod {pod.name} was deleted by somebody else"
    if ended is None:
        return Reason.POD_DELETED, f"pod {pod.name} ended as {pod.phase} before its runner ran: {pod.message}"
    if pod.record is None:
        return Reason.SIDECAR_LOST, "the sidecar left no record of the launch"
    return Reason.CRASHED, f"the runner's container ended with exit code {ended.code} ({ended.reason})"
