"""
Turns kopf's events of TaskRuns and their pods into sightings and keys on the work queue.

It uses ``on.event`` handlers only. So kopf writes nothing of its own on the objects (no finalizer, no annotation, no
progress) and does not retry; the queue does.
"""

import time
from collections.abc import Callable
from typing import Any

import kopf

from airlock_operator.observe.podfacts import RUN_LABEL, PodFacts
from airlock_operator.observe.sightings import Json, Key, Sightings, key_of
from airlock_wire.taskrun import GROUP, PLURAL, VERSION

_REQUEST_SECONDS = 30.0
#: How long a TaskRun may wait after the event that its runner runs.
_RUNNING_SECONDS = 0.25


def patience(pod: PodFacts) -> float:
    """
    Returns the seconds that a TaskRun may wait after an event of its pod; another event makes it due at once. Pure.

    The event that the runner runs is only information, and it comes just before user code starts. Writing it at once
    would take CPU of a small node from user code.
    """
    running = pod.runner_started is not None and not (pod.dead or pod.deleting)
    return _RUNNING_SECONDS if running else 0.0


class Heard:
    """The time of the last event, and of the last one of each resource, in monotonic seconds."""

    def __init__(self) -> None:
        self.at = time.monotonic()
        self.of = dict.fromkeys((PLURAL, "pods", "events"), self.at)

    def note(self, resource: str) -> None:
        """Notes an event of a resource."""
        self.at = self.of[resource] = time.monotonic()


def registry(sightings: Sightings, enqueue: Callable[[Key, float], None], last_events: Heard, kubeconfig: str) -> Any:
    """Returns a registry of this operator's own; kopf's default one is a global of the process."""
    handlers = kopf.OperatorRegistry()

    async def on_taskrun(event: kopf.RawEvent, **_: Any) -> None:
        last_events.note(PLURAL)
        body: Json = dict(event["object"])
        meta, gone = body["metadata"], event["type"] == "DELETED"
        # What the operator has written or listed itself comes once more as an event.
        key = Key(meta["namespace"], meta["name"])
        if gone or not sightings.knows_run(key, meta["uid"], meta["resourceVersion"]):
            enqueue(sightings.saw_run(body, gone=gone), 0.0)

    async def on_pod(event: kopf.RawEvent, **_: Any) -> None:
        last_events.note("pods")
        body: Json = dict(event["object"])
        meta, gone = body["metadata"], event["type"] == "DELETED"
        key = key_of(meta)
        if key is None or (not gone and sightings.knows_pod(key, meta["name"], meta["uid"], meta["resourceVersion"])):
            return
        if sightings.saw_pod(body, gone=gone) is not None:
            pod = sightings.pod(key, event["object"]["metadata"]["name"])
            enqueue(key, 0.0 if pod is None else patience(pod))

    kopf.on.event(GROUP, VERSION, PLURAL, id="taskruns", registry=handlers)(on_taskrun)
    kopf.on.event("", "v1", "pods", id="pods", registry=handlers)(on_pod)
    credentials = kopf.login_with_kubeconfig if kubeconfig else kopf.login_with_service_account

    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return credentials(**kwargs)

    kopf.on.login(id="login", registry=handlers)(login)
    return handlers


class _NothingToCompare(kopf.DiffBaseStorage):
    """
    Keeps nothing of an object. By default kopf copies each one, to tell handlers later what changed, even if no handler
    asks; that took a third of this operator's CPU time.
    """

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:  # noqa: ARG002 - kopf's call
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002 - kopf's call
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Keeps nothing."""


def kopf_settings() -> kopf.OperatorSettings:
    """Returns kopf's settings."""
    settings = kopf.OperatorSettings()
    # CRDs and namespaces are not watched, so the operator needs no right to read them.
    settings.scanning.disabled = True
    settings.watching.label_selectors["v1", "pods"] = RUN_LABEL
    settings.watching.server_timeout = 300
    # Lists come in pages, so that an operator that starts does not hold ten thousand objects at a time.
    settings.watching.chunk_size = 200
    # A task of kopf's for each object would wait this long for another event of it.
    settings.queueing.idle_timeout = 0.1
    settings.networking.request_timeout = _REQUEST_SECONDS
    settings.posting.loggers = False
    settings.peering.standalone = True
    settings.persistence.diffbase_storage = _NothingToCompare()
    return settings


async def watch(handlers: Any, namespaces: list[str], ready: Any, stop: Any) -> None:
    """Watches until ``stop`` is set; raises if a watcher died."""
    await kopf.operator(
        registry=handlers,
        settings=kopf_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        ready_flag=ready,
        stop_flag=stop,
    )
