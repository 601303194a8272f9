"""The processes of a pod's containers, found on their node as the container runtime knows them."""

from __future__ import annotations

from typing import Any

from kube.kubectl import Kubectl

_CTR = ("ctr", "-n", "k8s.io")


def container_id(team: Kubectl, pod: str, container: str) -> str:
    """The runtime's id of a running container."""
    status = (team.get("pod", pod) or {})["status"]
    every = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    found = next(each for each in every if each["name"] == container)
    return str(found["containerID"]).removeprefix("containerd://")


def process_id(hooks: Any, team: Kubectl, pod: str, container: str) -> int:
    """The id, on the node, of a container's first process."""
    wanted = container_id(team, pod, container)
    for line in hooks.node_exec(*_CTR, "tasks", "ls").stdout.splitlines():
        words = line.split()
        if words and words[0] == wanted:
            return int(words[1])
    raise AssertionError(f"container {container} of pod {pod} runs no process")


def kill(hooks: Any, team: Kubectl, pod: str, container: str) -> None:
    """SIGKILL to a container's first process, from the node."""
    hooks.node_exec("kill", "-9", str(process_id(hooks, team, pod, container)))
