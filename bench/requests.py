"""
Requests per second of the API servers, ours and Airflow's, on the same database: SQLite, and one PostgreSQL for both.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench import processes, running, servers
from bench.load import CONNECTIONS, Call, Round, load
from bench.stacks import airflow
from bench.tables import Figure, Target, table

SECONDS = 4
#: For values of 10 MB: on many connections a slow server would answer all of them after the end.
_LARGE_SECONDS, _LARGE_CONNECTIONS = 10, 2
_SETTLE_SECONDS = 2.0
_LARGE = 10_000_000


class Side(NamedTuple):
    """A server, the task instance that runs there, and the token of that."""

    server: servers.Server
    url: str
    ti: dict[str, Any]
    token: str
    identity: dict[str, Any]

    def call(self, method: str, path: str, body: Any = None) -> Call:
        """Returns a call; ``path`` may name a field of the task instance in braces."""
        text = None if body is None else json.dumps(body)
        return Call(self.url + path.format(**self.ti), text, self.token, method)


#: What is measured: its name, method, path and body. What is read was written by the line before, or is there already.
_XCOM = "/xcoms/{dag_id}/{run_id}/{task_id}"
_CALLS: list[tuple[str, str, str, Any]] = [
    ("GetVariable", "GET", "/variables/bench", None),
    ("SetXCom", "POST", f"{_XCOM}/small", "x"),
    ("GetXCom", "GET", f"{_XCOM}/small", None),
    ("state store, put", "PUT", "/store/ti/{id}/offset", {"value": 7}),
    ("state store, get", "GET", "/store/ti/{id}/offset", None),
    ("XCom of 10 MB, set", "POST", f"{_XCOM}/large", "x" * _LARGE),
    ("XCom of 10 MB, get", "GET", f"{_XCOM}/large", None),
]


def section(scratch: Path, rounds: int) -> str:
    """Returns the figures, as Markdown."""
    parts = [
        (
            "## Requests per second\n\n"
            f"`wrk -c{CONNECTIONS} -d{SECONDS}s`, {rounds} rounds in turn; one worker each. A value of 10 MB goes over "
            f"{_LARGE_CONNECTIONS} connections for {_LARGE_SECONDS} s. Generator, servers and database share the "
            "machine's cores. A target is ten times Airflow's figure, three times for 10 MB."
        ),
        _on_one(scratch / "sqlite", rounds, "SQLite, a file each", "", ""),
    ]
    with _postgresql() as make:
        parts.append(_on_one(scratch / "postgresql", rounds, "PostgreSQL, one server for both", make(), make()))
    return "\n\n".join(parts) + "\n"


def _on_one(scratch: Path, rounds: int, title: str, our_database: str, their_database: str) -> str:
    home, their_home = scratch / "home", scratch / "airflow"
    scratch.mkdir()
    home.mkdir(mode=0o700)
    ti_id, workload_token = running.queue(home, our_database)
    their_ti, their_token = airflow.running_task(their_home, their_database)
    ours, url = servers.airlock(home, our_database)
    theirs, their_url = airflow.server(their_home, their_database)
    samples: dict[str, tuple[list[Round], list[Round]]] = {}
    with ours, theirs:
        time.sleep(_SETTLE_SECONDS)
        idle = [processes.tree_pss_mb([server.pid]) for server in (ours, theirs)]
        our_ti = {"id": ti_id, "dag_id": running.DAG_ID, "run_id": running.RUN_ID, "task_id": running.TASK_ID}
        us = Side(ours, url, our_ti, running.enter(url, ti_id, workload_token), running.IDENTITY)
        them = Side(theirs, their_url, their_ti, their_token, airflow.IDENTITY)
        for _ in range(rounds):
            for name, method, path, body in _CALLS:
                for place, side in enumerate((us, them)):
                    call = side.call(method, path, body)
                    samples.setdefault(name, ([], []))[place].append(_measured(name, call, may_refuse=place == 1))
            for place, side in enumerate((us, them)):
                beat = side.call("PUT", "/task-instances/{id}/heartbeat", side.identity)
                samples.setdefault("heartbeat", ([], []))[place].append(load(beat, SECONDS))
        time.sleep(_SETTLE_SECONDS)
        after = [processes.tree_pss_mb([server.pid]) for server in (ours, theirs)]
    figures = [
        Figure(
            name,
            "1/s",
            [each.per_second for each in both[0]],
            [each.per_second for each in both[1]],
            Target(times=3 if "10 MB" in name else 10),
            more=True,
        )
        for name, both in samples.items()
    ]
    figures += [
        Figure("API server idle, PSS of all its processes", "MB", idle[:1], idle[1:]),
        Figure("the same after the load", "MB", after[:1], after[1:]),
    ]
    return f"### {title}\n\n{table(figures)}{_refusals(samples)}"


def _measured(name: str, call: Call, *, may_refuse: bool) -> Round:
    """Airflow's server may refuse: two writes of one XCom at once are answered with 500 there."""
    seconds, connections = (_LARGE_SECONDS, _LARGE_CONNECTIONS) if "10 MB" in name else (SECONDS, CONNECTIONS)
    return load(call, seconds, connections, may_refuse=may_refuse)


def _refusals(samples: dict[str, tuple[list[Round], list[Round]]]) -> str:
    shares = {name: max(each.refused for each in theirs) for name, (_, theirs) in samples.items()}
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share)
    return f"\n\nAirflow refused, of its calls at most: {listed}. They do not count." if listed else ""


@contextlib.contextmanager
def _postgresql() -> Iterator[Any]:
    """Yields what makes an empty database and returns its URL."""
    from doubles.postgresql import PostgreSQL

    server = PostgreSQL("127.0.0.1")
    try:
        yield lambda: server.address_of(server.make())
    finally:
        server.close()
