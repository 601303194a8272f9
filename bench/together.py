"""
Many TaskRuns at once against as many bare pods beside an idle sidecar, interleaved on a quiet node: from before the
first create call to the end of the last one.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.pods import NAMESPACE, PLACE, Bench, bare, body_of, over_pod, over_taskrun
from bench.servers import BenchError
from bench.tables import spread

#: The target: this many times as long as the bare pods.
_TIMES = 1.2
_SECONDS = 600
_QUIET_SECONDS = 10.0
_CLIENTS = 8


def section(_: Path, rounds: int) -> str:
    """Returns the figures, as Markdown; BENCH_TOGETHER is how many there are."""
    count = int(os.environ.get("BENCH_TOGETHER") or 50)
    bench = Bench()
    stamp = f"{int(time.time()):x}"
    pods: list[float] = []
    taskruns: list[float] = []
    for number in range(rounds + 1):
        for kind, into in (("pods", pods), ("runs", taskruns)) if number % 2 else (("runs", taskruns), ("pods", pods)):
            names = [f"together-{stamp}-{kind}-{number}-{each}" for each in range(count)]
            seconds = _pods(bench, names) if kind == "pods" else _taskruns(bench, names)
            # The first of each fills caches.
            if number:
                into.append(seconds)
            time.sleep(_QUIET_SECONDS)
    times = statistics.median(taskruns) / statistics.median(pods)
    return f"""## {count} at once

{rounds} interleaved rounds; seconds from before the first create call to the end of the last one, median (min-max).

| {count} bare pods beside an idle sidecar | {count} TaskRuns | ratio | target {_TIMES:g}x |
|---|---|---|---|
| {spread(pods)} | {spread(taskruns)} | {times:.2f}x | {"met" if times <= _TIMES else "MISSED"} |
"""


def _pods(bench: Bench, names: list[str]) -> float:
    spec = bare(sidecar=True)

    def make(name: str) -> None:
        bench.core.create_namespaced_pod(NAMESPACE, {"metadata": {"name": name}, "spec": spec})

    seconds = _all_over(make, lambda: _events(bench.core.list_namespaced_pod, NAMESPACE), names, over_pod)
    for name in names:
        bench.forget(name)
    return seconds


def _taskruns(bench: Bench, names: list[str]) -> float:
    def make(name: str) -> None:
        bench.custom.create_namespaced_custom_object(*PLACE, body_of(name))

    listing = bench.custom.list_namespaced_custom_object
    seconds = _all_over(make, lambda: _events(listing, *PLACE), names, over_taskrun)
    for name in names:
        bench.custom.delete_namespaced_custom_object(*PLACE, name)
    return seconds


def _all_over(
    make: Callable[[str], None],
    events: Callable[[], Iterator[dict[str, Any]]],
    names: list[str],
    over: Callable[[dict[str, Any]], bool],
) -> float:
    left = set(names)
    began = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        making = [pool.submit(make, name) for name in names]
        for item in events():
            name = item["metadata"]["name"]
            if name in left and over(item):
                left.discard(name)
            if not left:
                break
        for each in making:
            each.result()
    if left:
        raise BenchError(f"{len(left)} of {len(names)} are not over after {_SECONDS} s: {sorted(left)[:3]} ...")
    return time.monotonic() - began


def _events(listing: Callable[..., Any], *place: str) -> Iterator[dict[str, Any]]:
    from kubernetes import watch

    for event in watch.Watch().stream(listing, *place, timeout_seconds=_SECONDS):
        yield event["raw_object"]
