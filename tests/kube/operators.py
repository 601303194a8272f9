"""Operators that a test runs itself, as processes of this machine, with the installed one's rights and no more."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kube.kubectl import Kubectl

ACCOUNT = "airlock-operator"


def kubeconfig(system: Kubectl, folder: Path) -> Path:
    """A kubeconfig with a token of the operator's service account."""
    view = json.loads(system("config", "view", "--raw", "--minify", "-o", "json"))
    token = system("create", "token", ACCOUNT, "--duration=1h").strip()
    view["users"] = [{"name": ACCOUNT, "user": {"token": token}}]
    for context in view["contexts"]:
        context["context"]["user"] = ACCOUNT
    path = folder / "operator-kubeconfig"
    path.write_text(json.dumps(view))
    return path


def leader(system: Kubectl) -> str:
    """The pod of the operator that has the Lease: the chart names each by its pod."""
    lease = system.get("lease", "airlock-operator") or {}
    return str(lease["spec"]["holderIdentity"])


def environment(system: Kubectl, folder: Path, identity: str, **settings: str) -> dict[str, str]:
    """What the chart sets for its operator, for one that runs here."""
    deployment = system.get("deployment", "airlock-operator") or {}
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    env = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    ca = (system.get("configmap", "airlock-ca") or {})["data"]["ca.crt"]
    (folder / "ca.crt").write_text(ca)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "PATH": os.environ["PATH"],
        "AIRLOCK__OPERATOR__IDENTITY": identity,
        "AIRLOCK__OPERATOR__KUBECONFIG": str(kubeconfig(system, folder)),
        "AIRLOCK__OPERATOR__HEALTH_PORT": str(port),
        "AIRLOCK__PODS__CA_FILE": str(folder / "ca.crt"),
        # The server's name is not known on this machine.
        "AIRLOCK__OPERATOR__TOKEN_FILE": "",
        "AIRLOCK__OPERATOR__WATCH_SERVERS": "false",
        # Two of them run at a time, on one machine.
        "AIRLOCK__OPERATOR__METRICS_PORT": "0",
    }
    return env | own | settings


def lease_of_its_own(team: Kubectl, system: Kubectl) -> dict[str, str]:
    """Settings of an operator that works in one namespace and takes its Lease there; its account may do so from now on."""
    account = f"--serviceaccount={system.namespace}:{ACCOUNT}"
    team("create", "role", "leases", "--verb=get,create,update", "--resource=leases.coordination.k8s.io")
    team("create", "rolebinding", "leases", "--role=leases", account)
    return {
        "AIRLOCK__OPERATOR__NAMESPACES": team.namespace,
        "AIRLOCK__OPERATOR__NAMESPACE": team.namespace,
        "AIRLOCK__OPERATOR__LEASE": "airlock-operator",
    }


@contextmanager
def away(system: Kubectl) -> Iterator[None]:
    """The installed operator is away inside the block."""
    before = (system.get("deployment", "airlock-operator") or {})["spec"]["replicas"]
    system("scale", "deployment/airlock-operator", "--replicas=0")
    system("wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=operator", "--timeout=60s", seconds=70)
    try:
        yield
    finally:
        system("scale", "deployment/airlock-operator", f"--replicas={before}")
        system("rollout", "status", "deployment/airlock-operator", "--timeout=90s", seconds=100)


@contextmanager
def operator(words: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, ended with the block."""
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, *words], env=env, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def died(process: subprocess.Popen[Any], done: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it ended by SIGKILL, at the latest a moment after its work was done."""
    ends = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < ends:
        if done():
            ends = min(ends, time.monotonic() + 4)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
    return process.poll() == -signal.SIGKILL
