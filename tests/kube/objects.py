"""Plain Kubernetes objects that tests make beside TaskRuns."""

from __future__ import annotations

from typing import Any


def restricted(uid: int) -> dict[str, Any]:
    """The security context of a container that the ``restricted`` Pod Security level lets in."""
    return {
        "runAsUser": uid,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def config_map(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, data: dict[str, str]) -> dict[str, Any]:
    """``data`` is plain text."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def server(name: str, port: int, container: dict[str, Any], **spec: Any) -> list[dict[str, Any]]:
    """A pod of one container that listens, ready once it does, and the service of its name."""
    ready = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    whole = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": name, "readinessProbe": ready} | container],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": whole | spec}
    return [pod, service(name, port)]


def service(name: str, port: int) -> dict[str, Any]:
    """The service of a pod of this name."""
    spec = {"selector": {"app": name}, "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
