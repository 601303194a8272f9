"""Heartbeats per second, memory and start of the API servers: ours and Airflow's own, each on its own SQLite."""

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from bench import processes, servers
from bench.servers import ROOT, BenchError
from bench.stacks import airflow
from bench.tables import Figure, Target, spread, table

from airlock_server.installation import Installation
from airlock_server.store import tries as store
from airlock_server.store.engine.types import now
from airlock_wire.identity import TaskInstanceKey

CONNECTIONS = 32
SECONDS = 5
#: Server starts, each on the same home, one of each in turn.
STARTS = 5
_SETTLE_SECONDS = 2.0


class Beating(NamedTuple):
    """One running task instance: where its heartbeats go, what they say, and the token that opens it."""

    url: str
    body: str
    token: str


class Round(NamedTuple):
    """What wrk saw."""

    per_second: float
    p50_ms: float
    p99_ms: float


def section(scratch: Path, rounds: int) -> str:
    """Returns the figures, as Markdown."""
    home, their_home = scratch / "home", scratch / "airflow"
    home.mkdir(mode=0o700)
    ti_id, workload_token = _queue(home)
    their_ti, their_token = airflow.running_task(their_home)
    starts, idle = _starts(home, their_home)
    with contextlib.ExitStack() as up:
        ours, url = servers.airlock(home)
        theirs, their_url = airflow.server(their_home)
        nothing, empty_url = servers.empty(scratch / "empty.log")
        for server in (ours, theirs, nothing):
            up.enter_context(server)
        time.sleep(_SETTLE_SECONDS)
        us = _running(url, ti_id, workload_token)
        them = _beating(their_url, their_ti, {"hostname": "bench", "pid": 4321}, their_token)
        none = us._replace(url=f"{empty_url}/heartbeat")
        samples: tuple[list[Round], list[Round], list[Round]] = ([], [], [])
        for beating in (us, them, none):
            _load(beating, SECONDS)
        for _ in range(rounds):
            for beating, into in zip((us, them, none), samples, strict=True):
                into.append(_load(beating, SECONDS))
        time.sleep(_SETTLE_SECONDS)
        after = [processes.tree_pss_mb([server.pid]) for server in (ours, theirs)]
    beats = [[one.per_second for one in side] for side in samples]
    figures = [
        Figure("heartbeats, committed", "1/s", beats[0], beats[1], Target(times=10), more=True),
        Figure("latency, median", "ms", [x.p50_ms for x in samples[0]], [x.p50_ms for x in samples[1]]),
        Figure("latency, 99th percentile", "ms", [x.p99_ms for x in samples[0]], [x.p99_ms for x in samples[1]]),
        Figure("API server idle, PSS of all its processes", "MB", idle[0], idle[1], Target(at_most=80)),
        Figure("the same after the load", "MB", after[:1], after[1:]),
        Figure("API server, exec to first answer", "s", starts[0], starts[1]),
    ]
    return f"""## The Execution API

`wrk -t2 -c{CONNECTIONS} -d{SECONDS}s` beats for one running task instance, {rounds} rounds in turn. Both servers: one
worker, SQLite on the same disk, started by their own command (`airlock api-server`; `airflow api-server --apps
execution`). A 204 means that the heartbeat is committed, on both; any other answer aborts the bench. Generator and
server share the machine's cores.

{table(figures)}

The generator's ceiling, against a server that only answers 204 (uvicorn, uvloop, httptools): {spread(beats[2])} /s.
"""


def _queue(home: Path) -> tuple[str, str]:
    """Queues a task instance in our store; returns its id and workload token."""
    with Installation(servers.airlock_env(home, 0)) as installation:

        def write(conn: Any) -> str:
            store.claim_dag(conn, "bench", "bench")
            return store.queue_task(
                conn,
                TaskInstanceKey("bench", "manual__bench", "bench"),
                try_number=1,
                max_tries=0,
                conf=None,
                now=now(),
            )

        ti_id = installation.database.write(write)
        return ti_id, installation.tokens.mint_workload(ti_id)


def _running(url: str, ti_id: str, token: str) -> Beating:
    """Enters running, as a sidecar does, and trades the workload token for an execution token."""
    identity = {"hostname": "bench", "pid": os.getpid()}
    body = {"state": "running", "unixname": "bench", "start_date": now().isoformat(), **identity}
    request = urllib.request.Request(
        f"{url}/task-instances/{ti_id}/run",
        method="PATCH",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return _beating(url, ti_id, identity, answer.headers["Refreshed-API-Token"])


def _beating(url: str, ti_id: str, identity: dict[str, Any], token: str) -> Beating:
    return Beating(f"{url}/task-instances/{ti_id}/heartbeat", json.dumps(identity), token)


def _load(beating: Beating, seconds: int) -> Round:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchError("wrk is not installed: apt-get install wrk, or your system's package of that name")
    script = ROOT / "bench/heartbeats.lua"
    process = subprocess.run(
        [wrk, "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", script, beating.url],
        env={"PATH": os.environ["PATH"], "BENCH_BODY": beating.body, "BENCH_TOKEN": beating.token},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    if process.returncode != 0:
        raise BenchError(f"wrk failed: {process.stdout}{process.stderr}")
    summary = json.loads(process.stdout.splitlines()[-1])
    if summary["refused"] or summary["broken"] or not summary["requests"]:
        raise BenchError(f"{beating.url} did not take every heartbeat: {summary}")
    return Round(summary["requests"] / summary["seconds"], summary["p50_ms"], summary["p99_ms"])


def _starts(home: Path, their_home: Path) -> tuple[tuple[list[float], list[float]], tuple[list[float], list[float]]]:
    """Seconds to the first answer, and MB once idle, ours and Airflow's."""
    seconds: tuple[list[float], list[float]] = ([], [])
    idle: tuple[list[float], list[float]] = ([], [])
    for number in range(STARTS + 1):
        for side, (server, _) in enumerate((servers.airlock(home), airflow.server(their_home))):
            with server:
                time.sleep(_SETTLE_SECONDS)
                if number:  # The first start compiles bytecode and makes the schema.
                    seconds[side].append(server.started_seconds)
                    idle[side].append(processes.tree_pss_mb([server.pid]))
    return seconds, idle
