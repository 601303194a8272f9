"""
A TaskRun ends as its task did: also where its pod went while nobody watched, and where the server is
away. What `kubectl get taskruns` said and when is printed.
"""

import time

import pytest
from kube.story import Story
from kube.taskruns import conditions, finished, outcome, over, reason, status, taskrun

pytestmark = pytest.mark.timeout(400)


@pytest.mark.alone
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("print('done')", ("success", "Succeeded", 1, 1)),
        pytest.param("raise ValueError('no')", ("failed", "Failed", 1, 1), marks=pytest.mark.soak),
    ],
    ids=["success", "failed"],
)
def test_a_pod_that_went_while_the_operator_was_away_ended_as_the_server_says(team, system, body, expected, request):
    name = f"unseen-{request.node.callspec.id}"
    team.apply(taskrun(name, f"time.sleep(6)\n{body}"))
    team.wait("taskrun", name, lambda run: reason(run) == "Running", 60)
    system("scale", "deployment/airlock-operator", "--replicas=0")
    system("wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=operator", "--timeout=60s", seconds=70)
    try:
        team.wait("pod", f"{name}-1", lambda pod: pod["status"]["phase"] in ("Succeeded", "Failed"), 60)
        team("delete", "pod", f"{name}-1", "--grace-period=0", "--force")
    finally:
        system("scale", "deployment/airlock-operator", "--replicas=2")

    assert expected == outcome(Story(team, name).until(over, 120))


@pytest.mark.alone
def test_a_taskrun_says_that_the_server_is_away_and_loses_none_of_its_time(team, system):
    """A limit of ten seconds, and a server that is away for half a minute while the task waits for it."""
    body = "time.sleep(3)\nfor n in range(40):\n    ti.xcom_push(key='n', value=n)\n    time.sleep(0.1)"
    team.apply(taskrun("server-away", body, executionTimeout="10s"))
    team.wait("taskrun", "server-away", lambda run: reason(run) == "Running", 60)
    story = Story(team, "server-away")
    system("scale", "deployment/airlock-server", "--replicas=0")
    try:
        run = story.until(lambda run: reason(run) == "ServerAway", 60)
        assert ("running", "False") == (status(run)["state"], conditions(run)["ServerReachable"])
        time.sleep(15)
    finally:
        system("scale", "deployment/airlock-server", "--replicas=1")
        system("rollout", "status", "deployment/airlock-server", "--timeout=90s", seconds=100)
    run = story.until(over, 120)

    assert ("success", "Succeeded", 1, 1) == outcome(run)


@pytest.mark.soak
@pytest.mark.alone
def test_limits_hold_and_the_others_are_queued_in_words(team, install):
    with install.told(**{"operator.limits.maxActiveIn": {team.namespace: 2}}):
        names = [f"limited-{number}" for number in range(5)]
        team.apply([taskrun(name, "time.sleep(8)", priority=5 if name == "limited-4" else 0) for name in names])
        run = team.wait("taskrun", "limited-3", lambda run: reason(run) == "Queued", 40)
        active = [each for each in team.list("taskruns") if status(each).get("podRef") and not over(each)]
        ended = {name: finished(team, name, 120) for name in names}

    assert f"2 of 2 TaskRuns are under way in namespace {team.namespace}" in status(run)["message"]
    assert len(active) <= 2
    assert {"success"} == {status(each)["state"] for each in ended.values()}
