"""No token of a real Airflow is where somebody could read it: objects, arguments, environments, logs."""

import base64
import re

import pytest
from doubles import postgresql
from kube.dropin import PASSWORD

pytestmark = pytest.mark.timeout(600)
#: A signed token, wherever it stands.
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}")
#: What every process of a container was started with, and has in its environment. A process of another user is skipped.
_PROCESSES = """
import pathlib
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    for name in ("cmdline", "environ"):
        try:
            print(folder.name, name, (folder / name).read_bytes().replace(bytes(1), b" ").decode(errors="replace"))
        except OSError:
            pass
"""


@pytest.fixture(scope="module")
def run(dropin):
    """A TaskRun whose user code runs, and its pod's name."""
    dropin.trigger("one_sleeper", "tokens", {"seconds": 60})
    dropin.until(lambda: _running(dropin), 120, "task that runs")
    return _running(dropin)


def _running(airflow):
    runs = [each for each in airflow.taskruns("one_sleeper") if each["spec"]["runId"] == "tokens"]
    return next((each for each in runs if (each.get("status") or {}).get("reason") == "Running"), None)


def found(text):
    return TOKEN.findall(text)


def test_the_token_is_in_its_secret_which_shows_that_the_search_finds_one(dropin, run):
    secret = dropin.team.get("secret", f"airlock-token-{run['metadata']['name']}")
    assert found(base64.b64decode(secret["data"]["token"]).decode())
    assert PASSWORD in base64.b64decode(secret["data"]["lookups.json"]).decode()


def test_the_password_of_airflows_database_reaches_neither_the_sidecar_nor_user_code(dropin, run):
    """
    Every component has it as a connection, so the API server gives it to whoever asks with a task's token. Answers are
    printed backwards, as the password is masked.
    """
    data = dropin.team.get("secret", f"airlock-token-{run['metadata']['name']}")["data"]
    dropin.trigger("asks_for_the_database", "asks")
    assert "success" == dropin.ended("asks_for_the_database", 120)
    log = dropin.team("logs", f"{dropin.taskruns('asks_for_the_database')[-1]['metadata']['name']}-1", "-c", "sidecar")
    answers = [line.partition("asked for the database: ")[2] for line in log.splitlines() if "asked for the" in line]
    check = dropin.team("exec", "airflow", "-c", "scheduler", "--", "airlock-executor", "check")

    assert postgresql.PASSWORD not in base64.b64decode(data["lookups.json"]).decode()
    assert 3 == len(answers)
    assert [] == [each for each in answers if "deineDsseccA" not in each]
    assert postgresql.PASSWORD[::-1] not in log
    assert "database-connection: the API server gives tasks connection 'AIRFLOW_DB'" in check


@pytest.mark.parametrize("kind", ["pods", "taskruns", "events", "configmaps"])
def test_no_object_shows_it(dropin, run, kind):
    text = dropin.team("get", kind, "-o", "yaml")

    assert [] == found(text)
    assert kind != "taskruns" or PASSWORD not in text


@pytest.mark.parametrize("container", ["runner", "sidecar"])
def test_no_argument_and_no_environment_of_its_pod_has_it(dropin, run, container):
    words = ("exec", f"{run['metadata']['name']}-1", "-c", container, "--", "python", "-c", _PROCESSES)
    text = dropin.team(*words)

    assert "cmdline" in text
    assert [] == found(text)
    assert PASSWORD not in text


def test_no_log_has_it(dropin, run):
    pod = f"{run['metadata']['name']}-1"
    logs = [dropin.team("logs", "airflow", "-c", "scheduler"), dropin.team("logs", pod, "--all-containers")]

    assert all(logs)
    assert [[], []] == [found(text) for text in logs]
