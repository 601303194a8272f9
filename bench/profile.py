"""
``python -m bench.profile``: where the time of our own no-op launch goes, so that a missed target can be explained.

The timeline is the sidecar's record put on one axis with the launch and with user code's own clock; the import
times are Python's, of everything that the sidecar and the runner load.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from bench import launches
from bench.servers import BenchError
from bench.tables import spread

LAUNCHES = 20
TOP = 12

#: Before the names of members of ours: imports them as their commands do.
LEAN = "from airlock_wire.process.imports import without\nwith without('typing_extensions'): import "
#: What each process imports on the way of a no-op launch, in the order in which it does and as it does.
_PROCESSES = {
    "sidecar, before it listens": f"{LEAN}airlock_sidecar.process",
    "sidecar, beside the launcher's start": (
        f"{LEAN}airlock_sidecar.process\nwith without('ssl'): import airlock_sidecar.upstream.api"
    ),
    "launcher": "import airlock_runner.__main__, airlock_runner.launcher",
    "runner": f"import airlock_runner.__main__\n{LEAN}airlock_runner.child, airlock_runner.task.execute, airlock.sdk",
}
_BASELINE = "nothing but the interpreter"
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


def main() -> int:
    """Prints both parts; 1 when a launch did not succeed."""
    try:
        print(_timeline())
    except BenchError as e:
        print(f"bench profile: {e}", file=sys.stderr)
        return 1
    print(_starts())
    print(_imports())
    return 0


def _timeline() -> str:
    steps: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="airlock-bench-") as scratch, launches.field(Path(scratch)) as field:
        field.launch(field.ours, "noop")
        for _ in range(LAUNCHES):
            launch = field.launch(field.ours, "noop")
            # The record has the wall clock; both clocks are read now to put it on the monotonic one.
            offset = time.time() - time.monotonic() + launch.began
            record = field.ours.record
            if record is None:
                raise BenchError("a launch left no record")
            for step, at in record.timeline.items():
                steps[step].append(at - offset)
            steps["(first user line)"].append(launch.marks["first"] - launch.began)
            steps["(last user line)"].append(launch.marks["last"] - launch.began)
            steps["(all processes gone)"].append(launch.wall)
    rows = ["| step | ms after the launch, median (min-max) | since the step before |", "|---|---|---|"]
    before = 0.0
    for step, times in sorted(steps.items(), key=lambda item: statistics.median(item[1])):
        at = statistics.median(times) * 1000
        rows.append(f"| {step} | {spread([x * 1000 for x in times])} | {at - before:.1f} |")
        before = at
    return f"## A no-op launch, {LAUNCHES} times\n\n" + "\n".join(rows) + "\n"


def _starts() -> str:
    """Returns what each process costs alone: interpreter, then imports, with nothing to wait for."""
    rows = ["| process | ms to import and exit, median (min-max) |", "|---|---|"]
    for name, code in {_BASELINE: "pass", **_PROCESSES}.items():
        times = []
        for _ in range(LAUNCHES):
            began = time.monotonic()
            _python(code)
            times.append((time.monotonic() - began) * 1000)
        rows.append(f"| {name} | {spread(times)} |")
    return "## Interpreter and imports\n\n" + "\n".join(rows) + "\n"


def _imports() -> str:
    """Returns the modules that cost most by themselves, with what site and the interpreter load taken out."""
    baseline = set(_import_times("pass"))
    parts = []
    for name, code in _PROCESSES.items():
        times = {module: cost for module, cost in _import_times(code).items() if module not in baseline}
        top = sorted(times.items(), key=lambda item: -item[1])[:TOP]
        costs = ", ".join(f"{module} {cost / 1000:.1f}" for module, cost in top)
        parts.append(f"- {name}: {len(times)} modules, {sum(times.values()) / 1000:.1f} ms by themselves: {costs}")
    return "## Import times (-X importtime, ms, without what each imports in turn)\n\n" + "\n".join(parts) + "\n"


def _import_times(code: str) -> dict[str, int]:
    """Microseconds of each module by itself, the least of three runs."""
    least: dict[str, int] = {}
    for _ in range(3):
        for own, _total, _depth, module in _LINE.findall(_python(code, "-X", "importtime")):
            least[module] = min(int(own), least.get(module, int(own)))
    return least


def _python(code: str, *options: str) -> str:
    env = {"PATH": os.environ["PATH"]}
    process = subprocess.run(
        [sys.executable, "-I", *options, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    if process.returncode != 0:
        raise BenchError(f"{code!r} failed: {process.stderr[-2000:]}")
    return process.stderr


if __name__ == "__main__":
    sys.exit(main())
