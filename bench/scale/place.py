"""The namespace of these sections, without the cluster's own operator, and TaskRuns in it."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.scale.api import Api
from bench.scale.kubelet import LABEL, TOLERATIONS
from bench.scale.operator import SYSTEM
from bench.servers import BenchError

NAMESPACE = "airlock-scale"
RUNS = f"/apis/airlock.dev/v1alpha1/namespaces/{NAMESPACE}/taskruns"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
MIB = 1024 * 1024
_DEPLOYMENT = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/airlock-operator"


@contextlib.contextmanager
def alone(api: Api) -> Iterator[None]:
    """Stops the cluster's own operator inside the block, and removes what the section made after it."""
    replicas = api.call("GET", _DEPLOYMENT)["spec"]["replicas"]
    api.call("PATCH", _DEPLOYMENT, {"spec": {"replicas": 0}})
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}, may=(409,))
    try:
        until(lambda: not _operators(api), 120, "the cluster's own operator to stop")
        yield
    finally:
        _clear(api)
        api.call("PATCH", _DEPLOYMENT, {"spec": {"replicas": replicas}})


def make(api: Api, names: list[str], *, node: str = "true") -> None:
    """Makes TaskRuns, eight at a time, for the played nodes; for no node where ``node`` is another word."""

    def one(name: str) -> None:
        body = {
            "apiVersion": "airlock.dev/v1alpha1",
            "kind": "TaskRun",
            "metadata": {"name": name},
            "spec": {
                "dagId": f"scale-{name}",
                "taskId": "work",
                "source": {"inline": "# " + "x" * 1000},
                "pendingTimeout": "2h",
                "pod": {"nodeSelector": {LABEL: node}, "tolerations": TOLERATIONS},
            },
        }
        api.call("POST", RUNS, body, may=(409,))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, names))


def everything(api: Api, path: str) -> list[dict[str, Any]]:
    """Returns all objects of a list, which comes page by page."""
    items: list[dict[str, Any]] = []
    token = ""
    while True:
        page = api.call("GET", f"{path}?limit=500{f'&continue={token}' if token else ''}")
        items += page["items"]
        token = page["metadata"].get("continue") or ""
        if not token:
            return items


def counted(api: Api, field: str) -> Counter[str]:
    """Counts the TaskRuns by a field of their status."""
    return Counter((run.get("status") or {}).get(field, "") for run in everything(api, RUNS))


def until(done: Callable[[], bool], seconds: float, what: str, progress: Callable[[], str] = str) -> None:
    """Waits; raises BenchError after ``seconds``, with what ``progress`` says."""
    ends = time.monotonic() + seconds
    while not done():
        if time.monotonic() > ends:
            raise BenchError(f"waited {seconds:.0f} s for {what}: {progress()}")
        time.sleep(1.0)


def table(title: str, rows: list[tuple[str, str]]) -> str:
    """Returns a section's text."""
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"## {title}", "", *(f"{name:<{width}}  {value}" for name, value in rows)])


def _operators(api: Api) -> list[dict[str, Any]]:
    listed = api.call("GET", f"/api/v1/namespaces/{SYSTEM}/pods?labelSelector=app.kubernetes.io/component%3Doperator")
    items: list[dict[str, Any]] = listed["items"]
    return items


def _clear(api: Api) -> None:
    """Deletes what the section made; pods of a played kubelet end only by force."""
    api.call("DELETE", RUNS, may=(404,))
    api.call("DELETE", PODS, {"gracePeriodSeconds": 0}, may=(404,))
    api.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}", may=(404, 409))
