"""The executor beside others, in the API server, and as a program; and KubernetesExecutor's options, each with an answer."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[3] / "docs/guides/airflow-in-ten-minutes.md"


@pytest.fixture
def found(api, drive, tmp_path):
    api.put(
        "run",
        metadata={"labels": {"airlock.dev/task-instance": "0199d0aa-1111-7000-8000-000000000001"}},
        spec={"tryNumber": 1},
        status={"reason": "Running", "podRef": {"name": "run-1"}},
    )
    api.logs["airflow", "run-1"] = '{"event": "hello"}\n'
    api.forbidden.add(("watch", "taskruns.airlock.dev"))
    api.forbidden.discard(("create", "pods/exec"))
    return drive(
        "api_server.py",
        AIRFLOW__CORE__EXECUTOR="LocalExecutor,runs:airlock_executor.TaskRunExecutor",
        KUBECONFIG_OF_TEST=str(tmp_path / "kubeconfig"),
    )


def test_other_processes_use_the_executor_without_a_scheduler(found):
    assert {"LocalExecutor": "LocalExecutor", "runs": "TaskRunExecutor"} == found["executors"]
    assert [True, False, False, False] == found["flags"]
    assert "does not support ExecuteCallback workloads" in found["refused"]
    # A log is read from the pod, and a fault is a line instead of an error page.
    assert [["TaskRun airflow/run, pod run-1"], ['{"event": "hello"}']] == found["log"]
    assert "The log cannot be read from Kubernetes: no way into a cluster" in found["unreachable"][1][0]
    assert "[airlock] imag: there is no such option; do you mean image?" in found["misspelt"][1][0]
    # The program says what is wrong, by names that can be accepted.
    code, printed = found["check"]
    assert 1 == code
    assert "error    rights: this account may not watch taskruns.airlock.dev in namespace airflow" in printed
    assert "warning  too-many-rights: this account may create pods/exec in namespace airflow" in printed
    assert "warning  dag-files: bundle 'dags-folder' is in" in printed
    assert [
        ["bundle 'dags-folder' is in /nowhere, which holds no DAG file in this container"],
        ["bundle 'dags-folder' is in /dev/shm/airlock-dags, on the volume that this container has at /dev/shm"],
        [],
        [],
    ] == found["absent"]
    wrong_code, wrong = found["wrong"]
    assert 2 == wrong_code
    assert "[airlock] token_seconds: it must be from 60 to 86400; it is 1" in wrong
    assert [["images/airflow:1", "airflow", "airflow"], ["images/sales:1", "airflow-sales-eu", "airflow"]] == found[
        "teams"
    ]
    # Every option of the installed provider has a row in the guide, and no row is about another.
    rows = re.findall(
        r"^\| `\[kubernetes_executor\] (\w+)` \| (kept as|replaced by|refused because)", GUIDE.read_text(), re.MULTILINE
    )
    assert set(found["options"]) == {name for name, _ in rows}
