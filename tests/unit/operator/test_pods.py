"""The pod of an attempt: where the trust line runs through it."""

import json
import re

import msgspec
import pytest
from played.taskruns import UID, open_attempt, run

from airlock_operator.pods import POD_FIELDS, RUNNER_FIELDS, manifest, workload
from airlock_operator.settings import Pods
from airlock_wire.workload import Execute

ASKED = {
    "env": [{"name": "A", "value": "1"}],
    "envFrom": [{"configMapRef": {"name": "c"}}],
    "resources": {"limits": {"memory": "64Mi"}},
    "imagePullPolicy": "Never",
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "nodeSelector": {"disk": "fast"},
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "serviceAccountName": "worker",
    "runtimeClassName": "gvisor",
    "labels": {"team": "x", "airlock.dev/taskrun": "forged"},
    "annotations": {"note": "y"},
    "imagePullSecrets": [{"name": "pull"}],
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
}


def made(attempt=1, settings=None, ca="CA", **spec):
    return manifest(run(status=open_attempt(attempt, podRef=None), **spec), attempt, settings or Pods(), ca)


def containers(pod):
    spec = pod["spec"]
    return spec["initContainers"][0], spec["containers"][0]


def test_only_the_sidecar_mounts_the_token_and_the_state():
    sidecar, runner = containers(made(pod=ASKED))

    assert {"airlock-token", "airlock-state", "airlock-log"} <= {m["name"] for m in sidecar["volumeMounts"]}
    assert {"airlock-socket", "airlock-tmp", "airlock-source", "scratch"} == {m["name"] for m in runner["volumeMounts"]}


def test_the_runner_can_connect_to_the_socket_and_not_replace_it():
    _, runner = containers(made())

    assert [True] == [m["readOnly"] for m in runner["volumeMounts"] if m["name"] == "airlock-socket"]


def test_the_two_containers_have_users_of_their_own_and_no_rights():
    sidecar, runner = containers(made())
    users = [c["securityContext"]["runAsUser"] for c in (sidecar, runner)]

    assert [50001, 50000] == users
    for container in (sidecar, runner):
        security = container["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert (True, True, False) == (
            security["runAsNonRoot"], security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"],
        )  # fmt: skip


def test_nothing_of_the_platform_is_in_the_runners_environment_or_arguments():
    _, runner = containers(made(settings=Pods(api_url="https://the-server", exchange_url="https://the-server/x")))

    assert "the-server" not in json.dumps(runner)
    assert "AIRLOCK__" not in json.dumps(runner)


def test_the_pod_has_no_service_account_token_but_the_sidecars():
    pod = made(pod=ASKED)
    projected = [v["projected"] for v in pod["spec"]["volumes"] if "projected" in v]

    assert pod["spec"]["automountServiceAccountToken"] is False
    assert [{"audience": "airlock", "expirationSeconds": 600, "path": "token"}] == [
        source["serviceAccountToken"] for each in projected for source in each["sources"]
    ]


def test_the_sidecar_is_native_and_has_no_startup_probe():
    sidecar, _ = containers(made())

    assert "Always" == sidecar["restartPolicy"]
    assert not {"startupProbe", "readinessProbe", "livenessProbe"} & set(sidecar)


@pytest.mark.parametrize("field", POD_FIELDS)
def test_what_an_author_may_set_of_the_pod_is_taken_over(field):
    assert ASKED[field] == made(pod=ASKED)["spec"][field]


@pytest.mark.parametrize("field", [f for f in RUNNER_FIELDS if f != "env"])
def test_what_an_author_may_set_of_the_runner_is_taken_over(field):
    assert ASKED[field] == containers(made(pod=ASKED))[1][field]


def test_an_author_cannot_claim_another_taskruns_pod():
    labels = made(pod=ASKED)["metadata"]["labels"]

    assert ("hello", "1", "x") == (labels["airlock.dev/taskrun"], labels["airlock.dev/attempt"], labels["team"])


def test_volumes_of_the_author_are_writable_for_the_runners_user_and_nobody_elses_group_is_touched():
    assert 50000 == made(pod=ASKED)["spec"]["securityContext"]["fsGroup"]
    assert "fsGroup" not in made()["spec"]["securityContext"]


def test_the_pod_belongs_to_its_taskrun_and_to_that_one_only():
    owner = made(attempt=3)["metadata"]["ownerReferences"]

    assert [("TaskRun", "hello", UID, True)] == [(o["kind"], o["name"], o["uid"], o["controller"]) for o in owner]
    assert "hello-3" == made(attempt=3)["metadata"]["name"]


def test_inline_source_is_shown_to_the_runner_alone():
    pod = made(source={"inline": "print($(HOME))"})
    sidecar, runner = containers(pod)

    assert "print($(HOME))" == pod["metadata"]["annotations"]["airlock.dev/source"]
    assert "airlock-source" in {m["name"] for m in runner["volumeMounts"]}
    assert "airlock-source" not in {m["name"] for m in sidecar["volumeMounts"]}


def test_a_bundle_is_read_from_the_image():
    bundle = {"name": "sales", "version": "v1"}
    taskrun = run(status=open_attempt(), source=None, bundle=bundle, file="daily/load.py")
    _, runner = containers(manifest(taskrun, 1, Pods(), ""))

    assert "/opt/airlock/bundles/sales" == runner["args"][runner["args"].index("--bundle-root") + 1]
    assert ("daily/load.py", "sales", "v1") == (
        workload(taskrun).dag_rel_path, workload(taskrun).bundle_info.name, workload(taskrun).bundle_info.version,
    )  # fmt: skip


def test_the_sidecar_is_told_which_launch_it_serves():
    taskrun = run(status=open_attempt(2, **{"try": 2}), executionTimeout="1m", mapIndex=3)
    sidecar, _ = containers(manifest(taskrun, 2, Pods(), "CA"))
    env = {e["name"]: e.get("value") for e in sidecar["env"]}
    work = msgspec.json.decode(env["AIRLOCK__SIDECAR__WORKLOAD"], type=Execute)

    assert (2, 3, 60.0, "") == (work.ti.try_number, work.ti.map_index, work.execution_timeout_seconds, work.ti.id)
    assert re.fullmatch(r"dag_id=d/run_id=manual__.*/task_id=t/map_index=3/attempt=2\.log", work.log_path)
    assert "CA" == env["AIRLOCK__API__CA_PEM"]


def test_no_value_of_the_sidecars_environment_is_expanded_by_the_kubelet():
    sidecar, _ = containers(made(dagId="d", conf={}, runId="$(HOME)"))

    assert [] == [e["name"] for e in sidecar["env"] if re.search(r"(?<!\$)\$\(", e.get("value") or "")]
