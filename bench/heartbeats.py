"""Heartbeats per second, memory and start of the API servers: ours and Airflow's own, each on its own SQLite."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from bench import processes, servers
from bench.load import CONNECTIONS, Call, Round, load
from bench.running import IDENTITY, enter, queue
from bench.stacks import airflow
from bench.tables import Figure, Target, spread, table

SECONDS = 5
#: Server starts, each on the same home, one of each in turn.
STARTS = 5
_SETTLE_SECONDS = 2.0


def section(scratch: Path, rounds: int) -> str:
    """Returns the figures, as Markdown."""
    home, their_home = scratch / "home", scratch / "airflow"
    home.mkdir(mode=0o700)
    ti_id, workload_token = queue(home)
    their_ti, their_token = airflow.running_task(their_home)
    starts, idle = _starts(home, their_home)
    with contextlib.ExitStack() as up:
        ours, url = servers.airlock(home)
        theirs, their_url = airflow.server(their_home)
        nothing, empty_url = servers.empty(scratch / "empty.log")
        for server in (ours, theirs, nothing):
            up.enter_context(server)
        time.sleep(_SETTLE_SECONDS)
        us = _beating(url, ti_id, IDENTITY, enter(url, ti_id, workload_token))
        them = _beating(their_url, str(their_ti["id"]), airflow.IDENTITY, their_token)
        none = us._replace(url=f"{empty_url}/heartbeat")
        samples: tuple[list[Round], list[Round], list[Round]] = ([], [], [])
        for beating in (us, them, none):
            load(beating, SECONDS)
        for _ in range(rounds):
            for beating, into in zip((us, them, none), samples, strict=True):
                into.append(load(beating, SECONDS))
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


def _beating(url: str, ti_id: str, identity: dict[str, Any], token: str) -> Call:
    return Call(f"{url}/task-instances/{ti_id}/heartbeat", json.dumps(identity), token)


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
