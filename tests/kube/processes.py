"""The first process of a pod's container, for a test that knows the pod by its name."""

from __future__ import annotations

from typing import Any

from kube.kubectl import Kubectl

from cluster import containers


def process_id(hooks: Any, team: Kubectl, pod: str, container: str) -> int:
    """The id, on the node, of a container's first process."""
    return containers.process_id(hooks, team.get("pod", pod) or {}, container)


def kill(hooks: Any, team: Kubectl, pod: str, container: str) -> None:
    """SIGKILL to a container's first process, from the node."""
    hooks.node_exec("kill", "-9", str(process_id(hooks, team, pod, container)))
