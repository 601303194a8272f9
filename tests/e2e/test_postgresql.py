"""The chart on a real PostgreSQL outside of the cluster: two servers, of which one is killed, and a way back."""

import subprocess

import psycopg
import pytest
from doubles.postgresql import PASSWORD, PostgreSQL
from kube.taskruns import dag_id, finished, outcome, status, taskrun

from cluster.node.addresses import FIRST, HOST, PODS

pytestmark = [pytest.mark.soak, pytest.mark.alone, pytest.mark.timeout(400)]

SECRET = "airlock-database"
COUNT = 8


@pytest.fixture
def database(system, hooks):
    """
    The URL of an empty database of this machine, as a process of it reaches that; a Secret has the one for pods. The
    cluster is ours, so its pods reach this machine.
    """
    # Pods reach the machine by the node; the machine's answers need the way back.
    route = ["ip", "route", "add", PODS, "via", FIRST.ip]
    subprocess.run(route, check=True, timeout=10)
    server = PostgreSQL(HOST)
    try:
        name = server.make()
        system.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": SECRET},
                "stringData": {"url": server.address_of(name)},
            }
        )
        yield server.url(name)
    finally:
        system("delete", "secret", SECRET, "--ignore-not-found")
        server.close()
        subprocess.run(["ip", "route", "del", PODS], check=True, timeout=10)


def server_pods(system):
    return [
        pod
        for pod in system.list("pods")
        if pod["metadata"]["labels"].get("app.kubernetes.io/component") == "server"
        and "deletionTimestamp" not in pod["metadata"]
    ]


def test_two_servers_on_postgresql_share_the_tasks_and_one_may_die(system, team, install, database):
    names = [f"shared-{number}" for number in range(COUNT)]
    with install.told(**{"server.database.existingSecret": SECRET, "server.replicas": 2}):
        pods = server_pods(system)
        team.apply([taskrun(name, "time.sleep(5)\nti.xcom_push(key='k', value=1)\nreturn 2") for name in names])
        team.wait("taskrun", names[0], lambda run: "running" == status(run).get("state"), 60)
        system("delete", "pod", pods[0]["metadata"]["name"], "--grace-period=0", "--force")
        ends = [outcome(finished(team, name, 120)) for name in names]
        with psycopg.connect(database) as connection:
            rows = connection.execute("SELECT dag_id, state, try_number FROM task_instance").fetchall()
            values = connection.execute("SELECT dag_id, key, convert_from(value, 'UTF8') FROM xcom").fetchall()
        release = install.helm("get", "all", "airlock")
        # The claim of before is still part of the release, without which Helm refuses this.
        install.helm("rollback", "airlock", "--wait", "--timeout=2m")

    assert 2 == len(pods)
    assert [("success", "Succeeded", 1, 1)] * COUNT == ends
    dags = sorted(map(dag_id, names))
    assert [(dag, "success", 1) for dag in dags] == sorted(rows)
    assert sorted((dag, key, value) for dag in dags for key, value in (("k", "1"), ("return_value", "2"))) == sorted(
        values
    )
    # It is in a Secret, and nowhere else that can be read without the right to read Secrets.
    assert PASSWORD not in release
    # The servers are on SQLite again.
    team.apply(taskrun("afterwards"))
    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, "afterwards"))
