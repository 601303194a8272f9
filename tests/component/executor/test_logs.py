"""What a reader of a task's log is shown: its sidecar's lines, or why there is nothing yet."""

import asyncio

import pytest

from airlock_executor import logs
from airlock_executor.kube.api import Cluster

TI = "0199d0aa-1111-7000-8000-000000000001"
LABELS = {"airlock.dev/task-instance": TI}


@pytest.fixture
def read(api, tmp_path):
    def run(try_number=1):
        async def go():
            cluster = Cluster(api.kubeconfig(tmp_path), seconds=5, connections=2)
            await cluster.open()
            try:
                return await logs.task_log(cluster, ("airflow",), TI, try_number, 100)
            finally:
                await cluster.close()

        return asyncio.run(go())

    return run


def put(api, name, created="2026-01-01T00:00:00Z", **status):
    metadata = {"labels": LABELS, "creationTimestamp": created}
    api.put(name, metadata=metadata, spec={"tryNumber": 1, "taskInstanceId": TI}, status=status)


def test_a_running_tasks_lines_are_its_sidecars(api, read):
    put(api, "run", reason="Running", podRef={"name": "run-1"})
    api.logs["airflow", "run-1"] = '{"event": "one"}\n{"event": "two"}\n'

    assert (["TaskRun airflow/run, pod run-1"], ['{"event": "one"}', '{"event": "two"}']) == read()
    (path,) = [path for method, path, _ in api.calls if path.endswith("/log")]
    assert "/pods/run-1/log" in path


def test_a_task_that_waits_says_why(api, read):
    put(api, "run", reason="Unschedulable", message="0/3 nodes fit")

    assert (["TaskRun airflow/run"], ["Unschedulable: 0/3 nodes fit"]) == read()


def test_a_pod_that_is_gone_leaves_its_reason(api, read):
    put(api, "run", reason="OOMKilled", message="its limit was 256Mi", podRef={"name": "run-1"})
    sources, lines = read()

    assert ["TaskRun airflow/run"] == sources
    assert lines[0].startswith("OOMKilled: its limit was 256Mi (its log cannot be read: ")


def test_the_newest_launch_of_a_try_counts(api, read):
    put(api, "old", created="2026-01-01T00:00:00Z", reason="Deferred")
    put(api, "new", created="2026-01-01T01:00:00Z", reason="Pending")

    assert ["TaskRun airflow/new"] == read()[0]


def test_without_a_taskrun_airflow_looks_elsewhere(api, read):
    put(api, "run", reason="Running", podRef={"name": "run-1"})

    assert ([], []) == read(try_number=2)
