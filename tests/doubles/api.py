"""An Execution API whose answers a test writes, for faults that a real server cannot be made to have."""

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

DAG_RUN: dict[str, Any] = {
    "dag_id": "d", "run_id": "r", "logical_date": None, "data_interval_start": None, "data_interval_end": None,
    "run_after": "2026-01-01T00:00:00Z", "start_date": None, "end_date": None, "run_type": "manual",
    "state": "running", "consumed_asset_events": [], "partition_key": None,
}  # fmt: skip
RUN_CONTEXT: dict[str, Any] = {"dag_run": DAG_RUN, "max_tries": 0, "should_retry": False}


class Call(NamedTuple):
    method: str
    path: str
    body: Any
    token: str
    #: The API's version that the caller named.
    version: str = ""
    #: The body's bytes.
    raw: bytes = b""


class Answer(NamedTuple):
    status: int
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})
    #: The body's bytes, instead of what ``body`` is as JSON.
    raw: bytes = b""


class Drop(Exception):
    """Closes the connection instead of answering; what was decided before is decided."""


class ScriptedApi:
    """An Execution API whose answers are functions; everything that reached it is in ``calls``, in order."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, Callable[[Call], Answer]] = {}
        #: What every GET is answered with, as it is; None for what the functions say.
        self.raw: bytes | None = None
        #: How many connections were opened.
        self.connections = 0
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                api.connections += 1
                super().setup()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = Call(
                    self.command,
                    self.path.removeprefix("/execution"),
                    json.loads(body) if body else None,
                    self.headers.get("Authorization", "").removeprefix("Bearer "),
                    self.headers.get("Airflow-API-Version", ""),
                    body,
                )
                api.calls.append(call)
                try:
                    answer = api.answer(call)
                except Drop:
                    self.close_connection = True
                    return
                data = answer.raw if answer.body is None else json.dumps(answer.body).encode()
                if api.raw is not None and call.method == "GET":
                    answer, data = Answer(200), api.raw
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = _serve

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # A sidecar that is killed resets its connections.

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/execution"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, call: Call) -> Answer:
        for end, answer in self.answers.items():
            if call.path.partition("?")[0].endswith(end):
                return answer(call)
        if call.path.partition("?")[0].endswith("/run"):
            return Answer(200, RUN_CONTEXT)
        return Answer(204) if call.method in ("PATCH", "PUT") else Answer(404, {"detail": "not found"})

    def states(self) -> list[str]:
        return [call.body["state"] for call in self.calls if call.path.endswith("/state")]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
