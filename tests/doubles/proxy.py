"""A proxy before a real server that can be told to misbehave, for a while or for one kind of request."""

import http.client
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_KEPT = ("authorization", "content-type", "airflow-api-version", "correlation-id")


class Proxy:
    """
    ``fault(method, path)`` names what happens to a request: "" it passes, "500", "close" (before it reaches the
    server), "lose" (after), or "late" (its answer takes ``late_seconds``).
    """

    def __init__(self, upstream: str, fault: Callable[[str, str], str], late_seconds: float = 8.0) -> None:
        parts = urlsplit(upstream)
        proxy = self
        self.fault = fault

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy.fault(self.command, self.path)
                if fault == "close":
                    self.close_connection = True
                    return
                if fault == "500":
                    self._answer(500, {}, b'{"message": "Internal server error"}')
                    return
                status, headers, data = self._pass_on(body)
                if fault == "lose":
                    self.close_connection = True
                    return
                if fault == "late":
                    time.sleep(late_seconds)
                self._answer(status, headers, data)

            def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
                upstream = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
                try:
                    kept = {key: value for key, value in self.headers.items() if key.lower() in _KEPT}
                    upstream.request(self.command, self.path, body or None, kept)
                    answer = upstream.getresponse()
                    names = ("Content-Type", "Refreshed-API-Token")
                    return answer.status, {n: v for n in names if (v := answer.headers.get(n))}, answer.read()
                finally:
                    upstream.close()

            def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
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
                pass  # A client that gave up waiting resets its connection.

        def listen(port: int) -> ThreadingHTTPServer:
            return Server(("127.0.0.1", port), Handler)

        self._listen = listen
        self._server = self._listen(0)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{parts.path}"
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def be_away(self, seconds: float) -> None:
        """Refuses connections for so long, and closes those that are open; returns when it is back."""
        usual, self.fault = self.fault, lambda _method, _path: "close"
        port = self._server.server_address[1]
        self.close()
        time.sleep(seconds)
        self._server, self.fault = self._listen(port), usual
        self._serve()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
