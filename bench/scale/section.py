"""
The section: TaskRuns made at once, at rest, and adopted by an operator that stood by when the first was killed.

The cluster's own operator is stopped meanwhile. What is there at the end is compared with what was asked for, so that a
pod that was lost or made twice shows.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from bench.scale.api import Api
from bench.scale.kubelet import Kubelet
from bench.scale.operator import Operator
from bench.scale.place import MIB, NAMESPACE, PODS, alone, counted, everything, make, table, until

_REST_SECONDS = 90.0


def section(scratch: Path, _count: int) -> str:
    """Returns the section's text; BENCH_SCALE is how many TaskRuns there are."""
    count = int(os.environ.get("BENCH_SCALE") or 10_000)
    api = Api()
    with alone(api), Kubelet(api, NAMESPACE), ExitStack() as operators:
        return _measure(api, scratch, count, operators)


def _measure(api: Api, scratch: Path, count: int, operators: ExitStack) -> str:
    first = operators.enter_context(Operator(api, scratch, NAMESPACE, "first"))
    until(lambda: first.logged("leading") is not None, 120, "the first operator to lead")
    empty = first.rss
    began = time.monotonic()
    make(api, [f"run-{number}" for number in range(count)])
    made_in = time.monotonic() - began
    until(lambda: _pods(first) >= count, 3600, "every pod to be made", lambda: f"{_pods(first)} of {count}")
    pods_in = time.monotonic() - began
    until(
        lambda: counted(api, "state").get("running", 0) >= count,
        3600,
        "every TaskRun to run",
        lambda: str(counted(api, "state")),
    )
    running_in = time.monotonic() - began
    making, making_late = first.cpu, first.late
    time.sleep(_REST_SECONDS)
    used = first.cpu - making
    at_rest, peak = first.rss, first.peak
    second = operators.enter_context(Operator(api, scratch, NAMESPACE, "second"))
    until(lambda: _pods(second) >= count, 600, "the standby to see everything", lambda: f"{_pods(second)} of {count}")
    first.kill()
    until(lambda: second.logged("leading") is not None, 180, "the second operator to lead")
    until(lambda: _looked(second) is not None, 600, "the second operator to look at everything")
    leading = second.logged("leading") or 0.0
    adopted = (_looked(second) or 0.0) - leading
    time.sleep(30)
    pods = _named(api)
    doubled, lost = sum(number > 1 for number in pods.values()), count - len(pods)
    second_peak, second_late, slowest = second.peak, second.late, max(first.slowest, second.slowest)
    rows = [
        ("TaskRuns", f"{count}"),
        ("made by this client in", f"{made_in:.0f} s"),
        ("their pods made in", f"{pods_in:.0f} s, {count / pods_in:.0f} a second"),
        ("all said to run after", f"{running_in:.0f} s"),
        ("operator, empty", f"{empty / MIB:.0f} MiB"),
        ("operator, at rest", f"{at_rest / MIB:.0f} MiB, {(at_rest - empty) / count / 1024:.1f} KiB each"),
        ("operator, at most", f"{peak / MIB:.0f} MiB"),
        ("the standby, at most, take-over included", f"{second_peak / MIB:.0f} MiB"),
        ("processor at rest", f"{100 * used / _REST_SECONDS:.1f} % of a core"),
        ("processor for making them", f"{making:.0f} s, {1000 * making / count:.1f} ms each"),
        ("adopted after the Lease was had", f"{adopted:.1f} s"),
        ("slowest probe", f"{slowest:.2f} s; {making_late + second_late} later than a second"),
        ("pods lost, made twice", f"{lost}, {doubled}"),
    ]
    return table("an operator with many TaskRuns", rows)


def _pods(operator: Operator) -> int:
    """Returns how many pods an operator knows; 0 while it starts."""
    try:
        return int(operator.health().get("pods", 0))
    except OSError:
        return 0


def _looked(operator: Operator) -> float | None:
    return operator.logged("looked at everything listed")


def _named(api: Api) -> Counter[str]:
    """Counts the pods of each TaskRun."""
    return Counter(pod["metadata"]["labels"]["airlock.dev/taskrun"] for pod in everything(api, PODS))
