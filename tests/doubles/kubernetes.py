"""
A Kubernetes API, as much of it as the server uses: Secrets and ConfigMaps with resourceVersion, TaskRuns, TokenReview.

Tokens are made by ``token``: three parts like a JWT's, whose claims are readable and whose signature only this API knows.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

NAMESPACE = "team-a"
SERVER_TOKEN = "the-servers-own-token"

_OURS = "/apis/airlock.dev/v1alpha1"


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class PlayedKubernetes:
    """``calls`` is what was asked, in order; ``away`` makes it answer 503; ``before`` is called before each answer."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[tuple[str, str]] = []
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.taskruns: dict[tuple[str, str], dict[str, Any]] = {}
        self.reviewed: dict[str, dict[str, Any]] = {}
        self.away = False
        self.knows_audiences = True
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.page = 500
        self._version = 0
        self._lock = threading.RLock()
        (folder / "kube-token").write_text(SERVER_TOKEN)
        self.settings = {
            "AIRLOCK__KUBERNETES__ENABLED": "true",
            "AIRLOCK__KUBERNETES__TOKEN_FILE": str(folder / "kube-token"),
        }
        played = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body in one segment, as a real API server writes them; else each answer waits for an ACK.
            wbufsize = -1

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, answer = played._answer(
                    self.command, self.path, json.loads(body) if body else None, self.headers.get("Authorization", "")
                )
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = _serve

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.settings["AIRLOCK__KUBERNETES__URL"] = self.url
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # --- what a cluster does ---

    def taskrun(self, name: str = "job", namespace: str = NAMESPACE, **spec: Any) -> dict[str, Any]:
        """Makes a TaskRun, its status empty."""
        made = {
            "metadata": {"name": name, "namespace": namespace, "uid": str(uuid.uuid4())},
            "spec": {"dagId": "dag", "taskId": "task", "image": "any", **spec},
            "status": {},
        }
        self.taskruns[namespace, name] = made
        return made

    def pod(self, run: dict[str, Any], number: int = 1, *, known: bool = True, **more: Any) -> str:
        """An attempt's pod: the token of its sidecar. ``known``: the operator has written down that it counts."""
        name, uid = f"{run['metadata']['name']}-{number}", str(uuid.uuid4())
        if known:
            run["status"].update({"attempt": number, "podRef": {"name": name, "uid": uid}})
            run["status"].setdefault("try", run["spec"].get("tryNumber", 1))
        return self.token(name, uid, namespace=run["metadata"]["namespace"], **more)

    def token(
        self,
        pod: str,
        uid: str,
        *,
        namespace: str = NAMESPACE,
        account: str = "default",
        audience: str = "airlock",
        seconds: float = 600,
        bound: bool = True,
        signed: bool = True,
    ) -> str:
        """A projected service-account token; one that is not ``signed`` this API does not vouch for."""
        claims = {"aud": [audience], "exp": int(time.time() + seconds)}
        token = f"{_part({'alg': 'RS256'})}.{_part(claims)}.{secrets.token_urlsafe(16)}"
        extra = {f"authentication.kubernetes.io/pod-{key}": [value] for key, value in (("name", pod), ("uid", uid))}
        user = {"username": f"system:serviceaccount:{namespace}:{account}", "extra": extra if bound else {}}
        if signed:
            self.reviewed[token] = {"authenticated": True, "audiences": [audience], "user": user}
        return token

    def finish(self, run: dict[str, Any], state: str, reason: str = "") -> None:
        """The operator ends a TaskRun."""
        run["status"].update({"state": state, "reason": reason, "finishedAt": "2026-01-01T00:00:00Z"})

    def delete(self, run: dict[str, Any]) -> None:
        del self.taskruns[run["metadata"]["namespace"], run["metadata"]["name"]]

    def data(self, kind: str, name: str, namespace: str = NAMESPACE) -> dict[str, bytes] | None:
        """What is in a Secret or ConfigMap."""
        found = self.objects.get((kind, namespace, name))
        if found is None:
            return None
        decode = base64.b64decode if kind == "secrets" else str.encode
        return {key: decode(value) for key, value in found.get("data", {}).items()}

    # --- the API ---

    def _answer(self, method: str, target: str, body: Any, authorization: str) -> tuple[int, Any]:
        parts = urlsplit(target)
        path, query = unquote(parts.path), {key: value[0] for key, value in parse_qs(parts.query).items()}
        self.before(method, path)
        with self._lock:
            self.calls.append((method, path))
            if authorization != f"Bearer {SERVER_TOKEN}":
                return _status(401, "Unauthorized")
            if self.away:
                return _status(503, "etcd is away")
            if path == "/apis/authentication.k8s.io/v1/tokenreviews" and method == "POST":
                spec = body["spec"]
                found = self.reviewed.get(spec["token"])
                if found is not None and not self.knows_audiences:
                    found = {"authenticated": True, "user": found["user"]}
                elif found is None or not set(spec["audiences"]) & set(found["audiences"]):
                    found = {"authenticated": False, "error": "invalid bearer token"}
                return 201, {**body, "status": found}
            if path.startswith(_OURS):
                return self._taskruns(path.removeprefix(_OURS).strip("/").split("/"), query)
            return self._object(method, path.strip("/").split("/"), body)

    def _taskruns(self, parts: list[str], query: dict[str, str]) -> tuple[int, Any]:
        if len(parts) == 4:
            found = self.taskruns.get((parts[1], parts[3]))
            return (200, found) if found is not None else _status(404, "taskrun not found")
        namespace = parts[1] if parts[0] == "namespaces" else None
        items = [run for (where, _), run in sorted(self.taskruns.items()) if namespace in (None, where)]
        start = int(query.get("continue", "0"))
        end = start + min(self.page, int(query.get("limit", "500")))
        return 200, {"metadata": {"continue": str(end) if end < len(items) else ""}, "items": items[start:end]}

    def _object(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        _, _, _, namespace, kind, *named = parts
        key = (kind, namespace, named[0] if named else body["metadata"]["name"])
        found = self.objects.get(key)
        if method == "POST" and found is not None:
            return _status(409, f"{kind} {key[2]!r} already exists")
        if method != "POST" and found is None:
            return _status(404, f"{kind} {key[2]!r} not found")
        if method == "GET":
            return 200, found
        if (
            method == "PUT"
            and found
            and body["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]
        ):
            return _status(409, "the object has been modified")
        self._version += 1
        uid = found["metadata"]["uid"] if found is not None else str(uuid.uuid4())
        metadata = {**body["metadata"], "resourceVersion": str(self._version), "uid": uid}
        self.objects[key] = {**body, "metadata": metadata}
        return 201 if method == "POST" else 200, self.objects[key]


def _status(code: int, message: str) -> tuple[int, Any]:
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message}
