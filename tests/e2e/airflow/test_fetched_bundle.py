"""A bundle that an administrator listed, in a git repository that wants a password: fetched for a pod whose user code never has it."""

import json
from pathlib import Path

import pytest
from doubles import gitserver
from doubles.gitserver import LOGIN, PASSWORD
from kube.objects import config_map, restricted, secret, server
from kube.taskruns import RUNNER_IMAGE, dag_id, finished, outcome, reason, status
from kube.witness import query

pytestmark = pytest.mark.timeout(300)
PORT = 8000
DAG = """
import os
from pathlib import Path

from SDK.sdk import DAG, task

from fetched_helper import WHAT

HERE = Path(__file__).parent
#: How the repository's password begins and ends, which only the DAG files themselves have.
BEGINS, ENDS = "s3cret", "repository"


def places():
    yield "environment", str(dict(os.environ))
    for folder in (HERE.parent, Path("/tmp"), Path("/airlock")):
        for path in folder.rglob("*"):
            if path.is_file() and path.name not in ("airlock.py", "airflow.py"):
                yield str(path), path.read_text(errors="replace")


with DAG("ID"):

    @task
    def load():
        found = [place for place, text in places() if BEGINS in text and ENDS in text]
        try:
            (HERE / "mine").write_text("x")
            writable = True
        except OSError:
            writable = False
        return {"what": WHAT, "found": found, "writable": writable, "here": sorted(os.listdir(HERE))}

    load()
"""
SERVE = """
import json, os, sys, threading
from pathlib import Path
sys.path.insert(0, "/served")
from gitserver import GitServer, Repository
repository = Repository(Path("/tmp/git"))
files = json.loads(Path("/served/files.json").read_text())
old = repository.commit(files | {"fetched_helper.py": 'WHAT = "old"'})
new = repository.commit({"fetched_helper.py": 'WHAT = "new"'})
server = GitServer(repository.served, address=("0.0.0.0", 8000))
print(json.dumps({"old": old, "new": new}), flush=True)
threading.Event().wait()
"""
#: A task's runner, and the SDK that its DAG file is written for.
RUNNERS = {"airlock": "airlock", "airflow": "airflow"}


def files():
    return {f"{runner}.py": DAG.replace("SDK", sdk).replace("ID", dag_id(runner)) for runner, sdk in RUNNERS.items()}


@pytest.fixture(scope="module")
def repository(team, airflow, airflow_image):
    """The ids of its two commits. Its server runs in a pod; the chart has it as bundle `sales` while Airflow is there."""
    data = {"gitserver.py": Path(gitserver.__file__).read_text(), "files.json": json.dumps(files()), "serve.py": SERVE}
    team.apply([config_map("served", data), *_server(airflow_image)])
    team("wait", "--for=condition=Ready", "pod/git", "--timeout=60s", seconds=70)
    connection = {"conn_type": "git", "host": f"http://git:{PORT}/repo.git", "login": LOGIN, "password": PASSWORD}
    team.apply(secret("sales-git", {"AIRFLOW_CONN_GIT_DEFAULT": json.dumps(connection)}))
    return json.loads(team("logs", "git").splitlines()[0])


def _server(image):
    container = {
        "image": image,
        "command": ["python", "/served/serve.py"],
        "securityContext": restricted(50000),
        "volumeMounts": [{"name": "served", "mountPath": "/served"}],
    }
    return server("git", PORT, container, volumes=[{"name": "served", "configMap": {"name": "served"}}])


def taskrun(name, runner, image, version=None, **spec):
    bundle = {"name": "sales"} | ({"version": version} if version else {})
    asked = {
        "dagId": dag_id(runner),
        "taskId": "load",
        "runId": name,
        "runner": runner,
        "image": image,
        "bundle": bundle,
    }
    return {
        "apiVersion": "airlock.dev/v1alpha1",
        "kind": "TaskRun",
        "metadata": {"name": name},
        "spec": asked | {"file": f"{runner}.py"} | spec,
    }


def report(team, system, name, runner):
    assert ("success", "Succeeded", 1, 1) == outcome(finished(team, name, 120)), team(
        "logs", f"{name}-1", "--all-containers"
    )
    sql = "SELECT CAST(value AS TEXT) FROM xcom WHERE dag_id = ?1 AND run_id LIKE '%/' || ?2 AND key = 'return_value'"
    return json.loads(query(system, sql, dag_id(runner), name)[0][0])


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_pinned_version_is_there_read_only_and_its_password_nowhere(
    team, system, repository, airflow_image, runner
):
    image = airflow_image if runner == "airflow" else RUNNER_IMAGE
    team.apply(taskrun(f"pinned-{runner}", runner, image, repository["old"]))

    expected = {
        "what": "old",
        "found": [],
        "writable": False,
        "here": ["airflow.py", "airlock.py", "fetched_helper.py"],
    }
    assert expected == report(team, system, f"pinned-{runner}", runner)


def test_the_newest_version_is_what_nobody_pins(team, system, repository):
    team.apply(taskrun("newest", "airlock", RUNNER_IMAGE))

    assert "new" == report(team, system, "newest", "airlock")["what"]


def test_a_password_that_is_there_is_found(team, system, repository):
    leak = {"env": [{"name": "LEAK", "value": PASSWORD}]}
    team.apply(taskrun("leaking", "airlock", RUNNER_IMAGE, repository["old"], pod=leak))

    assert ["environment"] == report(team, system, "leaking", "airlock")["found"]


def test_a_version_that_is_not_there_fails_with_a_reason_and_no_password(team, repository):
    team.apply(taskrun("absent", "airlock", RUNNER_IMAGE, "0" * 40, infraBudget=0))
    run = finished(team, "absent", 120)

    assert "InfraBudgetExhausted" == reason(run)
    assert "BundleFailed" == status(run)["attempts"][-1]["reason"]
    said = status(run)["message"] + team("logs", "absent-1", "-c", "bundle")
    assert "bundle 'sales', version '0000" in said
    assert PASSWORD not in said
