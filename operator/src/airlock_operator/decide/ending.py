"""
Decides how an attempt ended: the TaskRun and its pod's facts in, a reason out, or None while it goes on. Pure.

There are four sources, in order of precedence: the task's report (the sidecar's record), the server's state of the
attempt, the operator's own act (``status.stopping``), and the pod's state. A record that only says that the launcher
was told to stop, or disappeared, does not give the reason: then the other sources do.
"""

from datetime import datetime

import msgspec

from airlock_operator.decide.case import Answer, Case
from airlock_operator.observe.podfacts import SIDECAR, PodFacts
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod.bundle import BUNDLE_VOLUME
from airlock_operator.reasons import Reason
from airlock_wire import pod as shared
from airlock_wire import record
from airlock_wire.options import TaskOptions

#: How long a node may take to confirm the end of a deleted pod, beyond the pod's grace period.
UNCONFIRMED_SECONDS = 300.0

#: What a record does not decide alone: it only shows that the launch was cut short. The status and the pod say why.
_CUT_SHORT = frozenset(
    {
        record.Reason.INTERRUPTED,
        record.Reason.VANISHED,
        record.Reason.PARSED,
        record.Reason.FIRED,
        record.Reason.ANSWERED,
    }
)
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
)


class End(msgspec.Struct, frozen=True):
    """
    An attempt's end. ``begun``: user code may have run, so a rerun may run it twice. ``reported``: the sidecar's record
    says it, so the server has nothing to add. ``state`` is the server's, if the task instance was finished before this
    launch. ``options`` are the task's own, and ``policy_delay`` is its retry policy's answer, in seconds.
    """

    reason: Reason
    message: str
    begun: bool
    reported: bool = False
    state: str = ""
    options: TaskOptions | None = None
    policy_delay: float | None = None
    #: The DAG run's, where the record says it.
    logical_date: datetime | None = None
    #: A time-out led to it.
    by_clock: bool = False


def end_of(case: Case) -> End | None:
    """Returns the end of the present attempt, whose pod was certainly made; None while it goes on."""
    run, pod = case.run, case.pod
    if pod is None:
        # Nobody knows how far it came, so user code is taken to have begun.
        message = "the pod is gone, and went while the operator was not watching"
        return End(Reason(run.status.stopping or Reason.POD_DELETED), message, begun=True)
    if _unconfirmed(case, pod):
        message = f"node {pod.node} does not confirm that pod {pod.name} has ended"
        return End(Reason(run.status.stopping or Reason.NODE_LOST), message, begun=_begun(run, pod), by_clock=True)
    if not _over(pod):
        return None
    reason, message, reported = _why(run, pod)
    end = End(reason, message, _begun(run, pod), reported)
    if pod.record is None:
        return end
    return msgspec.structs.replace(
        end,
        state=(pod.record.state or "") if reason is Reason.ALREADY_FINISHED else "",
        options=pod.record.options,
        policy_delay=pod.record.retry_delay_seconds,
        logical_date=pod.record.logical_date,
    )


def _over(pod: PodFacts) -> bool:
    if pod.finished:
        return True
    return pod.runner_ended is not None and pod.sidecar_ended is not None and not pod.sidecar_running


def _unconfirmed(case: Case, pod: PodFacts) -> bool:
    """
    Tells whether a node has had the time to end a deleted pod and to say so. The server fences such a pod: it lets only
    the newest attempt's pod report anything.
    """
    if pod.finished or not pod.deleting:
        return False
    return case.left(case.moments.deleting, case.run.durations.grace_period + UNCONFIRMED_SECONDS) <= 0


def _begun(run: TaskRun, pod: PodFacts) -> bool:
    if pod.record is not None:
        return "started" in pod.record.timeline
    ended = pod.runner_ended
    if ended is not None and ended.code == shared.EXIT_NEVER_CONNECTED:
        return False
    return pod.runner_ran or bool(run.status.started_at)


def _why(run: TaskRun, pod: PodFacts) -> tuple[Reason, str, bool]:
    """Returns the reason, its message, and whether the sidecar reported it."""
    ended, sidecar_record = pod.runner_ended, pod.record
    if pod.no_bundle and not run.status.stopping:
        return Reason.BUNDLE_FAILED, pod.no_bundle, False
    never_ran = (
        ended is not None
        and ended.never_ran
        and not (sidecar_record is not None and "connected" in sidecar_record.timeline)
    )
    if ended is not None and never_ran and ended.cannot_exec:
        return Reason.CANNOT_EXEC, ended.message or ended.reason, False
    if pod.runtime_failed and not run.status.stopping and (never_ran or not pod.runner_ran):
        return Reason.RUNTIME_FAILED, pod.runtime_failed, False
    if sidecar_record is not None and sidecar_record.reason not in _CUT_SHORT:
        reason = Reason(sidecar_record.reason.value)
        if reason is Reason.CRASHED and ended is not None and ended.oom_killed:
            return Reason.OOM_KILLED, "the kernel killed the runner for memory", True
        # No launcher connected because the pod was deleted before: the pod's state says why.
        cut_short = bool(run.status.stopping or pod.disruption or pod.deleting or pod.gone)
        if reason is not Reason.RUNNER_NEVER_CONNECTED or not cut_short:
            return reason, sidecar_record.message, True
    return (*_evidence(run, pod), False)


def _evidence(run: TaskRun, pod: PodFacts) -> tuple[Reason, str]:
    ended = pod.runner_ended
    by_us = Reason(run.status.stopping) if run.status.stopping else None
    if by_us is not None and by_us is not Reason.SIDECAR_LOST:
        return by_us, run.status.message
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
    if (pod.deleting or pod.gone) and by_us is None:
        return Reason.POD_DELETED, f"pod {pod.name} was deleted by somebody else"
    if ended is None:
        return Reason.POD_DELETED, f"pod {pod.name} ended as {pod.phase} before its runner ran: {pod.message}"
    if pod.record is None:
        return Reason.SIDECAR_LOST, "the sidecar left no record of the launch"
    return Reason.CRASHED, f"the runner's container ended with exit code {ended.code} ({ended.reason})"


#: The reason of an attempt by the state that its report gave to the task instance.
_STATES = {
    "success": Reason.SUCCEEDED,
    "skipped": Reason.SKIPPED,
    "failed": Reason.FAILED,
    "up_for_retry": Reason.RETRY,
    "deferred": Reason.DEFERRED,
    "up_for_reschedule": Reason.RESCHEDULED,
    "awaiting_input": Reason.AWAITING_INPUT,
    "removed": Reason.SUPERSEDED,
}


def may_be_known(case: Case, end: End) -> bool:
    """
    Tells whether the server may know more of the attempt's end than its pod shows. A sidecar that was there to the end
    wrote all that it knew into its record.
    """
    sidecar_record = case.pod.record if case.pod is not None else None
    witnessed = sidecar_record is not None and sidecar_record.reason is not record.Reason.VANISHED
    return case.asks and end.begun and not (end.reported or witnessed or case.run.by_secret)


def corrected(end: End, answer: Answer) -> End:
    """Returns the end as the server knows it: the report reached the server, though the pod does not show it."""
    if not answer.state:
        # Its pod was never given a token, so no task was ever handed to it.
        return msgspec.structs.replace(end, begun=False)
    reason = _STATES.get(answer.state)
    if reason is None:
        return end
    unseen = f"the server has the task's report; its pod does not show it ({end.reason}: {end.message})"
    return msgspec.structs.replace(end, reason=reason, message=answer.message or unseen, reported=True)
