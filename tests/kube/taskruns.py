"""TaskRuns as tests make them, and the questions that tests ask about one."""

from __future__ import annotations

import json
import textwrap
import uuid
from typing import Any

from kube.kubectl import Kubectl

RUNNER_IMAGE = "airlock/runner:0.1.0"
#: A DAG belongs to the namespace that first ran it, so each session of tests has DAGs of its own.
SESSION = uuid.uuid4().hex[:6]


def dag_id(name: str) -> str:
    """The DAG of a test's TaskRun."""
    return f"{name}-{SESSION}"


#: What user code says to the witness. The witness is not part of what is tried, so a network that is not there yet is
#: waited for; who was refused has not been noted, and says so in the log.
_SAY = """
def say(path):
    for _ in range(50):
        try:
            return urllib.request.urlopen("http://witness:8000/" + path, timeout=20).read()
        except urllib.error.URLError as e:
            print("the witness is not reached:", e)
            time.sleep(0.2)
    raise TimeoutError("the witness is not reached")

"""


def taskrun(name: str, body: str = "return 1", **spec: Any) -> dict[str, Any]:
    """A TaskRun whose one task has this body."""
    code = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    source = (
        "import os, sys, time, urllib.error, urllib.request\n"
        "from airlock.sdk import DAG, Connection, Variable, task\n"
        f"{_SAY}"
        f'with DAG("{dag_id(name)}"):\n'
        "    @task\n"
        "    def work(ti):\n"
        f"{code}\n"
        "    work()\n"
    )
    return {
        "apiVersion": "airlock.dev/v1alpha1",
        "kind": "TaskRun",
        "metadata": {"name": name},
        "spec": {"dagId": dag_id(name), "taskId": "work", "image": RUNNER_IMAGE, "source": {"inline": source}} | spec,
    }


def status(run: dict[str, Any]) -> dict[str, Any]:
    return run.get("status") or {}


def reason(run: dict[str, Any]) -> str:
    return str(status(run).get("reason", ""))


def over(run: dict[str, Any]) -> bool:
    return bool(status(run).get("finishedAt"))


def outcome(run: dict[str, Any]) -> tuple[str, str, int, int]:
    """State, reason, the last try and the last attempt."""
    found = status(run)
    return found.get("state", ""), found.get("reason", ""), found.get("try", 0), found.get("attempt", 0)


def finished(team: Kubectl, name: str, seconds: float = 90) -> dict[str, Any]:
    """The TaskRun once it is over. One that failed shows the end of its log, where the test turns red for it."""
    run = team.wait("taskrun", name, over, seconds)
    if status(run).get("state") == "failed":
        print(team("logs", f"{name}-{status(run).get('attempt')}", "--tail=8", check=False))
    return run


def conditions(run: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in status(run).get("conditions", [])}


def logs(team: Kubectl, pod: str) -> list[dict[str, Any]]:
    """What kubectl logs shows of a pod, by its default container."""
    return [json.loads(line) for line in team("logs", pod).splitlines() if line.startswith("{")]


def said(team: Kubectl, pod: str) -> list[str]:
    """The lines of a pod's log, their text alone."""
    return [line["event"] for line in logs(team, pod)]
