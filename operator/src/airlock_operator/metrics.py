"""
The operator's metrics, by Prometheus' conventions (docs/reference/metrics.md). No other module imports its client.

``FAMILIES`` is the table of all of them. A label has few values: never a TaskRun's name, a namespace or a message.
What happens is counted when it happens. What is the case now comes as a ``Now``, once a scrape.
"""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import msgspec
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from airlock_operator.reasons import Kind, Reason
from airlock_wire.taskrun import Status

PREFIX = "airlock_operator"

_STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0)
_WAITS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_TURNS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_LISTS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Family(NamedTuple):
    """One metric: its kind, name without the prefix, help, labels, and a histogram's buckets in seconds."""

    kind: type[Counter] | type[Gauge] | type[Histogram]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


FAMILIES = (
    Family(Gauge, "build_info", "1, with the version of the operator and of Python.", ("version", "python")),
    Family(Gauge, "taskruns", "TaskRuns by the state and reason of their status.", ("state", "reason")),
    Family(
        Histogram,
        "queue_wait_seconds",
        "Seconds from the first sight of a TaskRun until its first pod was made.",
        buckets=_WAITS,
    ),
    Family(
        Histogram,
        "attempt_step_seconds",
        "Seconds from the begin of an attempt until a step of its timeline, noted when the attempt has ended.",
        ("step",),
        _STEPS,
    ),
    Family(Counter, "attempts_ended_total", "Attempts that have ended, by the reason.", ("reason",)),
    Family(Counter, "taskruns_ended_total", "TaskRuns that have ended.", ("state", "reason")),
    Family(
        Counter,
        "reruns_total",
        "Attempts that a budget paid for: infra for what the platform lost, token for a token that was refused.",
        ("budget",),
    ),
    Family(Counter, "budgets_exhausted_total", "TaskRuns that failed because a budget was used up.", ("budget",)),
    Family(Gauge, "slots_held", "TaskRuns that hold a slot; 0 if no limit is set."),
    Family(Gauge, "slots_waiting", "TaskRuns that wait for a slot; 0 if no limit is set."),
    Family(Gauge, "workqueue_depth", "TaskRuns that are due and not worked on yet."),
    Family(Gauge, "workqueue_oldest_age_seconds", "Seconds for which the TaskRun has been due that waits longest."),
    Family(Gauge, "workqueue_working", "TaskRuns that are worked on."),
    Family(Counter, "workqueue_adds_total", "Times that a TaskRun was put on the work queue."),
    Family(Counter, "workqueue_failures_total", "Turns after which a TaskRun was put back because the turn failed."),
    Family(
        Histogram,
        "turn_seconds",
        "Seconds of a turn, which is one look at a TaskRun and the step that follows. Outcome: done, conflict, failed "
        "or broken.",
        ("outcome",),
        _TURNS,
    ),
    Family(Gauge, "watch_age_seconds", "Seconds since the last event of a watch.", ("resource",)),
    Family(
        Counter,
        "relist_missed_total",
        "Objects that a relist found newer than the watch had shown them.",
        ("resource",),
    ),
    Family(
        Histogram,
        "relist_seconds",
        "Seconds of a relist that succeeded. Kind: everything (at the start) or changes.",
        ("kind",),
        _LISTS,
    ),
    Family(Counter, "relist_failures_total", "Relists that failed."),
    Family(
        Counter,
        "kube_requests_total",
        "Requests to the API server by their answer's code; none without an answer. kopf's watches are not in it.",
        ("verb", "resource", "code"),
    ),
    Family(
        Histogram,
        "kube_request_seconds",
        "Seconds until the API server's answer to a request began.",
        ("verb", "resource"),
        _CALLS,
    ),
    Family(Gauge, "leader", "1 if this operator holds the Lease, else 0."),
    Family(Counter, "lease_transitions_total", "Times that the Lease changed hands, as the Lease itself counts."),
    Family(
        Counter,
        "server_asks_total",
        "Questions to the server how an attempt ended. Outcome: answered, unknown or silent.",
        ("outcome",),
    ),
    Family(Gauge, "server_away", "1 while a server does not answer. Server: airlock or airflow.", ("server",)),
    Family(Counter, "events_total", "Events about TaskRuns. Outcome: posted or lost.", ("outcome",)),
)


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What is the case at a scrape. ``taskruns`` is the number by state and reason; the others are named as metrics."""

    taskruns: dict[tuple[str, str], int] = {}
    slots_held: int = 0
    slots_waiting: int = 0
    workqueue_depth: int = 0
    workqueue_oldest_age_seconds: float = 0.0
    workqueue_working: int = 0
    workqueue_adds: int = 0
    workqueue_failures: int = 0
    watch_age_seconds: dict[str, float] = {}
    leader: bool = False
    lease_transitions: int = 0
    server_away: dict[str, bool] = {}


class Metrics:
    """The metrics of one operator, in a registry of their own."""

    def __init__(self) -> None:
        # Without it each series would have a second one with the time of its begin.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._metrics: dict[str, Any] = {each.name: _made(each, self._registry) for each in FAMILIES}
        self._totals: dict[str, int] = {}
        self._metrics["build_info"].labels(own_version(), platform.python_version()).set(1)
        # A series that appears with its first event would hide that event from rate().
        for budget in ("infra", "token"):
            self._metrics["reruns_total"].labels(budget)
            self._metrics["budgets_exhausted_total"].labels(budget)

    # --- what happens ---

    def status_written(self, before: Status, after: Status) -> None:
        """Counts what a status that was written says for the first time."""
        attempt = after.attempts[-1] if after.attempts else None
        last = before.attempts[-1].attempt if before.attempts else 0
        if attempt is not None and attempt.attempt > last:
            self._metrics["attempts_ended_total"].labels(attempt.reason).inc()
            for step, seconds in steps(after.timeline).items():
                self._metrics["attempt_step_seconds"].labels(step).observe(seconds)
        for budget, count in (
            ("infra", after.infra_reruns - before.infra_reruns),
            ("token", after.token_reruns - before.token_reruns),
        ):
            if count > 0:
                self._metrics["reruns_total"].labels(budget).inc(count)
        if after.finished_at and not before.finished_at:
            self._metrics["taskruns_ended_total"].labels(after.state, after.reason).inc()
            if budget := exhausted(after):
                self._metrics["budgets_exhausted_total"].labels(budget).inc()

    def pod_made(self, attempt: int, waited: float) -> None:
        """Notes that a pod was made; ``waited`` is the time since the first sight of its TaskRun."""
        if attempt == 1:
            self._metrics["queue_wait_seconds"].observe(max(0.0, waited))

    def turned(self, outcome: str, seconds: float) -> None:
        """Notes a turn."""
        self._metrics["turn_seconds"].labels(outcome).observe(seconds)

    def called(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Notes a request to the API server; ``code`` is 0 without an answer."""
        self._metrics["kube_requests_total"].labels(verb, resource, str(code or "none")).inc()
        self._metrics["kube_request_seconds"].labels(verb, resource).observe(seconds)

    def relisted(self, kind: str, seconds: float) -> None:
        """Notes a relist that succeeded."""
        self._metrics["relist_seconds"].labels(kind).observe(seconds)

    def relist_failed(self) -> None:
        """Counts a relist that failed."""
        self._metrics["relist_failures_total"].inc()

    def missed(self, resource: str) -> None:
        """Counts an object whose newest version was not heard of."""
        self._metrics["relist_missed_total"].labels(resource).inc()

    def asked(self, outcome: str) -> None:
        """Counts a question to the server."""
        self._metrics["server_asks_total"].labels(outcome).inc()

    def event(self, outcome: str) -> None:
        """Counts an Event about a TaskRun."""
        self._metrics["events_total"].labels(outcome).inc()

    # --- a scrape ---

    def text(self, now: Now) -> bytes:
        """Returns all metrics in Prometheus' text format. One call at a time; it may run in a thread."""
        for name in _PLAIN:
            self._metrics[name].set(float(getattr(now, name)))
        for name, label_values in (("watch_age_seconds", now.watch_age_seconds), ("server_away", now.server_away)):
            for label, value in label_values.items():
                self._metrics[name].labels(label).set(float(value))
        taskruns = self._metrics["taskruns"]
        taskruns.clear()
        for (state, reason), count in now.taskruns.items():
            taskruns.labels(state, reason).set(count)
        for name in ("workqueue_adds", "workqueue_failures", "lease_transitions"):
            self._follow(name, getattr(now, name))
        return generate_latest(self._registry)

    def _follow(self, name: str, total: int) -> None:
        """Makes a counter what another has counted; one that begins anew adds what it has."""
        before = self._totals.get(name, 0)
        self._totals[name] = total
        self._metrics[f"{name}_total"].inc(total - before if total >= before else total)


#: The gauges without labels.
_PLAIN = tuple(each.name for each in FAMILIES if each.kind is Gauge and not each.labels)


def steps(timeline: dict[str, float]) -> dict[str, float]:
    """Returns the seconds of each step after the begin of its attempt; a timeline's own count from the first sight."""
    admitted = timeline.get("admitted", 0.0)
    return {step: max(0.0, seconds - admitted) for step, seconds in timeline.items() if step != "admitted"}


def exhausted(status: Status) -> str:
    """Returns the budget that a TaskRun failed for, empty if it was not for a budget."""
    if status.reason == Reason.INFRA_BUDGET_EXHAUSTED:
        return "infra"
    is_reason = status.reason in Reason.__members__.values()
    return "token" if is_reason and Reason(status.reason).kind is Kind.TOKEN else ""


def _made(family: Family, registry: CollectorRegistry) -> Any:
    more: dict[str, Any] = {"buckets": family.buckets} if family.kind is Histogram else {}
    return family.kind(f"{PREFIX}_{family.name}", family.help, family.labels, registry=registry, **more)


def own_version() -> str:
    """Returns the operator's version; ``source`` where it is not installed."""
    try:
        return version("airlock-operator")
    except PackageNotFoundError:
        return "source"
