"""
By the API server's audit log of everything that ran before: each right that the chart gives was used, and nothing that a
part of Airlock asked for was denied for want of a right. It runs after all others but those that uninstall.
"""

import base64
import itertools
import json
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from kube.taskruns import finished, taskrun

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "system:serviceaccount:airlock-system:"

pytestmark = pytest.mark.last(1)


@pytest.fixture(scope="module")
def rights():
    """Every (account, verb, resource) that the chart's default install gives."""
    words = [ROOT / ".venvs/dev/bin/helm", "template", "airlock", "charts/airlock", "-n", "airlock-system"]
    text = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    documents = [d for d in yaml.safe_load_all(text) if d]
    roles = {(d["kind"], d["metadata"]["name"]): d["rules"] for d in documents if d["kind"] in ("Role", "ClusterRole")}
    given = set()
    for binding in documents:
        if binding["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            account = binding["subjects"][0]["name"]
            for rule in roles[binding["roleRef"]["kind"], binding["roleRef"]["name"]]:
                given |= {(account, *pair) for pair in itertools.product(rule["verbs"], rule["resources"])}
    return given


@pytest.fixture(scope="module")
def asked(team, system, hooks):
    """Every (account, verb, resource) that was asked for, and those that were denied, after what no other test does."""
    team.apply(taskrun("short-lived", ttlAfterSuccess="1s"))
    finished_and_gone(team, "short-lived")
    rotate(system)
    # An operator that is being uninstalled outlives its rights by a moment; that was then.
    installed = system.get("deployment", "airlock-operator")["metadata"]["creationTimestamp"]
    seen, denied = set(), []
    for entry in hooks.audit_log():
        user = (entry.get("user") or {}).get("username", "")
        ref = entry.get("objectRef") or {}
        if not user.startswith(PREFIX) or not ref.get("resource"):
            continue
        # Tests play these accounts as well, to be refused; they say so by who they are besides.
        if entry.get("impersonatedUser"):
            continue
        resource = "/".join(filter(None, (ref["resource"], ref.get("subresource"))))
        asked_for = (user.removeprefix(PREFIX), entry["verb"], resource)
        seen.add(asked_for)
        forbidden = (entry.get("annotations") or {}).get("authorization.k8s.io/decision") == "forbid"
        if forbidden and entry["requestReceivedTimestamp"] >= installed:
            denied.append(asked_for)
    return seen, denied


def finished_and_gone(team, name):
    team("wait", "--for=delete", f"taskrun/{name}", "--timeout=60s", seconds=70)
    team("wait", "--for=delete", f"pod/{name}-1", "--timeout=60s", seconds=70, check=False)
    assert None is team.get("taskrun", name)


#: What a kubelet mounts of an install's objects: part, file, kind, name, key.
MOUNTED = (
    ("operator", "/etc/airlock/ca/ca.crt", "configmap", "airlock-ca", "ca.crt"),
    ("server", "/etc/airlock/tls/tls.crt", "secret", "airlock-server-tls", "tls.crt"),
)


def wait_for_kubelet(system, step):
    """
    The wait that docs/rotation.md asks for, without its minute: a kubelet that sees its pod changed looks at what it
    mounts. Pods made before it trust what was there before, and would wait for a server that they do not know.
    """
    for part, file, kind, name, key in MOUNTED:
        value = system.get(kind, name)["data"][key]
        wanted = base64.b64decode(value).decode() if kind == "secret" else value
        for pod in system.list("pods", f"app.kubernetes.io/component={part}"):
            pod_name = pod["metadata"]["name"]
            system("annotate", "--overwrite", "pod", pod_name, f"airlock.dev/test-step={step}")
            ends = time.monotonic() + 100
            while wanted.strip() != system("exec", pod_name, "--", "cat", file).strip():
                assert time.monotonic() < ends, f"{pod_name} still has another {file}"
                time.sleep(0.5)


def rotate(system):
    """As docs/rotation.md says: the setup Job again, with other arguments."""
    job = next(j for j in system.list("jobs") if j["metadata"]["name"].startswith("airlock-setup-"))
    pod = job["spec"]["template"]
    pod["metadata"].pop("labels", None)
    for number, words in enumerate((["server"], ["ca"], ["ca", "--finish"])):
        container = pod["spec"]["containers"][0]
        container["command"] = ["airlock", "keys", "rotate", *words, "--namespace", system.namespace]
        name = f"rotate-{number}-{job['metadata']['uid'][:6]}"
        made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": pod}}
        system("delete", "job", name, "--ignore-not-found")
        system("create", "-f", "-", stdin=json.dumps(made))
        system("wait", "--for=condition=Complete", f"job/{name}", "--timeout=60s", seconds=70)
        system("delete", "job", name, "--wait=false")
        wait_for_kubelet(system, number)


def test_every_right_is_used(rights, asked):
    seen, _ = asked

    assert set() == rights - seen


def test_nothing_was_denied_for_want_of_a_right(asked):
    _, denied = asked

    assert [] == denied


def test_tasks_run_after_the_authority_was_rotated(team, asked):
    team.apply(taskrun("after-rotation"))

    assert "success" == finished(team, "after-rotation")["status"]["state"]
