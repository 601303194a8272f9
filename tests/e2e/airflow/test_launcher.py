"""Airflow's runner in an image that has nothing of ours: the launcher is copied into its pod, or comes as an image volume."""

import pytest
from kube.taskruns import dag_id, finished, outcome, said

#: Beside no other test that tells the chart something: each gives back what it found.
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


def volume(team, name):
    pod = team.get("pod", f"{name}-1")
    return next(each for each in pod["spec"]["volumes"] if each["name"] == "airlock-launcher")


def test_it_is_copied(team, airflow_image):
    team.apply(taskrun("copied", airflow_image))

    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "copied"))
    assert "launchers here: launcher" in said(team, "copied-1")
    assert "emptyDir" in volume(team, "copied")


def test_it_comes_as_an_image_volume(team, airflow_image, install):
    with install.told(**{"launcher.by": "image"}):
        team.apply(taskrun("mounted", airflow_image))
        run = finished(team, "mounted")

    assert ("success", "Succeeded", 1, 1) == outcome(run)
    (listed,) = [line for line in said(team, "mounted-1") if line.startswith("launchers here")]
    assert "launcher" in listed.split()
    assert "image" in volume(team, "mounted")
