"""
The section: TaskRuns made at once, at rest, and adopted by another operator after the first was killed.

The cluster's own operator is stopped meanwhile. What is there at the end is compared with what was asked for, so that a
pod that was lost or made twice shows.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.scale.api import Api
from bench.scale.kubelet import LABEL, TOLERATIONS, Kubelet
from bench.scale.operator import SYSTEM, Operator
from bench.servers import BenchError

NAMESPACE = "airlock-scale"
_RUNS = f"/apis/airlock.dev/v1alpha1/namespaces/{NAMESPACE}/taskruns"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_DEPLOYMENT = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/airlock-operator"
_REST_SECONDS = 90.0
_MIB = 1024 * 1024


def section(scratch: Path, _count: int) -> str:
    """Returns the section's text; BENCH_SCALE is how many TaskRuns there are."""
    count = int(os.environ.get("BENCH_SCALE") or 10_000)
    api = Api()
    replicas = api.call("GET", _DEPLOYMENT)["spec"]["replicas"]
    api.call("PATCH", _DEPLOYMENT, {"spec": {"replicas": 0}})
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}, may=(409,))
    try:
        _until(lambda: not _operators(api), 120, "the cluster's own operator to stop")
        with Kubelet(api, NAMESPACE):
            return _measure(api, scratch, count)
    finally:
        _clear(api)
        api.call("PATCH", _DEPLOYMENT, {"spec": {"replicas": replicas}})


def _measure(api: Api, scratch: Path, count: int) -> str:
    first = Operator(api, scratch, NAMESPACE, "first")
    _until(lambda: first.logged("leading") is not None, 120, "the first operator to lead")
    empty = first.rss
    began = time.monotonic()
    _make(api, count)
    made_in = time.monotonic() - began
    _until(lambda: _pods(first) >= count, 3600, "every pod to be made", lambda: f"{_pods(first)} of {count}")
    pods_in = time.monotonic() - began
    _until(lambda: _states(api).get("running", 0) >= count, 3600, "every TaskRun to run", lambda: str(_states(api)))
    running_in = time.monotonic() - began
    making, making_late = first.cpu, first.late
    time.sleep(_REST_SECONDS)
    used = first.cpu - making
    at_rest, peak = first.rss, first.peak
    first.kill()
    second = Operator(api, scratch, NAMESPACE, "second")
    _until(lambda: second.logged("leading") is not None, 180, "the second operator to lead")
    _until(lambda: second.logged("listed everything") is not None, 600, "the second operator to list everything")
    _until(
        lambda: second.health()["queue"] == 0 or _only_later(second), 600, "the second operator to look at everything"
    )
    leading = second.logged("leading") or 0.0
    adopted = (second.logged("looked at everything listed") or time.time()) - leading
    time.sleep(30)
    pods = _named(api)
    doubled, lost = sum(number > 1 for number in pods.values()), count - len(pods)
    second_peak, second_late, slowest = second.peak, second.late, max(first.slowest, second.slowest)
    second.kill()
    rows = [
        ("TaskRuns", f"{count}"),
        ("made by this client in", f"{made_in:.0f} s"),
        ("their pods made in", f"{pods_in:.0f} s, {count / pods_in:.0f} a second"),
        ("all said to run after", f"{running_in:.0f} s"),
        ("operator, empty", f"{empty / _MIB:.0f} MiB"),
        ("operator, at rest", f"{at_rest / _MIB:.0f} MiB, {(at_rest - empty) / count / 1024:.1f} KiB each"),
        ("operator, at most", f"{peak / _MIB:.0f} MiB"),
        ("operator, at most after a kill", f"{second_peak / _MIB:.0f} MiB"),
        ("processor at rest", f"{100 * used / _REST_SECONDS:.1f} % of a core"),
        ("processor for making them", f"{making:.0f} s, {1000 * making / count:.1f} ms each"),
        ("adopted after the Lease was had", f"{adopted:.1f} s"),
        ("slowest probe", f"{slowest:.2f} s; {making_late + second_late} later than a second"),
        ("pods lost, made twice", f"{lost}, {doubled}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(["## an operator with many TaskRuns", "", *(f"{name:<{width}}  {value}" for name, value in rows)])


def _make(api: Api, count: int) -> None:
    def one(number: int) -> None:
        body = {
            "apiVersion": "airlock.dev/v1alpha1",
            "kind": "TaskRun",
            "metadata": {"name": f"run-{number}"},
            "spec": {
                "dagId": f"scale-{number}",
                "taskId": "work",
                "source": {"inline": "# " + "x" * 1000},
                "pod": {"nodeSelector": {LABEL: "true"}, "tolerations": TOLERATIONS},
            },
        }
        api.call("POST", _RUNS, body, may=(409,))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(count)))


def _pods(operator: Operator) -> int:
    return int(operator.health().get("pods", 0))


def _only_later(operator: Operator) -> bool:
    return operator.logged("looked at everything listed") is not None


def _states(api: Api) -> Counter[str]:
    return Counter((run.get("status") or {}).get("state", "") for run in _all(api, _RUNS))


def _named(api: Api) -> Counter[str]:
    """Counts the pods of each TaskRun."""
    return Counter(pod["metadata"]["labels"]["airlock.dev/taskrun"] for pod in _all(api, _PODS))


def _all(api: Api, path: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    token = ""
    while True:
        page = api.call("GET", f"{path}?limit=500{f'&continue={token}' if token else ''}")
        found += page["items"]
        token = page["metadata"].get("continue") or ""
        if not token:
            return found


def _operators(api: Api) -> list[dict[str, object]]:
    found = api.call("GET", f"/api/v1/namespaces/{SYSTEM}/pods?labelSelector=app.kubernetes.io/component%3Doperator")
    items: list[dict[str, object]] = found["items"]
    return items


def _clear(api: Api) -> None:
    """Deletes what the section made; pods of a played kubelet end only by force."""
    api.call("DELETE", _RUNS, may=(404,))
    api.call("DELETE", _PODS, {"gracePeriodSeconds": 0}, may=(404,))
    api.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}", may=(404, 409))


def _until(done: Callable[[], bool], seconds: float, what: str, seen: Callable[[], str] = str) -> None:
    ends = time.monotonic() + seconds
    while not done():
        if time.monotonic() > ends:
            raise BenchError(f"waited {seconds:.0f} s for {what}: {seen()}")
        time.sleep(1.0)
