"""An operator and a server to which everything happens that they count, again and again; their metrics on a port each."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import msgspec

from airlock_operator import metrics as operators
from airlock_server import metrics as servers
from airlock_wire.process import scrape
from airlock_wire.taskrun import Attempt, Status

_AGAIN_SECONDS = 0.2

_STARTED = Status(attempt=1, state="running", reason="Running")
_LOST = msgspec.structs.replace(
    _STARTED, infra_reruns=1, timeline={"admitted": 1.0, "podScheduled": 1.5, "taskStarted": 2.0},
    attempts=[Attempt(attempt=1, try_number=1, pod="p", node="n", reason="NodeLost", message="", finished_at="t")],
)  # fmt: skip
_SPENT = msgspec.structs.replace(_STARTED, state="failed", reason="InfraBudgetExhausted", finished_at="t")


@contextlib.contextmanager
def played() -> Iterator[dict[str, int]]:
    """The ports of both, by their names."""
    ports: dict[str, int] = {}
    up = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(_serve(ports, up, stop)), daemon=True)
    thread.start()
    assert up.wait(10)
    try:
        yield ports
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


async def _serve(ports: dict[str, int], up: threading.Event, stop: asyncio.Event) -> None:
    operator, server = operators.Metrics(), servers.Metrics()
    count = 0

    async def operators_text() -> bytes:
        return operator.text(
            operators.Now(
                taskruns={("queued", "Queued"): 3}, slots_held=2, slots_waiting=3, workqueue_depth=1, leader=True,
                workqueue_adds=count, workqueue_failures=count, lease_transitions=1, server_away={"airlock": True},
                watch_age_seconds={"pods": 1.0, "taskruns": 2.0},
            )
        )  # fmt: skip

    async def servers_text() -> bytes:
        return server.text()

    listening = {
        "operator": await scrape.serve(0, operators_text, "127.0.0.1"),
        "server": await scrape.serve(0, servers_text, "127.0.0.1"),
    }
    ports |= {name: each.sockets[0].getsockname()[1] for name, each in listening.items()}
    server.looked({"running": 1})
    up.set()
    while not stop.is_set():
        count += 1
        _happens(operator, server)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN_SECONDS)
    for each in listening.values():
        each.close()


def _happens(operator: operators.Metrics, server: servers.Metrics) -> None:
    operator.status_written(_STARTED, _LOST)
    operator.status_written(_STARTED, _SPENT)
    operator.pod_made(1, 0.3)
    operator.turned("done", 0.003)
    operator.turned("broken", 0.003)
    operator.called("update", "taskruns/status", 200, 0.004)
    operator.called("list", "pods", 0, 15.0)
    operator.relisted("changes", 0.2)
    operator.relist_failed()
    operator.missed("pods")
    operator.asked("answered")
    operator.event("posted")
    server.answered("PUT", "/execution/task-instances/{task_instance_id}/heartbeat", 204, 0.002)
    server.exchanged("granted")
    server.exchanged("Denied")
    server.database("write", 0.002, failed=False)
    server.database("read", 0.002, failed=True)
    server.swept(1)
