"""
Plans the next step for one TaskRun: the TaskRun, its pod's facts and the time in, a plan out. Pure.

Level-triggered: the same state always gives the same plan, however often it is computed. A plan is at most one status
and one act, the status first. What must be known about a pod (an attempt's number, the reason for stopping it) is
written before the pod is made or deleted. So if an operator dies in between, the next one understands the state.
"""

from datetime import datetime

import msgspec

from airlock_operator.decide.acts import Ask, Create, Delete, Plan
from airlock_operator.decide.blocked import Blocked, blocked
from airlock_operator.decide.case import Answer, Case
from airlock_operator.decide.conclude import afterlife, conclude, over
from airlock_operator.decide.ending import End, corrected, end_of, may_be_known
from airlock_operator.decide.next_attempt import BY_CANCEL, Over
from airlock_operator.decide.statement import after_seen, say
from airlock_operator.durations import micro_text, parse_time
from airlock_operator.observe.podfacts import PodFacts
from airlock_operator.reasons import Reason
from airlock_wire.taskrun import PodRef, Status

#: How long a pod may be on its way to running before the status says so.
QUIET_SECONDS = 3.0
#: The sidecar stops a task that ran for ``executionTimeout``. The operator stops the pod if the sidecar has not done so
#: this many seconds later: the wait for a processor, a bundle or the server before the task's start is in them.
BACKSTOP_SECONDS = 360.0
#: How long a sidecar may take to end after its runner: it may wait for a server that is away.
SIDECAR_ENDS_SECONDS = 120.0
#: The same where a container of others runs on, without whose end a kubelet does not stop the sidecar.
OTHERS_END_SECONDS = 5.0
#: How long the server is asked how an attempt ended, before the pod alone decides.
ANSWER_SECONDS = 3600.0
#: How often a TaskRun with an ending pod is looked at, in case an event was missed.
_LOOK_AGAIN_SECONDS = 15.0
#: How often one that waits for a slot asks again, in case it was not woken; its place in line is written anew then.
_IN_LINE_SECONDS = 60.0
#: How often another pod that has the name of the attempt's pod is looked at, in case an event was missed.
_NAME_AGAIN_SECONDS = 2.0


def plan(case: Case) -> Plan:
    """Returns the plan."""
    run = case.run
    if run.deleting:
        # The garbage collector deletes the pod, and the kubelet lets the launcher end in order.
        return Plan()
    if run.over:
        return afterlife(case)
    if not run.attempt_open:
        return _next_attempt(case)
    if run.status.pod_ref is None:
        return _make(case)
    return _watch(case)


# --- no attempt is open ---


def _next_attempt(case: Case) -> Plan:
    run, now = case.run, case.now
    status = run.status
    if run.spec.cancel:
        return over(case.without_pod(), Over("failed", Reason.CANCELLED, "cancelled before it was started"))
    if run.spec.suspend:
        return Plan(say(case, Reason.SUSPENDED, "", state=status.state))
    if run.times.next_attempt_at is not None and (wait := _pause_left(case, run.times.next_attempt_at)) > 0:
        return Plan(again_in=wait)
    if case.queued:
        seconds_left = case.left(case.moments.waits, QUIET_SECONDS)
        if seconds_left > 0:
            return Plan(again_in=seconds_left)
        return Plan(say(case, Reason.QUEUED, case.queued, state="queued"), again_in=_IN_LINE_SECONDS)
    attempt = status.attempt + 1
    fresh = msgspec.structs.replace(
        status,
        run_id=run.run_id,
        try_number=status.try_number or run.spec.try_number,
        attempt=attempt,
        pod_ref=None,
        node="",
        since=micro_text(now),
        stopping="",
        started_at="",
        failing_since="",
        next_attempt_at="",
        timeline={"admitted": after_seen(run.times.seen_at, now) if run.times.seen_at is not None else 0.0},
    )
    queued_status = say(case, Reason.PENDING, "its pod is about to be made", state="queued", base=fresh)
    return Plan(queued_status, again_in=0.0, begins=True)


# --- an attempt is open, its pod is not known to exist ---


def _make(case: Case) -> Plan:
    run, pod, now, refusal = case.run, case.pod, case.now, case.refusal
    seconds_left = case.left(case.moments.opened, run.durations.pending_timeout)
    if pod is not None and pod.owner != run.uid:
        if not pod.gone and not run.spec.cancel:
            return _wait_for_name(case, pod, seconds_left)
        # An earlier TaskRun of this name had the pod, and the pod is gone.
        case, pod = case.without_pod(), None
    if pod is not None:
        with_pod = msgspec.structs.replace(run.status, pod_ref=PodRef(pod.name, pod.uid), node=pod.node)
        return Plan(_progress(case, pod, blocked(run, pod), base=with_pod, quiet=False), again_in=0.0)
    if run.spec.cancel:
        return over(case, Over("failed", Reason.CANCELLED, "cancelled before it was started"))
    if refusal is None:
        return Plan(act=Create(run.status.attempt))
    if refusal.final or seconds_left <= 0:
        gave_up = "" if refusal.final else f"gave up after {run.spec.pending_timeout}: "
        return over(case, Over("failed", refusal.reason, gave_up + refusal.message))
    status = say(case, refusal.reason, refusal.message, state="queued")
    if (wait := (refusal.again_at - now).total_seconds()) > 0:
        return Plan(status, again_in=wait)
    return Plan(status, act=Create(run.status.attempt))


def _wait_for_name(case: Case, pod: PodFacts, seconds_left: float) -> Plan:
    """
    Plans for another's pod that has the name of ours. Usually it belongs to an earlier TaskRun of this name, which was
    deleted a moment ago: the garbage collector will delete the pod too.
    """
    text = f"a pod named {pod.name} is there that is not this TaskRun's; delete it, or use another name"
    # If it has no owner (after kubectl delete --cascade=orphan) and has ended, nobody else will delete it.
    stays = not pod.owner and pod.dead and not pod.deleting
    case = case.without_pod()
    if seconds_left <= 0 or stays:
        return over(case, Over("failed", Reason.INVALID_POD, text))
    waits_for = f"waiting for the end of a pod named {pod.name} that is not this TaskRun's"
    status = say(case, Reason.PENDING, waits_for, state="queued")
    return Plan(status, again_in=min(_NAME_AGAIN_SECONDS, seconds_left))


# --- an attempt is open and has its pod ---


def _watch(case: Case) -> Plan:
    run, pod = case.run, case.pod
    end = end_of(case)
    if end is not None:
        return _ask(case, end) if may_be_known(case, end) else conclude(case, end)
    assert pod is not None  # noqa: S101 - an attempt without a pod has ended
    if pod.deleting:
        # A pod that is being deleted cannot be changed: its containers end, and then it shows why.
        message = run.status.message if run.status.stopping else f"pod {pod.name} is being deleted"
        status = say(case, Reason.STOPPING, message or run.status.stopping)
        return Plan(status, again_in=_LOOK_AGAIN_SECONDS)
    if run.status.stopping:
        return Plan(act=Delete(pod.name, pod.uid), again_in=_LOOK_AGAIN_SECONDS)
    if pod.runner_ended is not None:
        return _read_record(case, pod)
    if run.spec.cancel:
        return _stop(case, pod, Reason.CANCELLED, BY_CANCEL)
    block = blocked(run, pod)
    if block is not None:
        return _wait(case, pod, block)
    limit = run.durations.execution_timeout
    if limit is None:
        return Plan(_progress(case, pod, None))
    seconds_left = case.left(case.moments.ran, limit + BACKSTOP_SECONDS)
    if seconds_left <= 0:
        late = f"it ran for longer than {run.spec.execution_timeout}, and past its sidecar's stop"
        return _stop(case, pod, Reason.TIMED_OUT, late)
    return Plan(_progress(case, pod, None), again_in=seconds_left)


def _wait(case: Case, pod: PodFacts, block: Blocked) -> Plan:
    """Plans for a pod whose runner does not run yet."""
    seconds_left = None
    if block.limit is not None:
        seconds_left = case.left(case.moments.failing if block.failing else case.moments.opened, block.limit)
        if seconds_left <= 0:
            return _stop(case, pod, block.ends_as, block.message)
    return Plan(_progress(case, pod, block), again_in=_soonest(seconds_left, _quiet_left(case, block)))


def _read_record(case: Case, pod: PodFacts) -> Plan:
    """
    Plans for a pod whose runner has ended and whose sidecar has not: a kubelet stops it only when the containers of
    others have ended too, and late where its node is overloaded. The pod is stopped, and then shows the record.
    """
    seconds_left = case.left(case.moments.ended, OTHERS_END_SECONDS if pod.others_running else SIDECAR_ENDS_SECONDS)
    if seconds_left > 0:
        return Plan(again_in=seconds_left)
    return _stop(case, pod, Reason.SIDECAR_LOST, "its runner has ended; its pod is stopped, to read how")


def _ask(case: Case, end: End) -> Plan:
    """Plans for an attempt whose pod does not show its end: the server may have the task's report."""
    answer = case.answer
    if isinstance(answer, Answer):
        return conclude(case, corrected(end, answer))
    act = Ask(case.run.status.pod_ref.uid if case.run.status.pod_ref is not None else "")
    if answer is None:
        return Plan(act=act)
    if case.run.spec.cancel or case.left(case.moments.ended, ANSWER_SECONDS) <= 0:
        return conclude(case, end)
    message = f"its pod does not show how it ended ({end.reason}: {end.message}), and {answer.message}"
    status = say(case, Reason.SERVER_AWAY, message)
    wait = (answer.again_at - case.now).total_seconds()
    return Plan(status, again_in=wait) if wait > 0 else Plan(status, act)


def _stop(case: Case, pod: PodFacts, reason: Reason, message: str) -> Plan:
    stopping = msgspec.structs.replace(case.run.status, stopping=str(reason))
    status = say(case, Reason.STOPPING, message, base=stopping)
    by_clock = reason is not Reason.CANCELLED
    return Plan(status, act=Delete(pod.name, pod.uid), again_in=_LOOK_AGAIN_SECONDS, by_clock=by_clock)


def _progress(
    case: Case, pod: PodFacts, block: Blocked | None, base: Status | None = None, *, quiet: bool = True
) -> Status | None:
    """
    Returns the status of an attempt that waits, ``block`` says for what, or runs; None if the status would not change.
    """
    base = base or case.run.status
    base = msgspec.structs.replace(base, node=pod.node)
    if block is None:
        base = msgspec.structs.replace(base, started_at=base.started_at or micro_text(case.now), failing_since="")
        if case.server_away:
            return say(case, Reason.SERVER_AWAY, case.server_away, state="running", base=base)
        return say(case, Reason.RUNNING, f"pod {pod.name} on node {pod.node}", state="running", base=base)
    if quiet and _quiet_left(case, block):
        return None
    since = (base.failing_since or micro_text(case.now)) if block.failing else ""
    base = msgspec.structs.replace(base, failing_since=since)
    return say(case, block.reason, block.message, state="queued", base=base)


def _quiet_left(case: Case, block: Blocked) -> float | None:
    """Tells how many seconds a starting pod may go on without a new status; None if the status must change now."""
    if block.reason not in (Reason.STARTING, Reason.PULLING, Reason.FETCHING_BUNDLE):
        return None
    seconds_left = case.left(case.moments.opened, QUIET_SECONDS)
    return seconds_left if seconds_left > 0 else None


def _pause_left(case: Case, ends: datetime) -> float:
    """
    Returns the seconds until the next attempt. The time was written by an operator whose clock may have been another,
    so the pause is never longer than between its two stamps.
    """
    seconds_left = (ends - case.now).total_seconds()
    last = case.run.status.attempts[-1].finished_at if case.run.status.attempts else ""
    if not last:
        return seconds_left
    pause = (ends - parse_time(last)).total_seconds()
    return min(seconds_left, case.left(case.moments.waits, pause))


def _soonest(*waits_for: float | None) -> float | None:
    waits = [each for each in waits_for if each is not None]
    return min(waits) if waits else None
