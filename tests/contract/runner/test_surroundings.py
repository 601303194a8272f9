"""What Airflow's own runner sees and writes in a container that our launcher started, behind our sidecar."""

import shutil
import subprocess

import pytest

from airlock_wire.record import Reason

pytestmark = pytest.mark.slow


def run(pod, task_id, **how):
    ended = pod.run(task_id, file="surroundings.py", dag_id="surroundings", **how)
    assert Reason.SUCCEEDED == ended.record.reason, ended.text()
    return ended


def test_a_connections_password_is_masked_on_every_way_out(pod):
    ended = run(pod, "prints_a_password")

    for logger in ("task.stdout", "task.stderr", "mine"):
        assert ["it is ***"] == ended.events(logger)
    assert "open-sesame" not in ended.text()


def test_all_that_is_said_is_in_the_log_under_its_logger(pod):
    ended = run(pod, "says_in_every_way")

    assert ["printed", "from C", "from a child"] == ended.events("task.stdout")
    assert ["complained"] == ended.events("task.stderr")
    assert ["logged"] == ended.events("mine")
    assert {"surroundings"} == {line["dag_id"] for line in ended.log}


def test_it_sees_nothing_of_the_launchers_and_no_credential_of_the_platform(pod, api, tmp_path):
    pod.env |= {
        "AIRLOCK__API__URL": "http://server.example",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://airflow:p4ss@db.example/airflow",
        "AIRFLOW__API_AUTH__JWT_SECRET": "s1gning",
        "AIRFLOW__CORE__FERNET_KEY_CMD": "cat f3rnet",
        # As a pod template's envFrom gives them, which the executor cannot see.
        "AIRFLOW_CONN_WAREHOUSE": "postgres://u:w4rehouse@h/d",
        "AIRFLOW_VAR_KEY": "v4riable",
        "MINE": "kept",
    }
    ended = run(pod, "looks_around")
    saw = api.pushed()

    assert [] == [name for name in saw["names"] if name.startswith("AIRLOCK")]
    assert "MINE" in saw["names"]
    for environment in (saw["child"], saw["first_environment"]):
        for secret in (
            "server.example",
            "db.example",
            "s1gning",
            "f3rnet",
            "w4rehouse",
            "v4riable",
            "AIRLOCK",
            "PYTHONPATH",
        ):
            assert secret not in environment
    assert "airlock-launcher: AIRFLOW_CONN_WAREHOUSE, AIRFLOW_VAR_KEY: left out" in ended.stderr
    assert {"modules": [], "path": [], "argv": [], "stdin": "", "main_thread": True} == {
        key: saw[key] for key in ("modules", "path", "argv", "stdin", "main_thread")
    }


def test_the_metadata_database_is_out_of_reach(pod):
    ended = pod.run("opens_the_database", file="surroundings.py", dag_id="surroundings")

    assert Reason.FAILED == ended.record.reason
    assert "Direct database access via the ORM is not allowed" in ended.text(), ended.text()


def test_a_thread_of_the_task_may_ask(pod, api):
    run(pod, "looks_up_in_a_thread")

    assert ["hello"] == api.pushed()


@pytest.mark.parametrize("task_id", ["external_python", "virtualenv"])
def test_a_process_that_the_task_starts_asks_over_the_same_socket(pod, api, task_id):
    """It counts its requests from 0 again, and asks for a log channel of its own before anything else."""
    ended = run(pod, task_id)

    assert "hello" == api.pushed()
    assert 1 == len([line for line in ended.log if "printed outside" in line["event"]])
    assert ["logged outside"] == ended.events("outside")


def test_an_empty_environment_and_a_read_only_root_are_enough(pod, api):
    read_only = _read_only_root()
    pod.env = {
        name: value for name, value in pod.env.items() if name == "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"
    } | {"TMPDIR": "/var/tmp"}
    ended = pod.run("succeed", before=read_only)

    assert Reason.SUCCEEDED == ended.record.reason, ended.text() + ended.stderr
    assert {"answer": 42} == api.pushed()


def _read_only_root():
    script = 'mount -o remount,bind,ro / && mount -t tmpfs none /var/tmp && ! touch /here 2>/dev/null && exec "$@"'
    command = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")
    if not shutil.which("unshare") or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("this user cannot make a file system read-only for one process: root can")
    return command
