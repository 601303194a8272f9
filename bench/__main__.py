"""
``python -m bench [noop] [roundtrips] [dropin] [heartbeats] [requests] [parsing] [pods] [together] [scale]
[waiting] [executor]``: figures side by side.

They are also kept in .build/bench/.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import dropin, executor, heartbeats, noop, parsing, pods, requests, roundtrips, together
from bench.scale import section as scale
from bench.scale import waiting
from bench.servers import ROOT, BenchError

_SECTIONS: dict[str, Callable[[Path, int], str]] = {
    "noop": noop.section,
    "roundtrips": roundtrips.section,
    "dropin": dropin.section,
    "heartbeats": heartbeats.section,
    "requests": requests.section,
    "parsing": parsing.section,
    "pods": pods.section,
    "together": together.section,
    "scale": scale.section,
    "waiting": waiting.section,
    "executor": executor.section,
}
_ON_A_CLUSTER = ("pods", "together", "scale", "waiting", "executor")
#: The default sections. Those that need a cluster are among them where KUBECONFIG names one.
_DEFAULT = [name for name in _SECTIONS if name not in _ON_A_CLUSTER or os.environ.get("KUBECONFIG")]


def main() -> int:
    """Runs the sections asked for, all by default; returns 1 if one could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help=f"of {', '.join(_SECTIONS)}; default: all, and pods where KUBECONFIG is set",
    )
    chosen = parser.parse_args().sections or _DEFAULT
    # scripts/bench.sh sets it for the cluster's tools, which one section asks. What is measured starts without it.
    os.environ.pop("PYTHONPATH", None)
    if unknown := sorted(set(chosen) - set(_SECTIONS)):
        parser.error(f"no section {unknown[0]!r}; there are: {', '.join(_SECTIONS)}")
    counts = dict.fromkeys(("heartbeats", "requests", "together", "executor"), _count("BENCH_ROUNDS", 6))
    pairs = _count("BENCH_PAIRS", 30)
    folder = ROOT / ".build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{time.strftime('%Y-%m-%dT%H%M%S')}.md"
    with out.open("w") as file:
        _show(_machine(), file.write)
        for name in chosen:
            with tempfile.TemporaryDirectory(prefix="airlock-bench-") as scratch:
                try:
                    text = _SECTIONS[name](Path(scratch), counts.get(name, pairs))
                except BenchError as e:
                    print(f"bench {name}: {e}", file=sys.stderr)
                    return 1
            _show(text, file.write)
    print(f"written to {out.relative_to(ROOT)}")
    return 0


def _count(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise SystemExit(f"{name} is {text!r}; give a whole number of at least 1")
    return int(text)


def _show(text: str, write: Callable[[str], object]) -> None:
    print(text, flush=True)
    write(text + "\n")


def _machine() -> str:
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown CPU")
    commit = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load = statistics.fmean(os.getloadavg()[:1])
    return f"""# Airlock and Airflow 3.3.2, side by side

{time.strftime("%Y-%m-%d %H:%M:%S %Z")}, commit {commit or "unknown"}; {len(os.sched_getaffinity(0))} cores of {model};
Linux {platform.release()}; Python {platform.python_version()}; load {load:.2f} before the first run.
"""


if __name__ == "__main__":
    sys.exit(main())
