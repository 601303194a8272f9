"""
The section: TaskRuns that start at once, beside a thousand whose pods no node takes.

The first ones come one after the other, so that each finds a free worker; then come as many at once. What counts is
the time from the API server's answer for a TaskRun until a watch shows its pod.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from pathlib import Path

from bench.scale.api import Api
from bench.scale.kubelet import Kubelet
from bench.scale.operator import ACCOUNT, SYSTEM, Operator
from bench.scale.place import NAMESPACE, PODS, alone, counted, make, table, until

_NEW = 100
_BETWEEN_SECONDS = 0.25
_NOWHERE = "nowhere"


def section(scratch: Path, _count: int) -> str:
    """Returns the section's text; BENCH_WAITING is how many TaskRuns wait."""
    waiting = int(os.environ.get("BENCH_WAITING") or 1000)
    api = Api()
    with alone(api), Kubelet(api, NAMESPACE):
        return _measure(api, scratch, waiting)


def _measure(api: Api, scratch: Path, waiting: int) -> str:
    with Operator(api, scratch, NAMESPACE, "waiting") as operator:
        until(lambda: operator.logged("leading") is not None, 120, "the operator to lead")
        listed_before = _event_lists()
        make(api, [f"waits-{number}" for number in range(waiting)], node=_NOWHERE)
        until(
            lambda: counted(api, "reason")["Unschedulable"] >= waiting,
            1800,
            "every TaskRun to wait",
            lambda: str(counted(api, "reason")),
        )
        seen = _Seen(api)
        slowly = [seen.latency(f"new-{number}", pause=_BETWEEN_SECONDS) for number in range(_NEW)]
        together = seen.latencies([f"more-{number}" for number in range(_NEW)])
    listed = _event_lists()
    rows = [
        ("TaskRuns that wait for a node", f"{waiting}"),
        (f"pods of {_NEW} new ones, four a second", _spread(slowly)),
        (f"pods of {_NEW} new ones at once", _spread(together)),
        ("lists of Events by the operator", "not known" if listed is None else f"{listed - (listed_before or 0)}"),
    ]
    return table("new TaskRuns beside many that wait", rows)


class _Seen:
    """When a watch showed the pod of each TaskRun."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._at: dict[str, float] = {}
        threading.Thread(target=self._watch, daemon=True).start()

    def latency(self, name: str, *, pause: float) -> float:
        """Makes a TaskRun and returns the seconds until its pod was seen."""
        make(self._api, [name])
        answered = time.monotonic()
        time.sleep(pause)
        return self._after(name, answered)

    def latencies(self, names: list[str]) -> list[float]:
        """Makes TaskRuns at once; returns for each the seconds from the last answer until its pod was seen."""
        make(self._api, names)
        answered = time.monotonic()
        return [self._after(name, answered) for name in names]

    def _after(self, name: str, answered: float) -> float:
        ends = time.monotonic() + 300
        while name not in self._at and time.monotonic() < ends:
            time.sleep(0.005)
        return max(0.0, self._at.get(name, float("inf")) - answered)

    def _watch(self) -> None:
        for event in self._api.watch(PODS, 900):
            labels = event["object"].get("metadata", {}).get("labels") or {}
            self._at.setdefault(labels.get("airlock.dev/taskrun", ""), time.monotonic())


def _spread(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"after {statistics.median(ordered):.2f} s, the last {ordered[-1]:.2f} s"


def _event_lists() -> int | None:
    """Counts the operator's lists of Events in the audit log; None where the cluster has no hooks."""
    from cluster.hooks import connect

    hooks = connect()
    if hooks is None:
        return None
    user = f"system:serviceaccount:{SYSTEM}:{ACCOUNT}"
    return sum(
        entry["verb"] == "list" and entry["user"]["username"] == user
        for entry in hooks.audit_log()
        if entry.get("objectRef", {}).get("resource") == "events"
    )
