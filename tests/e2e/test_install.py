"""Helm's life of an install: an upgrade and the way back under live TaskRuns, an uninstall that keeps what matters, and back again."""

import base64
import time

import pytest
from kube.taskruns import finished, outcome, reason, taskrun
from kube.witness import START

pytestmark = [pytest.mark.last(2), pytest.mark.timeout(400)]


def keys(system):
    """What an upgrade must never make anew."""
    found = {name: system.get("secret", name)["data"] for name in ("airlock-keys", "airlock-ca")}
    return {name: {key: base64.b64decode(value) for key, value in data.items()} for name, data in found.items()}


def test_an_upgrade_disturbs_no_live_taskrun_and_makes_no_key_anew(team, system, witness, install):
    before = keys(system)
    team.apply(taskrun("upgraded", START + "\ntime.sleep(12)\n"))
    witness.wait_for_starts("upgraded")
    team.wait("taskrun", "upgraded", lambda run: reason(run) == "Running")
    requests = "operator.resources.requests.cpu=51m,server.resources.requests.cpu=51m"
    install.helm("upgrade", "airlock", "charts/airlock", "--wait", "--timeout=2m", "--set", requests)
    install.helm("rollback", "airlock", "--wait", "--timeout=2m")

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "upgraded"))
    assert [1] == witness.starts("upgraded")
    assert before == keys(system)


def operators(system):
    """The operator's pods, and how often each was restarted, once those of before an upgrade are gone."""
    ends = time.monotonic() + 60
    while True:
        pods = system.list("pods", "app.kubernetes.io/component=operator")
        if not any("deletionTimestamp" in pod["metadata"] for pod in pods):
            return {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods}
        assert time.monotonic() < ends
        time.sleep(1)


@pytest.mark.soak
def test_a_resource_that_was_deleted_and_made_again_is_found_by_itself(cluster, team, system, install):
    before = operators(system)
    team.apply(taskrun("lost", "time.sleep(600)"))
    team.wait("taskrun", "lost", lambda run: reason(run) == "Running")
    cluster("delete", "crd", "taskruns.airlock.dev", "--timeout=60s", seconds=70)
    team.wait("pod", "lost-1", lambda pod: not pod, 90)
    # Long enough for watches and a relist to meet a resource that is not there.
    time.sleep(20)
    install.helm("upgrade", "airlock", "charts/airlock", "--wait", "--timeout=2m", "--reuse-values")
    team.apply(taskrun("found-again"))

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "found-again", 120))
    # Each replica has led without the resource once, and then waits for it.
    assert all(number <= before[name] + 1 for name, number in operators(system).items())


def test_an_uninstall_keeps_the_resource_and_the_data_and_an_install_finds_them(team, system, install):
    before = keys(system)
    system("exec", "deploy/airlock-server", "--", "airlock", "variables", "set", "kept", "yes")
    team.apply(taskrun("remembered"))
    run = finished(team, "remembered")
    install.helm("uninstall", "airlock", "--wait", "--timeout=2m")
    try:
        assert outcome(run) == outcome(team.get("taskrun", "remembered"))
        assert "Bound" == system.get("pvc", "airlock-server")["status"]["phase"]
        assert [] == system.list("deployments")
    finally:
        install.helm("install", "airlock", "charts/airlock", "--wait", "--timeout=2m")

    assert before == keys(system)
    assert "yes" in system("exec", "deploy/airlock-server", "--", "airlock", "variables", "get", "kept")
    team.apply(taskrun("after-all"))
    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "after-all"))
