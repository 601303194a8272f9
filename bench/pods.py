"""
A TaskRun on a real cluster against two bare pods of the same images and volumes: how much of its start is ours.

(a) the runner image's interpreter printing the clock; (b) the same beside an idle sidecar that has done its imports;
and the TaskRun. All interleaved on a quiet node, by the node's clock, from before the object is sent to the API server.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.profile import LEAN
from bench.servers import BenchError
from bench.tables import number, spread

NAMESPACE = "airlock-bench"
#: Where TaskRuns are, for the client.
PLACE = ("airlock.dev", "v1alpha1", NAMESPACE, "taskruns")
RUNNER = "airlock/runner:0.1.0"
_SECONDS = 120.0
#: Between two pods: a kubelet clears the last one away for about a second, and a larger one for longer.
_QUIET_SECONDS = 2.0
_CLOCK = "import time; print('clock', time.time(), flush=True)"
#: A native sidecar that imports what ours imports, as ours does, and then waits for its SIGTERM. Held back first: the
#: first process of a container is not sent a signal that it neither handles nor holds back.
_IDLE = (
    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
    f"{LEAN}airlock_sidecar.process\n"
    "import airlock_sidecar.upstream.api, ssl; signal.sigwait({signal.SIGTERM})"
)
_DAG = """
import time
from airlock.sdk import DAG, task
with DAG("{name}"):
    @task
    def work():
        print("clock", time.time())
    work()
"""


#: Whether an object, as the API server gives it, is over.
Over = Callable[[dict[str, Any]], bool]


class Sample:
    """Seconds from before the object was sent to the first user line, and to its end as the API server tells it."""

    def __init__(self, first_line: float, finished: float) -> None:
        self.first_line = first_line
        self.finished = finished


class Bench:
    """One client of the API server for all of them, so that it costs each the same."""

    def __init__(self) -> None:
        from kubernetes import client, config

        if not os.environ.get("KUBECONFIG"):
            raise BenchError("it needs a cluster: type `make up`, and the line that it prints")
        config.load_kube_config()
        self.core = client.CoreV1Api()
        self.custom = client.CustomObjectsApi()
        self._prepare(client)

    def _prepare(self, client: Any) -> None:
        try:
            self.core.create_namespace({"metadata": {"name": NAMESPACE}})
        except client.ApiException as e:
            if e.status != 409:
                raise BenchError(f"namespace {NAMESPACE}: {e.reason}") from e
        time.sleep(1)

    def pod(self, name: str, spec: dict[str, Any]) -> Sample:
        """Measures a bare pod."""
        body = {"metadata": {"name": name}, "spec": spec}
        began = time.time()
        self.core.create_namespaced_pod(NAMESPACE, body)

        finished = self._until(over_pod, self.core.list_namespaced_pod, NAMESPACE, name=name) - began
        return Sample(self._first_line(name, "runner") - began, finished)

    def taskrun(self, name: str) -> Sample:
        """Measures a TaskRun."""
        body = body_of(name)
        began = time.time()
        self.custom.create_namespaced_custom_object(*PLACE, body)
        finished = self._until(over_taskrun, self.custom.list_namespaced_custom_object, *PLACE, name=name) - began
        first = self._first_line(f"{name}-1", "sidecar") - began
        self.custom.delete_namespaced_custom_object(*PLACE, name)
        return Sample(first, finished)

    def forget(self, name: str) -> None:
        """Deletes a bare pod."""
        self.core.delete_namespaced_pod(name, NAMESPACE, grace_period_seconds=0)

    def _until(self, over: Over, listing: Callable[..., Any], *place: str, name: str) -> float:
        """
        Returns the time at which the API server said that an object was over. It watches: a client that polls competes
        for CPU with what it measures.
        """
        from kubernetes import watch

        only = f"metadata.name={name}"
        events = watch.Watch().stream(listing, *place, field_selector=only, timeout_seconds=int(_SECONDS))
        for event in events:
            if over(event["raw_object"]):
                return time.time()
        raise BenchError(f"{name} is not over after {_SECONDS:g} s")

    def _first_line(self, pod: str, container: str) -> float:
        text = self.core.read_namespaced_pod_log(pod, NAMESPACE, container=container)
        match = re.search(r"clock (\d+\.\d+)", text)
        if match is None:
            raise BenchError(f"pod {pod} printed no clock: {text[:300]}")
        return float(match.group(1))


def body_of(name: str) -> dict[str, Any]:
    """Returns a TaskRun."""
    spec = {"dagId": name, "taskId": "work", "image": RUNNER, "source": {"inline": _DAG.format(name=name)}}
    return {"apiVersion": "airlock.dev/v1alpha1", "kind": "TaskRun", "metadata": {"name": name}, "spec": spec}


def over_pod(pod: dict[str, Any]) -> bool:
    """Tells whether a pod is over."""
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def over_taskrun(taskrun: dict[str, Any]) -> bool:
    """Tells whether a TaskRun is over; raises BenchError if it failed."""
    status = taskrun.get("status") or {}
    if status.get("state") == "failed":
        raise BenchError(f"TaskRun {taskrun['metadata']['name']}: {status.get('reason')}: {status.get('message')}")
    return bool(status.get("finishedAt"))


def bare(*, sidecar: bool) -> dict[str, Any]:
    """Returns the spec of a bare pod with the TaskRun pod's images, users and volumes."""
    from airlock_operator.observe.taskrun import read
    from airlock_operator.pod.manifest import manifest
    from airlock_operator.settings import Pods

    run = read(
        {
            "metadata": {
                "namespace": NAMESPACE, "name": "x", "uid": "u", "resourceVersion": "1",
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {"dagId": "d", "taskId": "t", "image": RUNNER, "source": {"inline": "x"}},
        }
    )  # fmt: skip
    spec: dict[str, Any] = manifest(run, 1, Pods(), "")["spec"]
    runner, native = spec["containers"][0], spec["initContainers"][0]
    runner |= {"command": ["python", "-c", _CLOCK], "args": []}
    native |= {"command": ["python", "-c", _IDLE], "env": []}
    # The admission policies keep a token of our audience to the operator's pods; any other costs a kubelet the same.
    for volume in spec["volumes"]:
        for source in volume.get("projected", {}).get("sources", []):
            source["serviceAccountToken"]["audience"] = "bench"
        if "downwardAPI" in volume:
            volume["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"] = "metadata.name"
    if not sidecar:
        del spec["initContainers"]
    return spec


def section(_: Path, pairs: int) -> str:
    """Returns the figures, as Markdown."""
    bench = Bench()
    kinds: dict[str, list[Sample]] = {"a": [], "b": [], "ours": []}
    stamp = f"{int(time.time()):x}"
    for number_ in range(pairs + 1):
        # There and back, so that none always follows the same one.
        for kind in ("a", "b", "ours") if number_ % 2 else ("ours", "b", "a"):
            name = f"bench-{stamp}-{kind}-{number_}"
            sample = bench.taskrun(name) if kind == "ours" else bench.pod(name, bare(sidecar=kind == "b"))
            if kind != "ours":
                bench.forget(name)
            # The first of each fills caches.
            if number_:
                kinds[kind].append(sample)
            time.sleep(_QUIET_SECONDS)
    rows = []
    for what, attribute in (("to the first user line", "first_line"), ("to finished", "finished")):
        samples = {kind: [getattr(s, attribute) for s in series] for kind, series in kinds.items()}
        ours, theirs = statistics.median(samples["ours"]), statistics.median(samples["b"])
        verdict = ("met" if ours <= 1.15 * theirs else "MISSED") if attribute == "first_line" else ""
        cells = [what, *(spread(samples[kind]) for kind in ("a", "b", "ours")), f"{ours / theirs:.2f}x", verdict]
        rows.append(f"| {' | '.join(cells)} |")
    return f"""## A TaskRun against bare pods

{pairs} interleaved rounds; seconds from before the create call, median (min-max). Target: at most 1.15x of (b) to the
first user line.

| applied ... | (a) bare pod | (b) beside an idle sidecar | TaskRun | of (b) | |
|---|---|---|---|---|---|
{chr(10).join(rows)}

{_costs(f"bench-{stamp}-ours")}
"""


def _costs(prefix: str) -> str:
    """Writes to the API server per TaskRun, and the operator's memory, where the cluster has hooks."""
    from cluster.containers import process_id
    from cluster.hooks import connect

    hooks = connect()
    if hooks is None:
        return "API writes and memory: not measured, this cluster has no hooks."
    writes: dict[str, int] = {}
    names = set()
    for entry in hooks.audit_log():
        user, ref = (entry.get("user") or {}).get("username", ""), entry.get("objectRef") or {}
        subject = str(ref.get("name") or json.dumps(entry.get("requestObject") or {}))
        if not user.endswith(":airlock-operator") or entry["verb"] in ("get", "list", "watch") or prefix not in subject:
            continue
        resource = "/".join(filter(None, (ref.get("resource"), ref.get("subresource"))))
        writes[f"{entry['verb']} {resource}"] = writes.get(f"{entry['verb']} {resource}", 0) + 1
        if ref.get("resource") == "taskruns" and ref.get("name", "").startswith(prefix):
            names.add(ref["name"])
    each = ", ".join(f"{what} {count / max(1, len(names)):.1f}" for what, count in sorted(writes.items()))
    leader = _get(hooks, "lease/airlock-operator")["spec"]["holderIdentity"]
    (server, *_) = _get(hooks, "pods", "--selector=app.kubernetes.io/component=server")["items"]
    memory = []
    for pod, container in ((_get(hooks, f"pod/{leader}"), "operator"), (server, "server")):
        pid = process_id(hooks, pod, container)
        rollup = hooks.node_exec("cat", f"/proc/{pid}/smaps_rollup").stdout
        match = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        memory.append(f"{container} {number(int(match.group(1)) / 1024) if match else '?'} MB PSS")
    return f"API writes per TaskRun ({len(names)}): {each}. Memory after it: {', '.join(memory)}."


def _get(hooks: Any, *words: str) -> Any:
    """Returns what kubectl reads in the namespace of the operator and the server."""
    return json.loads(hooks.kubectl("--namespace=airlock-system", "get", *words, "--output=json"))
