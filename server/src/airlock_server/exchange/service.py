"""
Exchanges a pod's token for its task's, from the bearer token to the answer, with the cheapest checks first.

A request that can be refused without Kubernetes is refused without it. Every request ends in one audit line, which
names the pod and never the token.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec

from airlock_server.exchange import pod_token
from airlock_server.exchange.admission import Reason, Refusal, judge
from airlock_server.exchange.limits import Rate, RefusedTokens
from airlock_server.exchange.pod_token import NotAPod, Pod, Unusable
from airlock_server.keys.tokens import Tokens
from airlock_server.kube import taskruns
from airlock_server.kube.client import Client
from airlock_server.kube.errors import ClusterError, Forbidden
from airlock_server.kube.taskruns import User
from airlock_server.launching.taskruns import closing
from airlock_server.rules.attempts import Attempt, Claim, Known, OwnedBy, RunBy, Superseded
from airlock_server.settings import ExchangeSettings
from airlock_server.store import attempts
from airlock_server.store.engine.database import Engine
from airlock_server.store.run_keys import run_id_of
from airlock_wire.pod import OPERATOR_AUDIENCE, TOKEN_AUDIENCE
from airlock_wire.workload import Exchanged, TaskInstanceRef

audit = logging.getLogger("airlock.audit")

T = TypeVar("T")

#: How many requests may wait for Kubernetes, for each call under way.
_WAITING_PER_CONNECTION = 16
#: Seconds that a sidecar is told to wait if Kubernetes is away or too many sidecars ask.
_RETRY_SECONDS = 2


class Trail(msgspec.Struct):
    """The facts about a request so far, for its audit line."""

    address: str
    username: str = ""
    pod: Pod | None = None
    taskrun_uid: str = ""


class Exchange:
    """
    The service, for one event loop. Without ``namespaces`` it serves all. ``operator`` is the account of the operator,
    as Kubernetes names it; nobody may ask about attempts if it is empty. ``by_grant``: tasks use only assets that were
    granted to their namespace.
    """

    def __init__(
        self,
        client: Client,
        connections: int,
        db: Engine,
        tokens: Tokens,
        settings: ExchangeSettings,
        namespaces: tuple[str, ...] = (),
        operator: str = "",
        *,
        by_grant: bool = False,
    ) -> None:
        self._client = client
        self._db = db
        self._tokens = tokens
        self._namespaces = namespaces
        self._operator = operator
        self._by_grant = by_grant
        self._rate = Rate(settings.burst, settings.per_second)
        self._refused = RefusedTokens(settings.refused_seconds)
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="kubernetes")
        self._most = connections * (1 + _WAITING_PER_CONNECTION)
        self._asking = 0

    async def exchange(self, token: str | None, address: str) -> Exchanged | Refusal:
        """Returns the task's token, or why the pod may not have it."""
        trail, began = Trail(address), time.perf_counter()
        answer = await self._answer(token, trail)
        _audit(trail, answer, time.perf_counter() - began)
        return answer

    def close(self) -> None:
        """Waits for the calls under way, each of which has a timeout."""
        self._pool.shutdown(cancel_futures=True)

    async def known(self, token: str | None, address: str, pod_uid: str) -> Known | Refusal | None:
        """
        Returns what the store knows of a pod's attempt, for the operator alone; None if the pod was never given a
        token.
        """
        trail = Trail(address)
        user = await self._vouched_for(token, OPERATOR_AUDIENCE, trail)
        if isinstance(user, Refusal):
            return user
        if not self._operator or user.username != self._operator:
            message = f"{user.username!r} may not ask about attempts ([kubernetes] operator_account)"
            audit.warning("attempt", extra={"outcome": "refused", "who": user.username, "address": address})
            return Refusal(Reason.DENIED, message)
        return await self._db.aread(partial(attempts.known, pod_uid=pod_uid))

    async def _answer(self, token: str | None, trail: Trail) -> Exchanged | Refusal:
        user = await self._vouched_for(token, TOKEN_AUDIENCE, trail)
        if isinstance(user, Refusal):
            return user
        try:
            pod = trail.pod = pod_token.pod_of(user.username, user.extra)
        except NotAPod as e:
            return Refusal(Reason.DENIED, str(e))
        if self._namespaces and pod.namespace not in self._namespaces:
            return Refusal(
                Reason.DENIED, f"this server does not serve namespace {pod.namespace!r} ([kubernetes] namespaces)"
            )
        run = await self._from_kubernetes(taskruns.get, pod.namespace, pod.taskrun)
        if isinstance(run, Refusal):
            return run
        claim = judge(pod, run)
        if isinstance(claim, Refusal):
            return claim
        trail.taskrun_uid = claim.taskrun_uid
        return await self._admit(claim)

    async def _vouched_for(self, token: str | None, audience: str, trail: Trail) -> User | Refusal:
        """Returns the owner of a token, which Kubernetes confirms, with the cheapest checks first."""
        if token is None:
            return Refusal(Reason.BAD_TOKEN, "there is no bearer token; send the pod's projected token")
        try:
            pod_token.check(token, audience, time.time())
        except Unusable as e:
            return Refusal(Reason.BAD_TOKEN, str(e))
        now = time.monotonic()
        if (why := self._refused.why(token, now)) is not None:
            return Refusal(Reason.BAD_TOKEN, why)
        if seconds := self._rate.wait(trail.address, now):
            message = f"{trail.address} asks too often ([exchange] burst and per_second)"
            return Refusal(Reason.TOO_MANY, message, retry_after=int(seconds) + 1)
        user = await self._from_kubernetes(taskruns.review, token, audience)
        if isinstance(user, Refusal):
            return user
        if isinstance(user, str):
            self._refused.add(token, user, time.monotonic())
            return Refusal(Reason.BAD_TOKEN, user)
        trail.username = user.username
        return user

    async def _admit(self, claim: Claim) -> Exchanged | Refusal:
        admitted = await self._db.awrite(partial(attempts.admit, claim=claim, by_grant=self._by_grant))
        if isinstance(admitted, RunBy) and admitted.uid:
            # People often delete a TaskRun and make it again, so the old one is checked now and not at its next turn.
            other = await self._from_kubernetes(taskruns.get, admitted.namespace, admitted.name)
            if isinstance(other, Refusal):
                return other
            standing = None if other is None or other.metadata.uid != admitted.uid else other.status
            if standing is None or (other is not None and other.over):
                await self._db.awrite(partial(closing.close, taskrun_uid=admitted.uid, status=standing))
                admitted = await self._db.awrite(partial(attempts.admit, claim=claim, by_grant=self._by_grant))
        return self._worded(admitted, claim)

    def _worded(self, admitted: Attempt | Superseded | OwnedBy | RunBy, claim: Claim) -> Exchanged | Refusal:
        task = claim.key
        match admitted:
            case Superseded():
                return Refusal(Reason.SUPERSEDED, admitted.why)
            case OwnedBy():
                return Refusal(
                    Reason.DENIED,
                    f"DAG {task.dag_id!r} belongs to {admitted.owner!r}; a TaskRun in namespace {claim.namespace!r} "
                    "needs a spec.dagId of its own",
                )
            case RunBy():
                runner = f"TaskRun {admitted.namespace}/{admitted.name}" if admitted.uid else "the server's own machine"
                return Refusal(
                    Reason.DENIED,
                    f"task {task.task_id!r} of DAG run {task.run_id!r} is run by {runner}; wait for its end, or give "
                    "this TaskRun another spec.runId",
                )
        key = admitted.key
        task_instance = TaskInstanceRef(
            id=admitted.ti_id,
            dag_id=key.dag_id,
            task_id=key.task_id,
            run_id=run_id_of(key.run_id),
            try_number=admitted.try_number,
            map_index=key.map_index,
            dag_version_id=admitted.dag_version_id,
        )
        token = self._tokens.mint_for_pod(admitted.ti_id, admitted.pod_uid, admitted.taskrun_uid, admitted.try_number)
        return Exchanged(token=token, task_instance=task_instance)

    async def _from_kubernetes(self, call: Callable[..., T], *arguments: Any) -> T | Refusal:
        """
        Calls Kubernetes in a thread of the pool; returns a Refusal where too many wait for one, or it cannot be asked.
        """
        if self._asking >= self._most:
            return Refusal(Reason.API_BUSY, "too many pods wait for Kubernetes; ask again", retry_after=_RETRY_SECONDS)
        self._asking += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call, self._client, *arguments)
        except ClusterError as e:
            fix = "; the server's service account lacks a rule" if isinstance(e, Forbidden) else ""
            return Refusal(Reason.API_BUSY, f"Kubernetes cannot be asked: {e}{fix}", retry_after=_RETRY_SECONDS)
        finally:
            self._asking -= 1


def _audit(trail: Trail, answer: Exchanged | Refusal, seconds: float) -> None:
    pod = trail.pod
    fields: dict[str, Any] = {
        "outcome": "granted" if isinstance(answer, Exchanged) else "refused",
        "reason": "" if isinstance(answer, Exchanged) else answer.reason.value,
        "why": "" if isinstance(answer, Exchanged) else answer.message,
        "who": trail.username,
        "address": trail.address,
        "pod": "" if pod is None else f"{pod.namespace}/{pod.name}",
        "pod_uid": "" if pod is None else pod.uid,
        "taskrun": "" if pod is None else f"{pod.namespace}/{pod.taskrun}",
        "taskrun_uid": trail.taskrun_uid,
        "ti_id": answer.task_instance.id if isinstance(answer, Exchanged) else "",
        "milliseconds": round(seconds * 1000, 1),
    }
    audit.info("exchange", extra=fields)
