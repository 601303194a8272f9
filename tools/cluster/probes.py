"""Pods of the shape that Airlock makes, to probe a cluster with, before there is an Airlock in it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar

from cluster.commands import CommandError
from cluster.hooks import Hooks

T = TypeVar("T")

NAMESPACE = "cluster-itself"
#: The token's volume. Names that begin with `airlock-` are the operator's.
TOKEN = "probe-token"


def eventually(true: Callable[[], T], seconds: float = 60.0) -> T:
    """Asks until an answer is true and returns it; fails with the last one."""
    until = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < until:
        try:
            answer = true()
        except CommandError as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:g} s; the last answer was {last!r}")


def container(name: str, uid: int, code: str, **more: Any) -> dict[str, Any]:
    """
    Returns a container of one of our images that runs Python code, as the `restricted` Pod Security level wants it.
    """
    restricted = {
        "runAsUser": uid, "runAsGroup": uid, "runAsNonRoot": True, "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    image = "sidecar" if name == "sidecar" else "runner"
    command = ["python", "-c", code]
    return {"name": name, "image": f"airlock/{image}:0.1.0", "command": command, "securityContext": restricted} | more


IDLE_SIDECAR = (
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); "
    "print('listening', flush=True); time.sleep(3600)"
)


class Pods:
    """
    Pods of the shape that Airlock makes: a native sidecar with the projected token, and a runner without.

    The token's ``audience`` is Airlock's on a cluster that has no Airlock yet. Where its admission policy guards that
    audience a probe has no right to it, and takes another: to the API server it is a word like any other.
    """

    def __init__(self, cluster: Hooks) -> None:
        self.cluster = cluster
        # No two runs share a name: the audit log remembers all of them.
        self.prefix = f"probe-{secrets.token_hex(3)}"
        self.number = 0
        guards = cluster.kubectl("get", "validatingadmissionpolicies", "--output=name")
        self.audience = "probe" if "airlock" in guards else "airlock"

    def run(self, code: str, **spec: Any) -> str:
        """Creates a pod whose runner runs the code, and returns its name; ``spec`` replaces parts of the pod's."""
        self.number += 1
        name = f"{self.prefix}-{self.number}"
        mount = [{"name": TOKEN, "mountPath": "/var/run/probe"}]
        token = {"serviceAccountToken": {"audience": self.audience, "path": "token"}}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 1,
                "initContainers": [
                    container("sidecar", 50001, IDLE_SIDECAR, restartPolicy="Always", volumeMounts=mount)
                ],
                "containers": [container("runner", 50000, code)],
                "volumes": [{"name": TOKEN, "projected": {"sources": [token]}}],
            }
            | spec,
        }
        self.cluster.kubectl("create", "--filename=-", stdin=json.dumps(body))
        return name

    def get(self, name: str) -> dict[str, Any]:
        """Returns the pod."""
        pod: dict[str, Any] = json.loads(
            self.cluster.kubectl("get", "pod", name, f"--namespace={NAMESPACE}", "--output=json")
        )
        return pod

    def wait(self, name: str, *phases: str, seconds: float = 60) -> dict[str, Any]:
        """Returns the pod, once it is in one of the phases."""

        def reached() -> dict[str, Any]:
            pod = self.get(name)
            return pod if pod["status"]["phase"] in phases else {}

        return eventually(reached, seconds)

    def logs(self, name: str, part: str = "runner") -> str:
        """Returns what a container printed."""
        return self.cluster.kubectl("logs", name, f"--namespace={NAMESPACE}", f"--container={part}")

    def exec(self, name: str, *argv: str, part: str = "runner") -> str:
        """Returns what a command in a container printed."""
        return self.cluster.kubectl("exec", name, f"--namespace={NAMESPACE}", f"--container={part}", "--", *argv)

    def end(self, name: str) -> None:
        """Deletes the pod and does not wait."""
        self.cluster.kubectl("delete", "pod", name, f"--namespace={NAMESPACE}", "--wait=false", "--ignore-not-found")
