"""
Turns of the operator's reconciler against a cluster that is played in memory: a TaskRun's whole life, step by step.
"""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from doubles.taskruns import pod_body

from airlock_operator.decide.case import Answer
from airlock_operator.decide.pace import Pace
from airlock_operator.decide.slots import Limits, Slots
from airlock_operator.kube import errors
from airlock_operator.observe.sightings import Sightings
from airlock_operator.reconciler import Reconciler
from airlock_operator.settings import NO_STORE, Pods
from airlock_operator.upstream.errors import Silent

Json = dict[str, Any]


class Cluster:
    """An API server: it takes every status and every pod. ``refuses`` is raised for a pod while it is set."""

    def __init__(self) -> None:
        self.taskruns: dict[str, Json] = {}
        self.pods: dict[str, Json] = {}
        self.refuses: errors.KubernetesError | None = None
        self.version = 100

    def _next(self) -> str:
        self.version += 1
        return str(self.version)

    def put(self, body: Json) -> Json:
        body["metadata"]["resourceVersion"] = self._next()
        self.taskruns[body["metadata"]["name"]] = body
        return body

    async def write_status(self, old: Json, status: Json) -> Json:
        return copy.deepcopy(self.put(copy.deepcopy(old) | {"status": status}))

    async def taskrun(self, _namespace: str, name: str) -> Json:
        if name not in self.taskruns:
            raise errors.NotFound(404, name)
        return copy.deepcopy(self.taskruns[name])

    async def delete_taskrun(self, _namespace: str, name: str, _uid: str) -> None:
        del self.taskruns[name]

    async def create_event(self, _namespace: str, _event: Json) -> None:
        pass

    async def create_pod(self, _namespace: str, pod: Json) -> Json:
        if self.refuses is not None:
            raise self.refuses
        name = pod["metadata"]["name"]
        pod["metadata"] |= {"uid": f"uid-of-{name}", "resourceVersion": self._next()}
        self.pods[name] = pod
        return copy.deepcopy(pod)

    async def pod(self, _namespace: str, name: str) -> Json:
        if name not in self.pods:
            raise errors.NotFound(404, name)
        return copy.deepcopy(self.pods[name])

    async def delete_pod(self, _namespace: str, name: str, _uid: str, _grace: int | None) -> None:
        self.pods[name]["metadata"] |= {"deletionTimestamp": "2026-11-21T12:00:00Z", "resourceVersion": self._next()}


class Server:
    """A server that is asked about attempts where ``answer`` is set; a text is why it is silent."""

    def __init__(self) -> None:
        self.answer: Answer | str | None = None
        self.away_since = ""

    @property
    def asks(self) -> bool:
        return self.answer is not None

    def away(self, *, airflow: bool) -> str:
        return self.away_since

    async def attempt(self, _pod_uid: str) -> Answer:
        if not isinstance(self.answer, Answer):
            raise Silent(str(self.answer))
        return self.answer


class Life:
    """One TaskRun's life. ``seconds`` is the operator's monotonic clock."""

    def __init__(self, body: Json, limits: Limits | None = None, **more: Any) -> None:
        self.cluster, self.server, self.sightings = Cluster(), Server(), Sightings()
        self.slots = Slots(limits or Limits())
        self.seconds = 1000.0
        self.key = self.sightings.saw_run(self.cluster.put(body))
        self.reconciler = Reconciler(
            self.cluster,  # type: ignore[arg-type]
            self.sightings,
            self.server,
            Pods(),
            NO_STORE,
            ca_pem=lambda _: "CA",
            component="airlock-operator",
            slots=self.slots,
            pace=Pace(0.0),
            wake=lambda _: None,
            clock=lambda: self.seconds,
            **more,
        )
        self.reconciler.take_over()

    @property
    def status(self) -> Json:
        """The status as it is now."""
        found: Json = self.cluster.taskruns[self.key.name]["status"]
        return found

    def turns(self, most: int = 12) -> None:
        """Turns until nothing is due at once."""

        async def go() -> None:
            for _ in range(most):
                if await self.reconciler.turn(self.key) != 0.0:
                    return

        asyncio.run(go())

    def wait(self, seconds: float) -> None:
        """Lets so many seconds pass, and turns."""
        self.seconds += seconds
        self.turns()

    def pod(self, attempt: int = 1, **facts: Any) -> None:
        """Shows the attempt's pod in a state, and turns."""
        shown = pod_body(attempt=attempt, uid=f"uid-of-hello-{attempt}", **facts)
        shown["metadata"]["resourceVersion"] = self.cluster._next()
        self.cluster.pods[shown["metadata"]["name"]] = shown
        self.sightings.saw_pod(shown)
        self.turns()

    def change(self, **spec: Any) -> None:
        """Changes the TaskRun's spec, and turns."""
        body = copy.deepcopy(self.cluster.taskruns[self.key.name])
        body["spec"] |= spec
        self.sightings.saw_run(self.cluster.put(body))
        self.turns()

    def delete(self) -> None:
        """Deletes the TaskRun, as the watch shows it."""
        self.sightings.saw_run(self.cluster.taskruns.pop(self.key.name), gone=True)
        self.turns()
