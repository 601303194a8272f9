"""A load by wrk: one request, again and again, on as many connections. Any answer of 400 and over ends the bench."""

import json
import os
import shutil
import subprocess
import tempfile
from typing import NamedTuple

from bench.servers import ROOT, BenchError

CONNECTIONS = 32
_SCRIPT = ROOT / "bench/load.lua"


class Call(NamedTuple):
    """A request, and the token that opens it. ``body`` is JSON; None for a request without one."""

    url: str
    body: str | None
    token: str
    method: str = "PUT"


class Round(NamedTuple):
    """What wrk saw. ``per_second`` counts the calls that were answered well; ``refused`` are the others, of all."""

    per_second: float
    p50_ms: float
    p99_ms: float
    refused: float = 0.0


def load(call: Call, seconds: int, connections: int = CONNECTIONS, *, may_refuse: bool = False) -> Round:
    """
    Makes the call for so many seconds. Raises BenchError for an answer of 400 and over, unless the server may refuse.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchError("wrk is not installed: apt-get install wrk, or your system's package of that name")
    env = {"PATH": os.environ["PATH"], "BENCH_METHOD": call.method, "BENCH_TOKEN": call.token}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        if call.body is not None:
            body.write(call.body)
            body.flush()
            env["BENCH_BODY_FILE"] = body.name
        threads = min(2, connections)
        process = subprocess.run(
            [wrk, f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", _SCRIPT, call.url],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 90,
        )
    if process.returncode != 0:
        raise BenchError(f"wrk failed: {process.stdout}{process.stderr}")
    summary = json.loads(process.stdout.splitlines()[-1])
    refused, requests = summary["refused"], summary["requests"]
    if (not may_refuse and (refused or summary["broken"])) or not requests:
        raise BenchError(f"{call.method} {call.url} was not answered every time: {summary}")
    return Round((requests - refused) / summary["seconds"], summary["p50_ms"], summary["p99_ms"], refused / requests)
