"""
Reads a task's log for whoever looks at it in the UI: in the API server's process, where no thread of the executor runs.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from airlock_executor import logs
from airlock_executor.kube.api import Cluster
from airlock_executor.settings import Settings

T = TypeVar("T")

_LOG_SECONDS = 10.0
#: How much longer than the reading itself its thread may take: to open a cluster and to close it.
_THREAD_SECONDS = 5.0


def of_try(read_settings: Callable[[], Settings], ti_id: str, try_number: int) -> tuple[list[str], list[str]]:
    """Returns the sources and lines of a task's log from its pod, or a line that says why it cannot be read."""
    try:
        settings = read_settings()
        return _in_a_thread(lambda: _lines(settings, ti_id, try_number))
    except Exception as e:  # noqa: BLE001 - whoever reads a log must not get an error page
        return [], [f"The log cannot be read from Kubernetes: {e}"]


async def _lines(settings: Settings, ti_id: str, try_number: int) -> tuple[list[str], list[str]]:
    cluster = Cluster(settings.kubeconfig, settings.context, seconds=settings.request_seconds, connections=2)
    await cluster.open()
    try:
        async with asyncio.timeout(_LOG_SECONDS):
            return await logs.task_log(cluster, settings.namespaces, ti_id, try_number, settings.log_lines)
    finally:
        await cluster.close()


def _in_a_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Returns what a coroutine returns. A thread may have an event loop of its own already, so this takes another."""
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(work()))
        except BaseException as e:  # noqa: BLE001 - raised again below
            failures.append(e)

    thread = threading.Thread(target=run, name="airlock-executor-log", daemon=True)
    thread.start()
    thread.join(_LOG_SECONDS + _THREAD_SECONDS)
    if failures:
        raise failures[0]
    if not results:
        raise TimeoutError("the Kubernetes API did not answer in time")
    return results[0]
