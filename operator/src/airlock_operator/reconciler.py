"""
Does one turn for one TaskRun: look, plan, act. It connects the pure decisions with the API server.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from airlock_operator.decide.acts import Ask, Create, Delete, Forget, Plan
from airlock_operator.decide.blocked import blocked
from airlock_operator.decide.case import Answer, Case, NoAnswer, Refusal
from airlock_operator.decide.pace import Pace
from airlock_operator.decide.plan import QUIET_SECONDS, plan
from airlock_operator.decide.slots import Slots
from airlock_operator.durations import micro_text
from airlock_operator.kube import errors
from airlock_operator.kube.api import Cluster
from airlock_operator.metrics import Metrics
from airlock_operator.observe.complaints import About
from airlock_operator.observe.moments import Moments, advance
from airlock_operator.observe.podfacts import FETCHES, PodFacts
from airlock_operator.observe.sightings import Key, Sightings
from airlock_operator.observe.taskrun import TaskRun, read
from airlock_operator.pod import manifest
from airlock_operator.reasons import Reason
from airlock_operator.settings import Logs, Pods, Traces
from airlock_operator.status import events
from airlock_operator.story import Story, of_act, of_answer, of_stray
from airlock_operator.traces.tracing import Tracing
from airlock_operator.upstream.errors import Silent
from airlock_wire.process import backoff
from airlock_wire.taskrun import Status

log = logging.getLogger("airlock.operator")


class Refused(msgspec.Struct, frozen=True):
    """The last refusal of an attempt's pod, and the pause that followed it in seconds."""

    attempt: int
    refusal: Refusal
    pause: float


_FIRST_PAUSE_SECONDS = 1.0
_NEVER_RAN_SECONDS = 5
#: For a pod whose runner has ended: its sidecar brings the rest of the log to the store.
_ENDED_SECONDS = 30
_LONGEST_PAUSE_SECONDS = 30.0
#: How long to wait before the server is asked once more about an attempt.
_ASK_AGAIN_SECONDS = 5.0


class Server(Protocol):
    """The server, as far as the operator needs it (``upstream.client``)."""

    @property
    def asks(self) -> bool:
        """Whether there is a server that the operator may ask."""

    def away(self, *, airflow: bool) -> str:
        """Returns since when the server does not answer, in words; empty while it answers."""

    async def attempt(self, pod_uid: str) -> Answer:
        """Returns what the server knows of a pod's attempt; raises upstream.client.Silent."""


class Reconciler:
    """
    Does turns. ``ca_pem`` returns the certificates that a TaskRun's sidecar trusts. ``slots`` and ``pace`` limit how
    many TaskRuns are under way and how fast pods are made; ``wake`` makes one due that may begin now. ``clock`` returns
    monotonic seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        sightings: Sightings,
        server: Server,
        pods: Pods,
        logs: Logs,
        *,
        ca_pem: Callable[[TaskRun], str],
        component: str,
        slots: Slots,
        pace: Pace,
        wake: Callable[[Key], None],
        clock: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._cluster = cluster
        self._sightings = sightings
        self._server = server
        self._pods = pods
        self._logs = logs
        self._ca_pem = ca_pem
        self._component = component
        self._slots = slots
        self._pace = pace
        self._wake = wake
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._tracing = tracing or Tracing(Traces())
        self._story = Story(self._tracing)
        self._refused: dict[Key, Refused] = {}
        self._answers: dict[Key, tuple[int, Answer | NoAnswer]] = {}
        self._moments: dict[Key, Moments] = {}
        #: TaskRuns that this operator cannot read, so that it logs each once.
        self._unreadable: set[tuple[str, str]] = set()

    def take_over(self) -> None:
        """Tells of each TaskRun that goes from now on: until now another operator has told."""
        self._sightings.gone = self._story.gone

    def start_anew(self) -> None:
        """Starts every time-out anew, after a time in which the operator could not see what happened."""
        self._moments.clear()

    async def turn(self, key: Key) -> float | None:
        """
        Does the next step. Returns the seconds until the next turn, None to wait for an event. Raises
        errors.KubernetesError if the turn failed and must be repeated.
        """
        body = await self._body(key)
        if body is None:
            self._forget_notes(key)
            for other in self._slots.forget(key):
                self._wake(other)
            return None
        try:
            run = read(body)
        except (msgspec.ValidationError, ValueError, KeyError) as e:
            self._say_unreadable(body, e)
            return None
        pod = await self._look(key, run)
        decided = self._plan(key, run, pod)
        if decided.by_clock and pod is not None and not pod.gone:
            # Its status may be older than the time-out: the API server is asked before anything ends by a clock.
            pod = await self._look_again(key, pod)
            decided = self._plan(key, run, pod)
        if decided.status is not None:
            body = await self._write(key, body, run, decided.status)
        again_in = await self._act(key, read(body), pod, decided)
        for stray in strays(run, self._sightings.pods(key)):
            act = Delete(stray.name, stray.uid)
            await self._delete(key, act)
            self._story.acted(run, of_stray(act))
        if run.over and all(each.finished for each in self._sightings.pods(key)):
            self._sightings.settle(key)
            self._forget_notes(key)
        return again_in

    def _plan(self, key: Key, run: TaskRun, pod: PodFacts | None) -> Plan:
        """Plans, with a slot for an attempt that begins; whoever may begin because of it is woken."""
        case = self._case(key, run, pod)
        decided = plan(case)
        queued = self._slots.ask(key, run.spec.priority, micro_text(run.created)) if decided.begins else ""
        if queued:
            decided = plan(msgspec.structs.replace(case, queued=queued))
        idle = pod is not None and (pod.dead or pod.gated)
        holds = decided.begins or (run.attempt_open and not run.over and not idle)
        for other in self._slots.note(key, holds=holds, waits=bool(queued)):
            self._wake(other)
        return decided

    async def _body(self, key: Key) -> dict[str, Any] | None:
        """Returns the TaskRun, which is read from the API server if it has come to its end and was not kept."""
        body = self._sightings.run(key)
        if body is not None or key not in self._sightings.runs:
            return body
        try:
            self._sightings.saw_run(await self._cluster.taskrun(key.namespace, key.name))
        except errors.NotFound:
            self._sightings.forget(key)
        return self._sightings.run(key)

    def _case(self, key: Key, run: TaskRun, pod: PodFacts | None) -> Case:
        now, clock = datetime.now(UTC), self._clock()
        away = self._server.away(airflow=run.by_secret)
        moments = self._moments.get(key)
        pod = self._with_complaint(pod, clock - moments.opened if moments is not None else 0.0)
        block = blocked(run, pod) if pod is not None and run.attempt_open else None
        failing_as = str(block.reason) if block is not None and block.failing else ""
        self._moments[key] = moments = advance(moments, run, pod, clock, failing_as, away=bool(away))
        last_answer = self._answers.get(key)
        return Case(
            run=run,
            pod=pod,
            now=now,
            moments=moments,
            clock=clock,
            refusal=self._refusal(key, run, now),
            asks=self._server.asks,
            answer=last_answer[1] if last_answer is not None and last_answer[0] == run.status.attempt else None,
            server_away=away,
        )

    def _with_complaint(self, pod: PodFacts | None, age: float) -> PodFacts | None:
        """Adds its kubelet's complaint to a pod that should run by now, if its status does not say why it does not."""
        if pod is None or age < QUIET_SECONDS:
            return pod
        explained = pod.pulling or pod.config or pod.fetching == FETCHES
        if not pod.node or pod.runner_ran or pod.dead or pod.deleting or explained:
            return pod
        return msgspec.structs.replace(pod, complaint=self._sightings.complaint(pod.uid))

    async def _look(self, key: Key, run: TaskRun) -> PodFacts | None:
        """
        Returns the present attempt's pod. It asks the API server for a pod that it has not seen, because the event may
        be late or missed.
        """
        ref = run.status.pod_ref
        if ref is None:
            return self._sightings.pod(key, run.pod_name(run.status.attempt)) if run.attempt_open else None
        pod = self._sightings.pod(key, ref.name, ref.uid)
        if pod is not None or run.over:
            return pod
        try:
            self._sightings.saw_pod(await self._cluster.pod(key.namespace, ref.name))
        except errors.NotFound:
            return None
        return self._sightings.pod(key, ref.name, ref.uid)

    async def _look_again(self, key: Key, pod: PodFacts) -> PodFacts | None:
        """Returns a pod as the API server has it now."""
        try:
            self._sightings.saw_pod(await self._cluster.pod(key.namespace, pod.name))
        except errors.NotFound:
            self._sightings.lost_pod(key, pod.name)
        return self._sightings.pod(key, pod.name, pod.uid)

    # --- acts ---

    async def _act(self, key: Key, run: TaskRun, pod: PodFacts | None, decided: Plan) -> float | None:
        match decided.act:
            case Create() as act:
                return await self._create(key, run, act)
            case Ask() as act:
                return await self._ask(key, run, act)
            case Delete() as act:
                await self._delete(key, act, grace_seconds(pod))
                self._story.acted(run, of_act(run, act))
            case Forget() as act:
                self._story.acted(run, of_act(run, act))
                await self._forget(key, run)
        return decided.again_in

    async def _ask(self, key: Key, run: TaskRun, act: Ask) -> float:
        answer: Answer | NoAnswer
        try:
            answer = await self._server.attempt(act.uid)
            self._metrics.asked("answered" if answer.state else "unknown")
        except Silent as e:
            again_at = datetime.now(UTC) + timedelta(seconds=backoff.scattered(_ASK_AGAIN_SECONDS))
            answer = NoAnswer(str(e), again_at)
            self._metrics.asked("silent")
        self._story.acted(run, of_answer(act.uid, answer))
        self._answers[key] = (run.status.attempt, answer)
        return 0.0

    def _forget_notes(self, key: Key) -> None:
        self._refused.pop(key, None)
        self._answers.pop(key, None)
        self._moments.pop(key, None)
        self._story.forget(key)

    async def _write(self, key: Key, body: Any, run: TaskRun, status: Status) -> Any:
        try:
            new_body = await self._cluster.write_status(body, msgspec.to_builtins(status))
        except errors.NotFound:
            self._sightings.forget(key)
            raise
        except errors.Conflict:
            # Somebody wrote first, or what we have seen is old: read it again.
            self._sightings.saw_run(await self._cluster.taskrun(key.namespace, key.name))
            raise
        self._sightings.saw_run(new_body)
        self._metrics.status_written(run.status, status)
        self._story.changed(run, status)
        for event in events.of_change(run, status, self._component):
            await self._post(key, event)
        return new_body

    async def _post(self, key: Key, event: dict[str, Any]) -> None:
        try:
            await self._cluster.create_event(key.namespace, event)
            self._metrics.event("posted")
        except errors.KubernetesError as e:
            # An Event may be lost: the status has everything that matters.
            self._metrics.event("lost")
            log.info("event not posted", extra={"namespace": key.namespace, "taskrun": key.name, "error": str(e)})

    # --- making pods ---

    def _refusal(self, key: Key, run: TaskRun, now: datetime) -> Refusal | None:
        """Returns why the present attempt's pod cannot be made: by its spec, or by the API server's last answer."""
        if not run.attempt_open or run.status.pod_ref is not None:
            return None
        if why := manifest.impossible(run, self._pods):
            return Refusal(Reason.INVALID_POD, why, now, final=True)
        refused = self._refused.get(key)
        return refused.refusal if refused is not None and refused.attempt == run.status.attempt else None

    async def _create(self, key: Key, run: TaskRun, act: Create) -> float:
        if (wait := self._pace.wait(self._clock())) > 0:
            return wait
        before = self._refused.get(key)
        now = datetime.now(UTC)
        trace = self._tracing.environment(run, act.attempt)
        body = manifest.manifest(run, act.attempt, self._pods, self._ca_pem(run), self._logs, trace)
        try:
            pod = await self._cluster.create_pod(key.namespace, body)
        except errors.Conflict:
            # The pod exists already: this operator made it before it died, or another operator or somebody else did.
            pod = await self._cluster.pod(key.namespace, run.pod_name(act.attempt))
            self._sightings.saw_pod(pod)
            if self._sightings.pod(key, run.pod_name(act.attempt)) is None:
                text = f"a pod named {pod['metadata']['name']} exists already"
                self._refused[key] = Refused(act.attempt, Refusal(Reason.INVALID_POD, text, now, final=True), 0.0)
            return 0.0
        except errors.KubernetesError as e:
            pause = min((before.pause * 2) if before else _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
            pause = e.retry_after or pause
            again_at = now + timedelta(seconds=backoff.scattered(pause))
            self._refused[key] = Refused(act.attempt, refusal_of(e, again_at), pause)
            return 0.0
        self._refused.pop(key, None)
        self._sightings.saw_pod(pod)
        self._metrics.pod_made(act.attempt, (datetime.now(UTC) - (run.times.seen_at or now)).total_seconds())
        return 0.0

    async def _delete(self, key: Key, act: Delete, grace: int | None = None) -> None:
        try:
            await self._cluster.delete_pod(key.namespace, act.name, act.uid, grace)
        except (errors.NotFound, errors.Conflict):
            # It is gone, or another has its name by now: neither is ours to delete.
            self._sightings.lost_pod(key, act.name)

    async def _forget(self, key: Key, run: TaskRun) -> None:
        try:
            await self._cluster.delete_taskrun(key.namespace, key.name, run.uid)
        except (errors.NotFound, errors.Conflict):
            self._sightings.forget(key)

    def _say_unreadable(self, body: Any, error: Exception) -> None:
        mark = (body["metadata"]["uid"], body["metadata"]["resourceVersion"])
        if mark not in self._unreadable:
            self._unreadable.add(mark)
            named = {"namespace": body["metadata"]["namespace"], "taskrun": body["metadata"]["name"], "uid": mark[0]}
            log.error("a TaskRun that this operator cannot read", extra=named | {"error": str(error)})


def grace_seconds(pod: PodFacts | None) -> int | None:
    """
    Returns the grace period for deleting a pod; None for the TaskRun's own. If the runner's container cannot be made,
    there is no user code to wait for, and a starting sidecar may miss the signal to end. If it has ended, containers of
    others need no more time than the sidecar.
    """
    if pod is not None and pod.runner_ended is not None and pod.runner_ran:
        return _ENDED_SECONDS
    if pod is None or pod.runner_ran:
        return None
    complaint = pod.complaint is not None and pod.complaint.about in (About.IMAGE, About.CONFIG)
    return _NEVER_RAN_SECONDS if pod.pulling or pod.config or complaint else None


def refusal_of(error: errors.KubernetesError, again_at: datetime) -> Refusal:
    """Returns what a refused pod creation means for the TaskRun."""
    text = str(error)
    if isinstance(error, errors.NotAllowed):
        return Refusal(Reason.QUOTA_EXCEEDED if error.by_quota else Reason.FORBIDDEN, text, again_at)
    if isinstance(error, errors.Invalid):
        return Refusal(Reason.INVALID_POD, text, again_at, final=True)
    return Refusal(Reason.API_BUSY, text, again_at)


def strays(run: TaskRun, pods: list[PodFacts]) -> list[PodFacts]:
    """
    Returns live pods of attempts that are not the current one. An operator that had lost the Lease without knowing may
    have made such a pod. It gets no token and is deleted.
    """
    counts = run.status.pod_ref.uid if run.status.pod_ref else ""
    old = [p for p in pods if p.attempt < run.status.attempt or (counts and p.attempt == run.status.attempt)]
    return [p for p in old if p.owner == run.uid and p.uid != counts and not (p.dead or p.deleting)]
