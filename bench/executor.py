"""
Our executor in a real Airflow beside KubernetesExecutor in the same Airflow, on the same node, interleaved.

Both make pods of one image, for the same DAG of no-op tasks. Times are the database's, and user code's own clock on the
one machine that all of it runs on.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.servers import BenchError
from bench.tables import spread
from kube import kubectl
from kube.dropin import DropIn
from kube.dropin_place import running
from kube.install import Install
from kube.place import Place

from cluster.containers import process_id
from cluster.hooks import connect

_EXECUTORS = {"taskrun": "TaskRunExecutor", "kubernetes": "KubernetesExecutor"}
_SECONDS = 900.0
_HOLD_SECONDS = 15
#: The DAG: so many no-op tasks at once, and one that waits while its memory is read.
_DAG = """
import time
from airflow.sdk import DAG, task

for short, executor in {"taskrun": "TaskRunExecutor", "kubernetes": "KubernetesExecutor"}.items():
    with DAG(f"noop__{short}", schedule=None, max_active_tasks=100, default_args={"executor": executor}):

        @task(map_index_template="{{ task.task_id }}")
        def noop(n):
            return time.time()

        @task
        def numbers(dag_run=None):
            return list(range(int(dag_run.conf["count"])))

        noop.expand(n=numbers())

    with DAG(f"holds__{short}", schedule=None, default_args={"executor": executor}):

        @task
        def holds(dag_run=None):
            time.sleep(float(dag_run.conf["seconds"]))

        holds()
"""
#: What a process and all that it started hold.
_ROLLUPS = """
walk() { cat /proc/$1/smaps_rollup; for child in $(cat /proc/$1/task/*/children); do walk $child; done; }
walk"""
_CPU = """
import pathlib
total = 0
for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        continue
    total += sum(map(int, fields[11:15])) if stat.parent.name == "1" else sum(map(int, fields[11:13]))
print(total / 100)
"""


class Round(NamedTuple):
    """
    One DAG run: tasks that failed, seconds from first queued to last ended, medians a task, and what Airflow and our
    operator asked.
    """

    failures: int
    seconds: float
    first_line: float
    scheduler_cpu: float
    calls: float
    operator_calls: float


def section(_: Path, rounds: int) -> str:
    """Returns the figures, as Markdown; BENCH_EXECUTOR is how many tasks there are."""
    count = int(os.environ.get("BENCH_EXECUTOR") or 50)
    with _airflow() as (airflow, hooks):
        results: dict[str, list[Round]] = {short: [] for short in _EXECUTORS}
        memory = {short: _memory(airflow, hooks, short) for short in _EXECUTORS}
        for number in range(rounds + 1):
            for short in _EXECUTORS if number % 2 else reversed(_EXECUTORS):
                result = _round(airflow, hooks, short, f"r{number}", count)
                print(f"{short} {number}: {result}", file=sys.stderr)
                # The first of each fills caches.
                if number:
                    results[short].append(result)
    return _table(count, rounds, results, memory)


@contextmanager
def _airflow() -> Iterator[tuple[DropIn, Any]]:
    hooks = connect()
    if hooks is None:
        raise BenchError("this section needs a cluster of ours: type `make up`, and the line that it prints")
    cluster, place = kubectl.of_environment(), Place()
    with place.taken(alone=True):
        install = Install(cluster.of("airlock-system"), place)
        executors, parallel = list(_EXECUTORS), {"CORE__PARALLELISM": "64"}
        with running(cluster, hooks, install, {"noop.py": _DAG}, executors, **parallel) as airflow:
            known = "SELECT dag_id FROM dag"
            airflow.until(lambda: len(airflow.rows(known)) == 2 * len(_EXECUTORS), 120, "the DAGs")
            yield airflow, hooks


def _round(airflow: DropIn, hooks: Any, short: str, run_id: str, count: int) -> Round:
    dag_id = f"noop__{short}"
    before, began = _cpu(airflow), time.time()
    airflow.trigger(dag_id, run_id, {"count": count})
    over = "SELECT state FROM dag_run WHERE dag_id = %s AND run_id = %s"
    airflow.until(
        lambda: airflow.rows(over, dag_id, run_id)[0][0] in ("success", "failed"), _SECONDS, f"end of {run_id}"
    )
    # What follows the last end, as the deletion of pods, belongs to it.
    time.sleep(5)
    cpu, ended = _cpu(airflow) - before, time.time()
    rows = airflow.rows(
        "SELECT t.queued_dttm, t.end_date, t.state, x.value, t.map_index FROM task_instance t LEFT JOIN xcom x ON "
        "(x.dag_id, x.run_id, x.task_id, x.map_index, x.key) = (t.dag_id, t.run_id, t.task_id, t.map_index, "
        "'return_value') WHERE t.dag_id = %s AND t.run_id = %s AND t.task_id = 'noop'",
        dag_id,
        run_id,
    )
    if len(rows) != count:
        raise BenchError(f"{dag_id}, {run_id}: {len(rows)} of {count} tasks are there; the task before them failed")
    failures = [row for row in rows if row[2] != "success"]
    for row in failures:
        _tell(airflow, dag_id, run_id, row[4])
    seconds = (max(row[1] for row in rows) - min(row[0] for row in rows)).total_seconds()
    lines = [float(row[3]) - row[0].timestamp() for row in rows if row[3] is not None]
    if not lines:
        raise BenchError(f"{dag_id}, {run_id}: no task succeeded")
    calls = _calls(airflow, hooks, began, ended)
    tasks = count + 1
    return Round(len(failures), seconds, statistics.median(lines), cpu / tasks, calls[0] / tasks, calls[1] / tasks)


def _tell(airflow: DropIn, dag_id: str, run_id: str, map_index: int) -> None:
    """Prints what Airflow's event log says of a task that failed."""
    sql = "SELECT event, extra FROM log WHERE dag_id = %s AND run_id = %s AND map_index = %s ORDER BY id"
    print(
        f"{dag_id} {run_id} noop[{map_index}] failed: {airflow.rows(sql, dag_id, run_id, map_index)}", file=sys.stderr
    )


def _cpu(airflow: DropIn) -> float:
    """Returns the processor seconds of the scheduler's container so far."""
    return float(airflow.team("exec", "airflow", "-c", "scheduler", "--", "python", "-c", _CPU))


def _calls(airflow: DropIn, hooks: Any, began: float, ended: float) -> tuple[int, int]:
    """Returns how many calls the API server had in that time from Airflow's account, and from our operator's."""
    own, operators = f"system:serviceaccount:{airflow.team.namespace}:airflow", "airlock-operator"
    numbers = [0, 0]
    for entry in hooks.audit_log():
        if entry.get("stage") not in ("ResponseComplete", None):
            continue
        at = datetime.fromisoformat(entry["requestReceivedTimestamp"]).timestamp()
        if began <= at <= ended:
            user = entry["user"]["username"]
            numbers[0] += user == own
            numbers[1] += user.endswith(operators) and "/leases/" not in entry.get("requestURI", "")
    return numbers[0], numbers[1]


def _memory(airflow: DropIn, hooks: Any, short: str) -> int:
    """Returns the bytes that the processes of a task's pod hold while its task runs (PSS)."""
    dag_id = f"holds__{short}"
    airflow.trigger(dag_id, "memory", {"seconds": _HOLD_SECONDS})
    state = "SELECT state FROM task_instance WHERE dag_id = %s"
    airflow.until(lambda: airflow.rows(state, dag_id)[0][0] == "running", 120, f"a running {dag_id}")
    time.sleep(3)
    pods = [pod for pod in airflow.team.list("pods") if pod["metadata"]["name"].startswith("holds-")]
    live = next(pod for pod in pods if pod["status"]["phase"] == "Running")
    total = 0
    for container in ["sidecar", "runner"] if short == "taskrun" else ["base"]:
        program = process_id(hooks, live, container)
        rollups = hooks.node_exec("sh", "-c", f"{_ROLLUPS} {program}").stdout
        total += sum(int(kilobytes) * 1024 for kilobytes in re.findall(r"^Pss:\s+(\d+) kB", rollups, re.MULTILINE))
    airflow.ended(dag_id, 120)
    return total


def _table(count: int, rounds: int, results: dict[str, list[Round]], memory: dict[str, int]) -> str:
    ours, theirs = results["taskrun"], results["kubernetes"]

    def row(what: str, field: str) -> str:
        ours_of, theirs_of = ([getattr(each, field) for each in of] for of in (ours, theirs))
        ratio = statistics.median(theirs_of) / statistics.median(ours_of) if statistics.median(ours_of) else 0.0
        return f"| {what} | {spread(ours_of)} | {spread(theirs_of)} | {ratio:.2f}x |"

    operator_calls = statistics.median([each.operator_calls for each in ours])
    mib = {short: f"{size / 2**20:.0f} MiB" for short, size in memory.items()}
    return f"""## {count} no-op tasks by a real Airflow's executors

{rounds} interleaved rounds in one Airflow on PostgreSQL, with Airflow's own runner in the same image; median (min-max).
KubernetesExecutor makes 16 pods a loop.

| what | TaskRunExecutor | KubernetesExecutor | ratio |
|---|---|---|---|
{row("tasks that failed", "failures")}
{row("first queued to last ended, s", "seconds")}
{row("queued to first user line, s", "first_line")}
{row("processor time of the scheduler, s a task", "scheduler_cpu")}
{row("API calls of the executor, a task", "calls")}

Our operator makes {operator_calls:.1f} calls a task beside them. A task's pod holds {mib["taskrun"]} under ours,
runner and sidecar, and {mib["kubernetes"]} under KubernetesExecutor.
"""
