"""What a launch is named and labelled, what its TaskRun says, and what its Secret holds."""

import base64
from pathlib import Path

import msgspec
import pytest
import yaml

from airlock_executor.launch import identity, taskrun
from airlock_executor.launch.observed import Metadata, Observed
from airlock_executor.launch.order import Order
from airlock_executor.launch.taskrun import PodSettings
from airlock_executor.settings import Queue, Settings
from airlock_wire.taskrun import TOKEN_SECRET_PREFIX, Access, Spec

LAUNCH = "0fd4f8b6-6a5e-4a39-9b0c-8b0f3c2f1a77"
SETTINGS = Settings(namespace="airflow", image="images/airflow:1", queues={"gpu": Queue("gpu", "images/gpu:1")})
CRD = yaml.safe_load(Path("manifests/crd/taskruns.yaml").read_text())["spec"]["versions"][0]["schema"][
    "openAPIV3Schema"
]


def order(**changes):
    made = Order(
        launch_id=LAUNCH,
        ti_id="0199d0aa-1111-7000-8000-000000000001",
        dag_version_id="0199d0aa-2222-7000-8000-000000000002",
        dag_id="sales",
        task_id="group.load",
        run_id="manual__2026-01-01T00:00:00+00:00",
        try_number=2,
        map_index=3,
        queue="default",
        priority=7,
        bundle_name="dags",
        bundle_version="abc",
        file="sales.py",
        context_carrier={"traceparent": "00-1-2-01"},
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("dag", "task", "name"),
    [
        ("sales", "load", "sales-load-0fd4f8b66a5e"),
        ("Sales_EU", "group.load", "sales-eu-group-load-0fd4f8b66a5e"),
        ("ventas_año", "número", "ventas-a-o-n-mero-0fd4f8b66a5e"),
        ("日本", "語", "task-0fd4f8b66a5e"),
        ("a" * 200, "b", "a" * 46 + "-0fd4f8b66a5e"),
    ],
)
def test_a_name_can_be_read_and_fits_kubernetes(dag, task, name):
    assert name == identity.taskrun_name(dag, task, LAUNCH)
    assert len(name) <= 59


def test_two_launches_of_a_try_have_two_names():
    other = "1fd4f8b6-6a5e-4a39-9b0c-8b0f3c2f1a77"

    assert identity.taskrun_name("a", "b", LAUNCH) != identity.taskrun_name("a", "b", other)


def test_labels_find_a_launch_and_fit_kubernetes():
    labels = identity.labels("airflow", order(dag_id="-" + "ü" * 300 + "x", task_id="日本"))

    assert {"airlock.dev/executor": "airflow", "airlock.dev/launch": LAUNCH}.items() <= labels.items()
    assert order().ti_id == labels["airlock.dev/task-instance"]
    assert "x" == labels["airlock.dev/dag-id"]
    assert "airlock.dev/task-id" not in labels


def test_a_taskrun_has_the_whole_task_instance_and_is_suspended():
    namespace, body = taskrun.taskrun(order(), SETTINGS, PodSettings(), "/opt/dags")
    spec = msgspec.convert(body["spec"], Spec)

    assert "airflow" == namespace
    assert ("sales", "group.load", order().run_id, 2, 3) == (
        spec.dag_id,
        spec.task_id,
        spec.run_id,
        spec.try_number,
        spec.map_index,
    )
    assert (order().ti_id, order().dag_version_id) == (spec.task_instance_id, spec.dag_version_id)
    assert ("airflow", "Secret", True, 7) == (spec.runner, spec.token, spec.suspend, spec.priority)
    assert ("dags", None, "/opt/dags", "sales.py") == (
        spec.bundle.name,
        spec.bundle.version,
        spec.bundle.path,
        spec.file,
    )
    assert {"traceparent": "00-1-2-01"} == spec.context_carrier


def test_every_field_is_one_of_the_resources():
    _, body = taskrun.taskrun(
        order(), SETTINGS, PodSettings({"env": []}, execution_timeout="5s"), "", Access(variables=())
    )
    known = CRD["properties"]["spec"]["properties"]

    assert set() == set(body["spec"]) - set(known)
    assert {"variables": ()} == body["spec"]["access"]


def test_a_bundle_without_a_folder_is_fetched_in_its_version():
    _, body = taskrun.taskrun(order(), SETTINGS, PodSettings(), "")

    assert {"name": "dags", "version": "abc"} == body["spec"]["bundle"]


@pytest.mark.parametrize(
    ("pod", "queue", "namespace", "image"),
    [
        (PodSettings(), "default", "airflow", "images/airflow:1"),
        (PodSettings(), "gpu", "gpu", "images/gpu:1"),
        (PodSettings(image="mine", namespace="gpu"), "default", "gpu", "mine"),
    ],
)
def test_a_task_then_its_queue_then_the_settings_say_image_and_namespace(pod, queue, namespace, image):
    where, body = taskrun.taskrun(order(queue=queue), SETTINGS, pod, "/opt/dags")

    assert (namespace, image) == (where, body["spec"]["image"])


@pytest.mark.parametrize(("weight", "priority"), [(5, 5), (10**9, 10**6), (-(10**9), -(10**6))])
def test_a_priority_stays_within_the_resources_bounds(weight, priority):
    _, body = taskrun.taskrun(order(priority=weight), SETTINGS, PodSettings(), "/opt/dags")

    assert priority == body["spec"]["priority"]


def test_a_launch_that_follows_a_lost_one_has_its_spec_and_counts_the_loss():
    _, body = taskrun.taskrun(order(losses=1), SETTINGS, PodSettings(), "/opt/dags")
    lost = body | {"spec": body["spec"] | {"suspend": False, "cancel": True}, "status": {"reason": "x"}}
    after = taskrun.again(lost, "1fd4f8b6-6a5e-4a39-9b0c-8b0f3c2f1a77")

    assert body["spec"] == after["spec"]
    assert "sales-group-load-1fd4f8b66a5e" == after["metadata"]["name"]
    assert "2" == after["metadata"]["annotations"]["airlock.dev/losses"]
    assert "1fd4f8b6-6a5e-4a39-9b0c-8b0f3c2f1a77" == after["metadata"]["labels"]["airlock.dev/launch"]


def test_a_secret_is_its_taskruns_and_holds_the_token_as_the_sidecar_reads_it():
    secret = taskrun.secret(Observed(Metadata("run", "airflow", "uid")), "the-token")

    assert TOKEN_SECRET_PREFIX + "run" == secret["metadata"]["name"]
    assert b"the-token" == base64.b64decode(secret["data"]["token"])
    assert [{"apiVersion": "airlock.dev/v1alpha1", "kind": "TaskRun", "name": "run", "uid": "uid"}] == secret[
        "metadata"
    ]["ownerReferences"]


@pytest.mark.parametrize(
    ("annotations", "resumed", "losses"),
    [
        ({}, True, 0),
        (identity.annotations(resumed=False, losses=2), False, 2),
        ({"airlock.dev/losses": "many"}, True, 0),
    ],
)
def test_what_a_taskrun_does_not_say_is_taken_for_the_worse(annotations, resumed, losses):
    assert (resumed, losses) == (identity.resumed(annotations), identity.losses(annotations))
