"""A played kubelet: nodes that are never full, on which pods run as soon as they are bound."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Self

from bench.scale.api import Api

#: Nodes and how many pods each takes.
NODES, ROOM = 12, "2000"
LABEL = "airlock.dev/played"
TOLERATIONS = [{"key": LABEL, "operator": "Exists"}]
_HEARTBEAT_SECONDS = 15.0
_WATCH_SECONDS = 300


class Kubelet:
    """``with Kubelet(...)`` plays it for the pods of a namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(8)
        self._seen_uids: set[str] = set()

    def __enter__(self) -> Self:
        for number in range(NODES):
            self._api.call("POST", "/api/v1/nodes", _node(number), may=(409,))
        self._beat()
        for work in (self._heartbeats, self._watch):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for number in range(NODES):
            self._api.call("DELETE", f"/api/v1/nodes/played-{number}", may=(404,))

    def _heartbeats(self) -> None:
        while not self._stop.wait(_HEARTBEAT_SECONDS):
            self._beat()

    def _beat(self) -> None:
        for number in range(NODES):
            ready = {"type": "Ready", "status": "True", "reason": "Played", "lastHeartbeatTime": _now()}
            room = {"pods": ROOM, "cpu": "1000", "memory": "4000Gi", "ephemeral-storage": "4000Gi"}
            status = {"status": {"conditions": [ready], "capacity": room, "allocatable": room}}
            self._api.call("PATCH", f"/api/v1/nodes/played-{number}/status", status, may=(404,))

    def _watch(self) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        while not self._stop.is_set():
            for event in self._api.watch(path, _WATCH_SECONDS):
                if self._stop.is_set():
                    return
                meta = event["object"].get("metadata") or {}
                bound = (event["object"].get("spec") or {}).get("nodeName")
                if event["type"] in ("ADDED", "MODIFIED") and bound and meta["uid"] not in self._seen_uids:
                    self._seen_uids.add(meta["uid"])
                    self._pool.submit(self._run, meta["name"])

    def _run(self, pod: str) -> None:
        now = _now()
        running = {"running": {"startedAt": now}}
        status = {
            "phase": "Running",
            "startTime": now,
            "initContainerStatuses": [_container("sidecar", running)],
            "containerStatuses": [_container("runner", running)],
        }
        self._api.call(
            "PATCH", f"/api/v1/namespaces/{self._namespace}/pods/{pod}/status", {"status": status}, may=(404,)
        )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _node(number: int) -> dict[str, Any]:
    name = f"played-{number}"
    taint = {"key": LABEL, "value": "true", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {LABEL: "true", "kubernetes.io/hostname": name}},
        "spec": {"taints": [taint]},
    }


def _container(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "state": state,
        "ready": True,
        "started": True,
        "restartCount": 0,
        "image": "i",
        "imageID": "i",
    }
