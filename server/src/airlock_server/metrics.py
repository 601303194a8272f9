"""
The server's metrics, by Prometheus' conventions (docs/reference/metrics.md). No other module imports its client.

``FAMILIES`` is the table of all of them. A label has few values: a route's pattern and never a path, and no name of a
DAG, a task or a namespace.
"""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from airlock_server.observer import Observer

PREFIX = "airlock_server"

_REQUESTS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OPERATIONS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

#: Anybody may send any method, and each would be a series.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
#: The route of what has no route.
_NO_ROUTE = "none"


class Family(NamedTuple):
    """One metric: its kind, name without the prefix, help, labels, and a histogram's buckets in seconds."""

    kind: type[Counter] | type[Gauge] | type[Histogram]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


FAMILIES = (
    Family(Gauge, "build_info", "1, with the version of the server and of Python.", ("version", "python")),
    Family(
        Gauge,
        "ready",
        "1 if the database could be read at the last look, else 0. A look is at most some seconds old.",
    ),
    Family(
        Counter,
        "requests_total",
        "Answers by route, method and status code. The route is a pattern, none if no route was found. Heartbeats are "
        "those of /execution/task-instances/{task_instance_id}/heartbeat.",
        ("route", "method", "code"),
    ),
    Family(Histogram, "request_seconds", "Seconds until an answer was made.", ("route", "method"), _REQUESTS),
    Family(
        Counter,
        "exchanges_total",
        "Exchanges of a pod's token for its task's. Outcome: granted, or the reason of the refusal.",
        ("outcome",),
    ),
    Family(Gauge, "task_instances", "Task instances by state, as of the last look at the database.", ("state",)),
    Family(
        Histogram,
        "database_operation_seconds",
        "Seconds of an operation of the database, the wait for it included. Operation: read, write, or point for a row "
        "by its key.",
        ("operation",),
        _OPERATIONS,
    ),
    Family(
        Counter,
        "database_errors_total",
        "Operations that the database did not take: it was busy, or could not be used.",
        ("operation",),
    ),
    Family(Counter, "sweeps_total", "Searches for TaskRuns that are over. Outcome: done or failed.", ("outcome",)),
    Family(
        Counter, "swept_taskruns_total", "TaskRuns whose task instances were closed because they were over or gone."
    ),
)


class Metrics(Observer):
    """The metrics of one server, in a registry of their own."""

    def __init__(self) -> None:
        # Without it each series would have a second one with the time of its begin.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._metrics: dict[str, Any] = {each.name: _made(each, self._registry) for each in FAMILIES}
        self._metrics["build_info"].labels(_version(), platform.python_version()).set(1)
        # A series that appears with its first event would hide that event from rate().
        for operation in ("read", "write", "point"):
            self._metrics["database_errors_total"].labels(operation)
        for outcome in ("done", "failed"):
            self._metrics["sweeps_total"].labels(outcome)

    def answered(self, method: str, route: str, code: int, seconds: float) -> None:
        """Counts an answer."""
        labels = (route or _NO_ROUTE, method if method in _METHODS else "other")
        self._metrics["requests_total"].labels(*labels, str(code)).inc()
        self._metrics["request_seconds"].labels(*labels).observe(seconds)

    def exchanged(self, outcome: str) -> None:
        """Counts an exchange."""
        self._metrics["exchanges_total"].labels(outcome).inc()

    def database(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Counts an operation of the database."""
        self._metrics["database_operation_seconds"].labels(operation).observe(seconds)
        if failed:
            self._metrics["database_errors_total"].labels(operation).inc()

    def swept(self, closed: int) -> None:
        """Counts a search for TaskRuns that are over."""
        self._metrics["sweeps_total"].labels("done").inc()
        self._metrics["swept_taskruns_total"].inc(closed)

    def sweep_failed(self) -> None:
        """Counts a search that failed."""
        self._metrics["sweeps_total"].labels("failed").inc()

    def looked(self, states: dict[str, int] | None) -> None:
        """Takes over what a look at the database has found; None if the database did not answer."""
        self._metrics["ready"].set(states is not None)
        task_instances = self._metrics["task_instances"]
        task_instances.clear()
        for state, count in (states or {}).items():
            task_instances.labels(state).set(count)

    def text(self) -> bytes:
        """Returns all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


def _made(family: Family, registry: CollectorRegistry) -> Any:
    more: dict[str, Any] = {"buckets": family.buckets} if family.kind is Histogram else {}
    return family.kind(f"{PREFIX}_{family.name}", family.help, family.labels, registry=registry, **more)


def _version() -> str:
    try:
        return version("airlock-server")
    except PackageNotFoundError:
        return "source"
