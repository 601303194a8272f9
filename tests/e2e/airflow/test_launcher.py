"""Airflow's runner in an image that has nothing of ours: the sidecar brings the launcher into its pod."""

import pytest
from kube.taskruns import dag_id, finished, outcome, said

pytestmark = [pytest.mark.timeout(300), pytest.mark.airflow]
SOURCE = """
import os
from airflow.sdk import DAG, task
with DAG("{dag}"):
    @task
    def work():
        print("launchers here:", *sorted(os.listdir("/airlock/opt")))
    work()
"""


def taskrun(name, image):
    """By exchange with our own server, and with its source in the TaskRun."""
    source = {"inline": SOURCE.format(dag=dag_id(name))}
    spec = {"dagId": dag_id(name), "taskId": "work", "image": image, "runner": "airflow", "source": source}
    return {"apiVersion": "airlock.dev/v1alpha1", "kind": "TaskRun", "metadata": {"name": name}, "spec": spec}


def test_the_sidecar_brings_it_and_the_pod_has_no_third_container(team, airflow_image):
    team.apply(taskrun("brought", airflow_image))

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "brought"))
    assert "launchers here: launcher" in said(team, "brought-1")
    spec = team.get("pod", "brought-1")["spec"]
    assert ["sidecar", "runner"] == [each["name"] for each in (*spec["initContainers"], *spec["containers"])]
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "airlock-launcher"]
    assert mount["readOnly"]
