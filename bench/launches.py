"""
Pairs of launches, one by each stack in turn, of the same task against the same API server process (ours).

The server is the same for both so that only the client side differs: process start, imports, and how each end of a
launch is noticed.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Generator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from bench import processes, servers, tasks
from bench.servers import BenchError
from bench.stacks import airflow, airlock, dropin

from airlock_server.installation import Installation
from airlock_server.store import tries as store
from airlock_server.store import variables
from airlock_server.store.engine.types import now
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.states import TaskInstanceState

#: Fewer samples than this in a launch say nothing about its peak.
MIN_SAMPLES = 5


class Stack(Protocol):
    """What can launch a task instance."""

    name: str

    def run(self, ti: dict[str, object], token: str, started: Callable[[list[int]], None]) -> float:
        """Runs one launch; returns CLOCK_MONOTONIC at its end. ``started`` is called with the processes."""
        ...

    def said(self) -> str:
        """Returns the end of the last launch's output, for an error's text."""
        ...


class Launch(NamedTuple):
    """One launch, in seconds and MB; ``marks`` is what user code wrote down. ``peak_mb`` is 0 where it was timed."""

    began: float
    ended: float
    cpu: float
    peak_mb: float
    marks: dict[str, Any]

    @property
    def to_first_line(self) -> float:
        """From the launch to user code's first line."""
        first: float = self.marks["first"]
        return first - self.began

    @property
    def to_gone(self) -> float:
        """From user code's last line to the end of every process of the launch."""
        last: float = self.marks["last"]
        return self.ended - last

    @property
    def wall(self) -> float:
        """From the launch to the end of its processes."""
        return self.ended - self.began


class Field:
    """Where launches happen: one API server and both stacks."""

    def __init__(self, scratch: Path, url: str, installation: Installation) -> None:
        self._installation = installation
        self._marks = scratch / "marks.json"
        self._scratch, self._url = scratch, url
        self.ours = airlock.Launches(scratch, url, self._marks)

    @cached_property
    def theirs(self) -> airflow.Launches:
        """Airflow's side; raises BenchError where Airflow is not installed."""
        return airflow.Launches(self._scratch, self._url, self._marks)

    @cached_property
    def dropin(self) -> dropin.Launches:
        """Our sidecar with Airflow's runner; raises BenchError where Airflow is not installed."""
        return dropin.Launches(self._scratch, self._url, self._marks)

    def launch(self, stack: Stack, task_id: str, *, watched: bool = False, tries: int = 5) -> Launch:
        """
        Runs one launch of one task; raises BenchError unless it ends in success.

        A watched launch that was sampled too seldom to know its peak is made again, ``tries`` times at most.
        """
        ti, token = self._queue(task_id)
        self._marks.unlink(missing_ok=True)
        before, cpu = processes.children(os.getpid()), processes.cpu_seconds()
        watch: list[processes.PeakMemory] = []
        with contextlib.ExitStack() as stop:

            def started(pids: list[int]) -> None:
                if watched:
                    watch.append(stop.enter_context(processes.PeakMemory(pids)))

            began = time.monotonic()
            ended = stack.run(ti, token, started)
        leftovers = processes.children(os.getpid()) - before
        if leftovers:
            raise BenchError(f"{stack.name}'s launch left processes behind: {leftovers}")
        outcome = self._installation.database.read(lambda conn: store.outcome(conn, str(ti["id"])))
        if outcome is None or outcome.state is not TaskInstanceState.SUCCESS or not self._marks.exists():
            raise BenchError(f"{stack.name}'s launch of {task_id} ended as {outcome}:\n{stack.said()}")
        marks = json.loads(self._marks.read_text())
        if watched and watch[0].samples < MIN_SAMPLES:
            if tries == 1:
                raise BenchError(f"{stack.name}'s launch was sampled {watch[0].samples} times: the machine is too busy")
            return self.launch(stack, task_id, watched=True, tries=tries - 1)
        peak = watch[0].mb if watched else 0.0
        return Launch(began, ended, processes.cpu_seconds() - cpu, peak, marks)

    def pairs(
        self, count: int, task_id: str, *, watched: bool = False, ours: Stack | None = None
    ) -> tuple[list[Launch], list[Launch]]:
        """``count`` pairs, ours (or another stack of ours) and Airflow's; who goes first alternates."""
        our_launches: list[Launch] = []
        their_launches: list[Launch] = []
        both: list[tuple[Stack, list[Launch]]] = [(ours or self.ours, our_launches), (self.theirs, their_launches)]
        for number in range(count):
            for stack, launches in both if number % 2 == 0 else reversed(both):
                launches.append(self.launch(stack, task_id, watched=watched))
        return our_launches, their_launches

    def _queue(self, task_id: str) -> tuple[dict[str, object], str]:
        run_id = f"manual__{time.time_ns()}"

        def write(conn: Any) -> str:
            return store.queue_task(
                conn,
                TaskInstanceKey(tasks.DAG_ID, run_id, task_id),
                try_number=1,
                max_tries=0,
                conf=None,
                now=now(),
            )

        ti_id = self._installation.database.write(write)
        outcome = self._installation.database.read(lambda conn: store.outcome(conn, ti_id))
        if outcome is None:
            raise BenchError(f"the store does not know {ti_id}, which it has just queued")
        ti = {
            "id": ti_id,
            "dag_id": tasks.DAG_ID,
            "task_id": task_id,
            "run_id": run_id,
            "try_number": 1,
            "map_index": -1,
            "dag_version_id": outcome.dag_version_id,
        }
        return ti, self._installation.tokens.mint_workload(ti_id)


@contextlib.contextmanager
def field(scratch: Path) -> Generator[Field]:
    """Makes a fresh home with our API server on it, a process of its own, ready for launches."""
    home = scratch / "home"
    home.mkdir(mode=0o700)
    server, url = servers.airlock(home)
    with Installation(servers.airlock_env(home, 0)) as installation, server:
        encryption = installation.encryption
        installation.database.write(lambda conn: store.claim_dag(conn, tasks.DAG_ID, "bench"))
        installation.database.write(lambda conn: variables.put(conn, encryption, "bench", "a value", None))
        processes.adopt_orphans()
        yield Field(scratch, url, installation)
