"""
Witnesses that are not our code: a pod that notes each start of user code, the API server's audit log, and the
database's append-only table read by plain sqlite3.
"""

from __future__ import annotations

import json
import time
from typing import Any

from kube.kubectl import Kubectl
from kube.objects import restricted, server
from kube.taskruns import RUNNER_IMAGE, dag_id

_PORT = 8000
_SERVER = """
import http.server
class Note(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("noted", self.path, flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Note).serve_forever()
"""

#: What user code says to the witness at its very start: one line for the body of a task.
START = 'say(f"{ti.dag_id}/start/{ti.try_number}")'


class Witness:
    """A web server in a pod that prints what it is asked. Who asks is told apart by the path."""

    def __init__(self, team: Kubectl) -> None:
        self._team = team

    def start(self) -> Witness:
        container = {"image": RUNNER_IMAGE, "command": ["python", "-c", _SERVER], "securityContext": restricted(65534)}
        self._team.apply(server("witness", _PORT, container))
        self._team("wait", "--for=condition=Ready", "pod/witness", "--timeout=60s", seconds=70)
        self._wait_until_reachable()
        return self

    def _wait_until_reachable(self) -> None:
        # A ready pod's service has no address yet: kube-proxy writes its rules once a second, and user code that
        # begins sooner would be refused.
        ask = f"import urllib.request; urllib.request.urlopen('http://witness:{_PORT}/reachable', timeout=2)"
        ends = time.monotonic() + 30
        while said := self._team("exec", "witness", "--", "python", "-c", ask, check=False):
            assert time.monotonic() < ends, said
            time.sleep(0.2)

    def lines(self) -> list[str]:
        """What it noted, in order."""
        return self._team("logs", "witness").splitlines()

    def starts(self, name: str) -> list[int]:
        """The try numbers of every start of user code of a TaskRun, in order."""
        lines = self.lines()
        mark = f"noted /{dag_id(name)}/start/"
        return [int(line.removeprefix(mark)) for line in lines if line.startswith(mark)]

    def wait_for_starts(self, name: str, count: int = 1, seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while len(self.starts(name)) < count:
            assert time.monotonic() < ends, f"user code of {name} did not begin {count} times"
            time.sleep(0.2)


_STATE_WRITES = """
import json, sqlite3, sys
conn = sqlite3.connect("file:/var/lib/airlock/home/airlock.db?mode=ro", uri=True)
print(json.dumps(conn.execute(sys.argv[1], sys.argv[2:]).fetchall()))
"""


def query(system: Kubectl, sql: str, *values: str) -> list[list[Any]]:
    """Rows of the server's database, read past our own code."""
    text = system("exec", "deploy/airlock-server", "--", "python", "-c", _STATE_WRITES, sql, *values)
    rows: list[list[Any]] = json.loads(text)
    return rows


def pods_created(audit: Any, *namespaces: str) -> list[str]:
    """The name of every pod that was made in these namespaces, once for each time, by the API server's audit log."""
    made = []
    for entry in audit:
        ref = entry.get("objectRef") or {}
        if (
            entry.get("verb") == "create"
            and ref.get("resource") == "pods"
            and not ref.get("subresource")
            and ref.get("namespace") in namespaces
            and (entry.get("responseStatus") or {}).get("code") == 201
        ):
            made.append(ref.get("name") or entry["responseObject"]["metadata"]["name"])
    return made
