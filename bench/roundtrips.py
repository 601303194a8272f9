"""What a request costs user code: variables, XComs, and one large XCom."""

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from bench import launches, tasks
from bench.servers import BenchError
from bench.stacks import airflow
from bench.tables import Figure, Target, table

_TASK = "roundtrips"


class Round(Protocol):
    """One launch of the task; what its user code wrote down."""

    def __call__(self) -> dict[str, Any]: ...


def section(scratch: Path, pairs: int) -> str:
    """Returns the figures, as Markdown."""
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    shared: list[dict[str, Any]] = []
    with launches.field(scratch) as field, _own_server(scratch, pairs + 1) as own:
        stacks: list[tuple[Round, list[dict[str, Any]]]] = [
            (lambda: field.launch(field.ours, _TASK).marks, ours),
            (own, theirs),
            (lambda: field.launch(field.theirs, _TASK).marks, shared),
        ]
        for launch, _ in stacks:
            launch()
        for number in range(pairs):
            for launch, marks in stacks if number % 2 == 0 else reversed(stacks):
                marks.append(launch())
    return f"""## Requests as user code sees them, each stack against its own API server

One task in each launch makes all of these calls. Both servers are on SQLite on this machine.

{requests_table(ours, theirs)}

The same for Airflow's runner and supervisor against our API server, which isolates the client side:

{requests_table(ours, shared)}
"""


def requests_table(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], *, native: bool = True) -> str:
    """
    Returns what requests cost user code, by what launches of two stacks wrote down; targets are those of our own
    runner.
    """
    rows = [
        (f"Variable.get, median of {tasks.CALLS} in one task", "variable", 4.0),
        (f"xcom_pull, median of {tasks.CALLS} in one task", "xcom", 4.0),
        (f"XCom of {tasks.LARGE // 10**6} MB, set", "write", 3.0),
        (f"XCom of {tasks.LARGE // 10**6} MB, get", "read", 3.0),
    ]
    figures = [
        Figure(
            what,
            "ms",
            _milliseconds(ours, name),
            _milliseconds(theirs, name),
            Target(times=times) if native else Target(),
        )
        for what, name, times in rows
    ]
    return table(figures)


def _milliseconds(all_marks: list[dict[str, Any]], name: str) -> list[float]:
    values = [marks[name] for marks in all_marks]
    return [1000 * (statistics.median(value) if isinstance(value, list) else value) for value in values]


@contextmanager
def _own_server(scratch: Path, count: int) -> Iterator[Round]:
    """Airflow's API server on its own database; each call is one launch by its supervisor against it."""
    home, marks = scratch / "airflow-server", scratch / "own-marks.json"
    queued = iter(airflow.queue_tasks(home, _TASK, count))
    server, url = airflow.server(home)
    stack = airflow.Launches(scratch, url, marks, home="airflow-own")

    def launch() -> dict[str, Any]:
        ti, token = next(queued)
        marks.unlink(missing_ok=True)
        stack.run(ti, token, lambda _: None)
        if not marks.exists():
            raise BenchError(f"Airflow's launch against its own server did not end well:\n{stack.said()}")
        times: dict[str, Any] = json.loads(marks.read_text())
        return times

    with server:
        yield launch
