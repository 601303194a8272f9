"""
A Kubernetes API, as much of it as an executor uses: TaskRuns with a watch, Secrets, logs of pods, reviews of rights.

A test plays the operator with ``status`` and the API server's faults with ``refuse``.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_OURS = "/apis/airlock.dev/v1alpha1"
Json = dict[str, Any]


class PlayedTaskRunApi:
    """``calls`` is what was asked, in order: method, path, body."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.taskruns: dict[tuple[str, str], Json] = {}
        self.secrets: dict[tuple[str, str], Json] = {}
        self.logs: dict[tuple[str, str], str] = {}
        #: What this account may not, by verb and resource.
        self.forbidden: set[tuple[str, str]] = {("create", "pods"), ("create", "pods/exec"), ("get", "secrets")}
        self.forbidden.add(("list", "secrets"))
        #: Returns a status and a message for a call that is refused; None for one that is taken.
        self.refuse: Callable[[str, str], tuple[int, str] | None] = lambda _method, _path: None
        #: Called after each call that was taken, before its answer goes out.
        self.after: Callable[[str, str], None] = lambda _method, _path: None
        #: Watches stay open and tell nothing: a connection that is dead and does not know it.
        self.silent = False
        self._events: list[tuple[int, str, Json]] = []
        self._version = 100
        self._oldest = 0
        self._changed = threading.Condition()
        self._open = True
        self._streams = 0
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                if query.get("watch") == "true":
                    played._stream(self, unquote(parts.path), query)
                    return
                status, answer = played._answer(self.command, unquote(parts.path), query, body)
                data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def kubeconfig(self, folder: Path) -> str:
        """A file that leads here."""
        config = {
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": "the-schedulers-own-token"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(config))
        return str(path)

    # --- what a cluster does ---

    def put(self, name: str, namespace: str = "airflow", **body: Any) -> Json:
        """A TaskRun that somebody made."""
        with self._changed:
            made = {"metadata": {"name": name, "namespace": namespace, "labels": {}}, "spec": {}, **body}
            made["metadata"] = {"name": name, "namespace": namespace, **body.get("metadata", {})}
            self._store("ADDED", made)
            return made

    def status(self, name: str, reason: str, message: str = "", namespace: str = "airflow", **more: Any) -> None:
        """The operator writes a status."""
        with self._changed:
            taskrun = self.taskruns[namespace, name]
            taskrun["status"] = {**taskrun.get("status", {}), "reason": reason, "message": message, **more}
            self._store("MODIFIED", taskrun)

    def finish(self, name: str, reason: str, message: str = "", namespace: str = "airflow") -> None:
        """The operator ends a TaskRun."""
        self.status(name, reason, message, namespace, finishedAt="2026-01-01T00:00:00Z")

    def delete(self, name: str, namespace: str = "airflow", *, silently: bool = False) -> None:
        """Somebody deletes a TaskRun; ``silently``: no watch is told."""
        with self._changed:
            taskrun = self.taskruns.pop((namespace, name))
            if not silently:
                self._version += 1
                self._events.append((self._version, "DELETED", json.loads(json.dumps(taskrun))))
                self._changed.notify_all()

    def lists(self, *, answered: bool) -> None:
        """Lists of TaskRuns are answered, or refused as by an API server that has too much to do."""
        refusal = None if answered else (429, "too many requests")
        self.refuse = lambda method, path: refusal if method == "GET" and path.endswith("/taskruns") else None

    def forget(self) -> None:
        """Every version that is known becomes too old, and every watch ends. Waits for the first watch."""
        self.until(lambda: any(method == "WATCH" for method, _, _ in list(self.calls)), "watch")
        with self._changed:
            self._version += 1
            self._oldest = self._version
            self._events.clear()
            self._streams += 1
            self._changed.notify_all()

    def token(self, name: str, namespace: str = "airflow") -> str:
        """The token of a TaskRun."""
        return base64.b64decode(self.secrets[namespace, f"airlock-token-{name}"]["data"]["token"]).decode()

    def until(self, true: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
        """Waits; what became true."""
        ends = time.monotonic() + seconds
        while not (value := true()):
            assert time.monotonic() < ends, f"no {what} in {seconds:g} s: {[call[:2] for call in self.calls][-20:]}"
            time.sleep(0.01)
        return value

    def ready(self, count: int = 1) -> list[Json]:
        """The TaskRuns that are let go, once there are so many."""

        def let_go() -> list[Json]:
            with self._changed:
                runs = [each for each in self.taskruns.values() if not each["spec"].get("suspend")]
            return runs if len(runs) >= count else []

        runs: list[Json] = self.until(let_go, f"{count} TaskRuns that are let go")
        return runs

    # --- the API ---

    def _store(self, kind: str, taskrun: Json) -> None:
        self._version += 1
        meta = taskrun["metadata"]
        meta["resourceVersion"] = str(self._version)
        meta.setdefault("uid", str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", f"2026-01-01T00:00:{self._version % 60:02}Z")
        self.taskruns[meta["namespace"], meta["name"]] = taskrun
        self._events.append((self._version, kind, json.loads(json.dumps(taskrun))))
        self._changed.notify_all()

    def _answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/play":
            # A driver in another process plays the operator, too.
            getattr(self, body["act"])(*body["arguments"], **body["options"])
            return 200, {}
        with self._changed:
            self.calls.append((method, path, body))
            refusal = self.refuse(method, path)
            if refusal is not None:
                return _status(*refusal)
            answer = self._taken(method, path, query, body)
        self.after(method, path)
        return answer

    def _taken(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == _OURS:
            return 200, {"resources": [{"name": "taskruns"}]}
        if path.endswith("/selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            more = [f".{asked['group']}"] * bool(asked["group"]) + [f"/{asked.get('subresource')}"] * (
                "subresource" in asked
            )
            resource = "".join([asked["resource"], *more])
            return 201, {"status": {"allowed": (asked["verb"], resource) not in self.forbidden}}
        if path.startswith("/apis/apiextensions"):
            return _status(403, "customresourcedefinitions is forbidden")
        parts = path.partition("/namespaces/")[2].split("/")
        namespace, kind, name = parts[0], parts[1], parts[2] if len(parts) > 2 else ""
        if kind == "pods":
            text = self.logs.get((namespace, name))
            return (200, text) if text is not None else _status(404, f"pods {name!r} not found")
        store = self.taskruns if kind == "taskruns" else self.secrets
        if method == "POST":
            key = (namespace, body["metadata"]["name"])
            if key in store:
                return _status(409, f"{kind} {key[1]!r} already exists")
            made = json.loads(json.dumps(body))
            made["metadata"]["namespace"] = namespace
            if kind == "taskruns":
                self._store("ADDED", made)
            else:
                store[key] = made
            return 201, made
        if not name:
            runs = [run for (where, _), run in sorted(store.items()) if where == namespace and _selected(run, query)]
            return 200, {"metadata": {"resourceVersion": str(self._version)}, "items": runs}
        found = store.get((namespace, name))
        if found is None:
            return _status(404, f"{kind} {name!r} not found")
        if method == "PATCH":
            for field, value in body.items():
                found[field] = {**found.get(field, {}), **value}
            if kind == "taskruns":
                self._store("MODIFIED", found)
        return 200, found

    def _stream(self, handler: BaseHTTPRequestHandler, path: str, query: dict[str, str]) -> None:
        namespace = path.partition("/namespaces/")[2].split("/")[0]
        since = int(query["resourceVersion"])
        with self._changed:
            self.calls.append(("WATCH", path, None))
            refusal = self.refuse("WATCH", path)
            stream = self._streams
        handler.send_response(refusal[0] if refusal else 200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        if refusal:
            handler.wfile.write(json.dumps(_status(*refusal)[1]).encode())
            return
        ends = time.monotonic() + float(query["timeoutSeconds"])
        while True:
            with self._changed:
                if since < self._oldest:
                    handler.wfile.write(json.dumps({"type": "ERROR", "object": _status(410, "too old")[1]}).encode())
                    handler.wfile.write(b"\n")
                    return
                fresh = [each for each in self._events if each[0] > since]
                if not fresh:
                    self._changed.wait(0.2)
                over = not self._open or self._streams != stream or time.monotonic() > ends
            if self.silent and not over:
                continue
            if not fresh:
                bookmark = {"kind": "TaskRun", "metadata": {"resourceVersion": str(since)}}
                handler.wfile.write(json.dumps({"type": "BOOKMARK", "object": bookmark}).encode() + b"\n")
            for version, kind, taskrun in fresh:
                since = version
                if taskrun["metadata"]["namespace"] == namespace and _selected(taskrun, query):
                    handler.wfile.write(json.dumps({"type": kind, "object": taskrun}).encode() + b"\n")
            handler.wfile.flush()
            if over and not fresh:
                return


def _selected(run: Json, query: dict[str, str]) -> bool:
    selector = query.get("labelSelector", "")
    labels = run["metadata"].get("labels") or {}
    return all(labels.get(part.partition("=")[0]) == part.partition("=")[2] for part in selector.split(",") if part)


def _status(code: int, message: str) -> tuple[int, Any]:
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message}
