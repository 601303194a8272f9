"""A TaskRun that cannot start says why within ten seconds, in its REASON and in a sentence that says what to do."""

import uuid

import pytest
from kube.taskruns import finished, outcome, reason, status, taskrun

SOON = 10


def says(team, name, word, seconds=SOON):
    run = team.wait("taskrun", name, lambda run: reason(run) == word, seconds)
    return status(run)["message"]


def test_unschedulable(team):
    team.apply(taskrun("unschedulable", pod={"resources": {"requests": {"cpu": "1000"}}}))
    message = says(team, "unschedulable", "Unschedulable")

    assert "Insufficient cpu" in message
    assert "spec.pod.resources" in message


def test_an_image_that_does_not_come(team):
    team.apply(taskrun("no-image", image="localhost:5000/no-such-image:0.1.0"))

    assert "spec.image" in says(team, "no-image", "ImagePull")


@pytest.fixture(scope="module")
def no_config(team):
    """A TaskRun that needs what never comes. The operator waits most of a minute for it, in which other tests run."""
    team.apply(taskrun("no-config", pod={"envFrom": [{"configMapRef": {"name": "absent"}}]}))
    return "no-config"


def test_a_configuration_that_names_what_is_not_there(team, no_config):
    assert '"absent" not found' in says(team, no_config, "ContainerConfig")


def test_a_configuration_that_comes_a_moment_later_is_waited_for(team):
    team.apply(taskrun("late-config", pod={"envFrom": [{"configMapRef": {"name": "late"}}]}))
    says(team, "late-config", "ContainerConfig")
    team("create", "configmap", "late", "--from-literal=a=b")

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "late-config"))


@pytest.fixture
def full(cluster):
    """A namespace whose quota has no room for a pod."""
    name = f"full-{uuid.uuid4().hex[:6]}"
    cluster("create", "namespace", name)
    there = cluster.of(name)
    there("create", "quota", "small", "--hard=pods=0")
    there.wait("quota", "small", lambda quota: quota["status"].get("hard"))
    yield there
    cluster("delete", "namespace", name, "--wait=false")


def test_a_quota_that_is_used_up_and_then_has_room(full):
    full.apply(taskrun("waits"))
    message = says(full, "waits", "QuotaExceeded")
    assert "exceeded quota: small" in message
    full("delete", "quota", "small")

    assert ("success", "Succeeded", 1, 1) == outcome(finished(full, "waits"))


def test_a_quota_that_never_has_room_is_given_up_with_its_reason(full):
    full.apply(taskrun("gives-up", pendingTimeout="4s"))

    run = finished(full, "gives-up")
    assert ("failed", "QuotaExceeded") == outcome(run)[:2]
    assert "exceeded quota: small" in status(run)["message"]


def test_a_secret_that_is_not_allowed(team):
    team.apply(taskrun("not-allowed", pod={"envFrom": [{"secretRef": {"name": "payroll"}}]}))
    message = says(team, "not-allowed", "Forbidden")

    assert "airlock-pods" in message
    assert "airlock.dev/allowed-secrets" in message


def test_a_service_account_that_is_not_there(cluster, team):
    team("annotate", "namespace", team.namespace, "airlock.dev/allowed-service-accounts=default,absent")
    team.apply(taskrun("no-account", pod={"serviceAccountName": "absent"}))

    assert 'serviceaccount "absent" not found' in says(team, "no-account", "Forbidden")


def test_an_image_without_a_python(team):
    team.apply(taskrun("no-python", image="airlock/pause:1"))
    run = finished(team, "no-python")

    assert ("failed", "CannotExec") == outcome(run)[:2]
    assert "python" in status(run)["message"]


def test_suspended(team):
    team.apply(taskrun("suspended", suspend=True))

    assert "spec.suspend" in says(team, "suspended", "Suspended")


def test_a_volume_that_cannot_be_mounted(team):
    volumes = {
        "volumes": [{"name": "v", "configMap": {"name": "nowhere"}}],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    team.apply(taskrun("no-volume", pod=volumes))

    assert '"nowhere" not found' in says(team, "no-volume", "VolumeMount")


def test_a_configuration_that_does_not_come_is_given_up(team, no_config):
    assert ("failed", "InvalidPod") == outcome(finished(team, no_config))[:2]
