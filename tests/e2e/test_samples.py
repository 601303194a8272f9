"""Every file of manifests/samples, applied as a user would, comes to the end that it says."""

from pathlib import Path

import pytest
from kube.taskruns import conditions, finished, logs, outcome, reason, said, status, taskrun

SAMPLES = Path(__file__).resolve().parents[2] / "manifests/samples"

#: The samples that need nothing done meanwhile: state, reason, last try, last attempt, and a word of their log.
ENDS = {
    "hello": ("success", "Succeeded", 1, 1, "hello from try 1"),
    "failing": ("failed", "Failed", 1, 1, "division by zero"),
    "crash": ("failed", "Crashed", 1, 1, "about to fall"),
    "retry": ("success", "Succeeded", 3, 3, None),
    "timeout": ("failed", "TimedOut", 1, 1, "this takes a while"),
    "out-of-memory": ("failed", "OOMKilled", 1, 1, None),
    "missing-image": ("failed", "ImagePullFailed", 1, 1, None),
    "custom-image": ("success", "Succeeded", 1, 1, "greeting world"),
    "volumes": ("success", "Succeeded", 1, 1, "hello north 3"),
}
ACTED_ON = {"variables", "cancel", "suspended"}


def test_every_sample_has_its_test():
    assert {*ENDS, *ACTED_ON} == {path.stem for path in SAMPLES.glob("*.yaml")}


@pytest.fixture(scope="module")
def team(cluster):
    """The namespace that README and the samples themselves speak of, without the samples of an earlier run."""
    names = sorted({*ENDS, *ACTED_ON})
    default = cluster.of("default")
    default("delete", "taskrun", *names, "--ignore-not-found", "--wait=true")
    for name in names:
        default("delete", "pod", "-l", f"airlock.dev/taskrun={name}", "--wait=true", "--ignore-not-found")
    return default


@pytest.fixture(scope="module")
def applied(team):
    """All at once: they do not disturb each other."""
    for name in ENDS:
        team.apply(SAMPLES / f"{name}.yaml")
    return team


@pytest.mark.parametrize("name", ENDS)
def test_a_sample_ends_as_it_says(applied, name):
    run = finished(applied, name, seconds=150)
    *expected, word = ENDS[name]

    assert tuple(expected) == outcome(run)
    if word is not None:
        text = " ".join(str(line) for line in logs(applied, f"{name}-{expected[3]}"))
        assert word in text


def test_a_finished_taskrun_tells_its_whole_story(applied):
    run = finished(applied, "hello")
    found = status(run)

    shown = conditions(run)
    # A task that is over within a moment was never said to run, and then nothing was said of its server either.
    assert shown.pop("ServerReachable") in ("True", "Unknown")
    assert {"Admitted": "True", "Scheduled": "True", "Running": "False", "Succeeded": "True"} == shown
    assert "hello-1" == found["podRef"]["name"]
    assert found["node"]
    assert found["duration"]
    steps = [
        "admitted",
        "podScheduled",
        "sidecarListening",
        "runnerConnected",
        "taskStarted",
        "taskReported",
        "finished",
    ]
    assert [] == [step for step in steps if step not in found["timeline"]]
    described = applied("describe", "taskrun", "hello")
    assert "Succeeded" in described
    assert "Running" in described.split("Events:")[1]


def test_the_columns_are_filled(applied):
    finished(applied, "hello")
    header, row = applied("get", "taskrun", "hello", "-o", "wide").splitlines()

    assert ["NAME", "DAG", "TASK", "TRY", "STATE", "REASON", "AGE", "POD", "NODE", "DURATION"] == header.split()
    assert ["hello", "hello", "greet", "1", "success", "Succeeded"] == row.split()[:6]
    assert 10 == len(row.split())


def test_a_failure_says_what_to_do(applied):
    assert "limits.memory" in status(finished(applied, "out-of-memory"))["message"]
    assert "spec.image" in status(finished(applied, "missing-image", 150))["message"]
    assert "signal 11" in status(finished(applied, "crash"))["message"]


def test_each_try_has_a_pod_and_a_log_of_its_own(applied):
    run = finished(applied, "retry")

    assert ["Retry", "Retry", "Succeeded"] == [attempt["reason"] for attempt in status(run)["attempts"]]
    for number in (1, 2):
        assert any(f"try {number} fails" in str(line) for line in logs(applied, f"retry-{number}"))


def test_variables_and_connections_are_read_by_grant_and_the_password_is_masked(team, system):
    def airlock(*words):
        return system("exec", "deploy/airlock-server", "--", "airlock", *words)

    airlock("variables", "set", "greeting", "good morning")
    airlock("connections", "set", "warehouse", "--uri", "postgres://reader:s3cret-password@db.example/sales")
    airlock("grants", "add", "variable", "greeting", "--namespace", team.namespace)
    airlock("grants", "add", "connection", "warehouse", "--namespace", team.namespace)
    team.apply(SAMPLES / "variables.yaml")
    run = finished(team, "variables")

    assert ("success", "Succeeded") == outcome(run)[:2]
    assert "good morning, db.example; the password is ***" in said(team, "variables-1")
    assert "s3cret-password" not in team("logs", "variables-1", "--all-containers")


def test_cancel_stops_the_task_which_may_tidy_up(team):
    team.apply(SAMPLES / "cancel.yaml")
    team.wait("taskrun", "cancel", lambda run: reason(run) == "Running")
    team.wait("pod", "cancel-1", lambda _: "waiting to be cancelled" in team("logs", "cancel-1"))
    follow = team("patch", "taskrun", "cancel", "--type=merge", "-p", '{"spec":{"cancel":true}}')
    run = finished(team, "cancel")

    assert "patched" in follow
    assert ("failed", "Cancelled") == outcome(run)[:2]


def test_a_suspended_taskrun_has_no_pod_until_it_is_let_go(team):
    team.apply(SAMPLES / "suspended.yaml")
    team.wait("taskrun", "suspended", lambda run: reason(run) == "Suspended", 10)
    assert [] == team.list("pods", "airlock.dev/taskrun=suspended")
    team("patch", "taskrun", "suspended", "--type=merge", "-p", '{"spec":{"suspend":false}}')

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "suspended"))


def test_a_taskrun_that_is_deleted_and_applied_again_at_once_runs_again(team):
    made = taskrun("again")
    for _ in range(3):
        team.apply(made)
        assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "again"))
        team("delete", "taskrun", "again")
