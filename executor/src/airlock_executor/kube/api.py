"""
Calls the Kubernetes API from one event loop. No other module of the executor imports the asynchronous client.

JSON in and out: the client's models would cost time and memory for fields that nobody reads. Every call has a bound,
and every failure is one of ``airlock_executor.kube.errors``. The client's generations 36 and 37 differ in how a
response is read; ``_send`` is the one place that knows.
"""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import ClientError  # what the client speaks by; it has no errors of its own for a broken connection
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.exceptions import ApiException, OpenApiException

from airlock_executor.kube import errors
from airlock_executor.launch.observed import Change, Observed
from airlock_wire.taskrun import API_VERSION, PLURAL

_ROOT = f"/apis/{API_VERSION}"
_CRD = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{API_VERSION.partition('/')[0]}"
_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_USER_AGENT = "airlock-executor"
_PAGE = 500
#: How long a token is used before its file is read again. A kubelet replaces it long before it ends.
_TOKEN_SECONDS = 30.0
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

#: How a connection fails, or an answer that is not one.
_BROKEN = (TimeoutError, OSError, ClientError, OpenApiException, ValueError)

Json = dict[str, Any]
T = TypeVar("T")


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    items: list[Observed] | None = None


class _Failed(msgspec.Struct, frozen=True):
    code: int = 0
    message: str = ""


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


_page = msgspec.json.Decoder(_Page)
_event = msgspec.json.Decoder(_Event)
_observed = msgspec.json.Decoder(Observed)
_failed = msgspec.json.Decoder(_Failed)


def own_namespace() -> str:
    """Returns the namespace of this process's pod; empty outside of a cluster."""
    try:
        return _NAMESPACE_FILE.read_text().strip()
    except OSError:
        return ""


class Cluster:
    """
    One connection pool. ``kubeconfig`` is a file's path; without it the pod's service account is used. ``seconds``
    bounds every call but a watch.
    """

    def __init__(
        self, kubeconfig: str = "", context: str = "", *, seconds: float = 15.0, connections: int = 32
    ) -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._seconds, self._connections = seconds, connections
        self._client: Any = None
        self._more: dict[str, Any] = {}
        self._header: dict[str, str] = {}
        self._authorized_at = float("-inf")

    async def open(self) -> None:
        """Reads the credentials; raises errors.NotAllowed if there are no credentials."""
        configuration = Configuration()
        try:
            if self._kubeconfig:
                await config.load_kube_config(
                    self._kubeconfig, context=self._context or None, client_configuration=configuration
                )
            else:
                config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException as e:
            raise errors.NotAllowed(0, f"no way into a cluster: {e}") from e
        configuration.connection_pool_maxsize = self._connections
        self._client = ApiClient(configuration)
        if "_preload_content" in inspect.signature(self._client.rest_client.request).parameters:
            self._more = {"_preload_content": False}

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.close()

    # --- TaskRuns ---

    async def create_taskrun(self, namespace: str, body: Json) -> Observed:
        """Makes a TaskRun and returns it. Raises errors.Conflict if the name is taken."""
        path = f"{_taskruns(namespace)}?fieldValidation=Strict"
        return _read(_observed, await self._data("POST", path, body))

    async def taskrun(self, namespace: str, name: str) -> Observed:
        """Returns what the executor reads of a TaskRun."""
        return _read(_observed, await self._data("GET", _taskruns(namespace, name)))

    async def whole_taskrun(self, namespace: str, name: str) -> Json:
        """Returns a TaskRun with all its fields."""
        return await self._ask("GET", _taskruns(namespace, name))

    async def change_spec(self, namespace: str, name: str, change: Json) -> None:
        """Changes ``suspend`` or ``cancel``."""
        await self._ask("PATCH", _taskruns(namespace, name), {"spec": change}, kind=_MERGE_PATCH)

    async def pages(self, namespace: str, selector: str) -> AsyncIterator[tuple[list[Observed], str]]:
        """Yields the TaskRuns of a namespace, page by page, each with the version that a watch can go on from."""
        token = ""
        while True:
            query = {"limit": str(_PAGE), "labelSelector": selector} | ({"continue": token} if token else {})
            page = _read(_page, await self._data("GET", f"{_taskruns(namespace)}?{urlencode(query)}"))
            yield page.items or [], page.metadata.resource_version
            token = page.metadata.continue_
            if not token:
                return

    async def watch(
        self, namespace: str, selector: str, version: str, *, seconds: float, quiet_seconds: float
    ) -> AsyncIterator[Change]:
        """
        Yields changes from a version on, bookmarks included, for about so many seconds. Raises errors.NotFound if the
        version is too old, and errors.Busy if the stream breaks or says nothing for ``quiet_seconds``.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": selector,
            "resourceVersion": version,
            "timeoutSeconds": str(int(seconds)),
        }
        response = await self._send("GET", f"{_taskruns(namespace)}?{urlencode(query)}", None, _JSON, seconds + 30)
        if response.status >= 300:
            raise errors.of_answer(response.status, await response.read())
        try:
            async for line in _lines(response, quiet_seconds):
                event = _read(_event, line)
                if event.type == "ERROR":
                    failure = _read(_failed, bytes(event.object))
                    kind = errors.NotFound if failure.code == 410 else errors.Busy
                    raise kind(failure.code, f"the watch of TaskRuns ended: {failure.message}")
                yield Change(event.type, _read(_observed, bytes(event.object)))
        except _BROKEN as e:
            raise errors.Busy(0, f"the watch of TaskRuns broke: {type(e).__name__}: {e}") from e
        finally:
            response.close()

    # --- Secrets ---

    async def create_secret(self, namespace: str, body: Json) -> None:
        """Makes a Secret. Raises errors.Conflict if the name is taken."""
        await self._ask("POST", _secrets(namespace), body)

    async def change_secret(self, namespace: str, name: str, data: dict[str, str]) -> None:
        """Writes values of a Secret, which are base64."""
        await self._ask("PATCH", _secrets(namespace, name), {"data": data}, kind=_MERGE_PATCH)

    # --- the rest ---

    async def log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """Returns the last lines of a container's output."""
        query = urlencode({"container": container, "tailLines": str(lines)})
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log?{query}"
        return (await self._data("GET", path, accept="*/*")).decode("utf-8", "replace")

    async def definition(self) -> Json:
        """Returns the definition of the TaskRun resource; raises errors.NotFound if it is not installed."""
        return await self._ask("GET", _CRD)

    async def versions(self) -> Json:
        """Returns the resources of our API group's version, which needs no right of its own."""
        return await self._ask("GET", _ROOT)

    async def may(self, namespace: str, verb: str, resource: str) -> bool:
        """Tells whether this account may do something; ``resource`` is ``taskruns.airlock.dev`` or ``pods/exec``."""
        kind, _, subresource = resource.partition("/")
        plural, _, group = kind.partition(".")
        attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
        if subresource:
            attributes["subresource"] = subresource
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = await self._ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        return bool((answer.get("status") or {}).get("allowed"))

    async def _ask(self, method: str, path: str, body: Json | None = None, kind: str = _JSON) -> Json:
        data = await self._data(method, path, body, kind)
        try:
            answer: Json = msgspec.json.decode(data)
        except msgspec.MsgspecError as e:
            raise errors.Busy(0, f"the API server's answer cannot be read: {e}") from e
        return answer

    async def _data(
        self, method: str, path: str, body: Json | None = None, kind: str = _JSON, accept: str = _JSON
    ) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._send(method, path, body, kind, self._seconds, accept)
                data: bytes = await response.read()
        except _BROKEN as e:
            raise errors.Busy(0, f"the API server does not answer: {type(e).__name__}: {e}") from e
        if response.status >= 300:
            raise errors.of_answer(response.status, data)
        return data

    async def _send(
        self, method: str, path: str, body: Json | None, kind: str, seconds: float, accept: str = _JSON
    ) -> Any:
        """Sends a request and returns aiohttp's response, whose body was not read yet."""
        if self._client is None:
            raise errors.Busy(0, "not connected yet")
        try:
            headers = {"Accept": accept, "Content-Type": kind, "User-Agent": _USER_AGENT}
            headers |= await self._authorization()
            answer = await self._client.rest_client.request(
                method, self._client.configuration.host + path, headers=headers, body=body, _request_timeout=seconds,
                **self._more,
            )  # fmt: skip
        except ApiException as e:
            raise errors.of_answer(e.status or 0, str(e.body or e.reason).encode()) from e
        except _BROKEN as e:
            raise errors.Busy(0, f"the API server does not answer: {type(e).__name__}: {e}") from e
        return getattr(answer, "response", answer)

    async def _authorization(self) -> dict[str, str]:
        """Returns the header that proves who this is; the token's file is read again after a while."""
        now = time.monotonic()
        if now - self._authorized_at > _TOKEN_SECONDS:
            auth = (await self._client.configuration.auth_settings()).get("BearerToken")
            self._header = {} if auth is None else {"Authorization": str(auth["value"])}
            self._authorized_at = now
        return self._header


def _read(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decodes an answer; raises errors.Busy for an answer that is not ours, as of a proxy in between."""
    try:
        return decoder.decode(data)
    except msgspec.MsgspecError as e:
        raise errors.Busy(0, f"the API server's answer cannot be read: {e}") from e


async def _lines(response: Any, quiet_seconds: float) -> AsyncIterator[bytes]:
    """Yields the lines of a body as they come; raises TimeoutError if nothing comes for so long."""
    rest = b""
    chunks = response.content.iter_any()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks), quiet_seconds)
        except StopAsyncIteration:
            return
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def _taskruns(namespace: str, name: str = "") -> str:
    return f"{_ROOT}/namespaces/{quote(namespace)}/{PLURAL}" + (f"/{quote(name)}" if name else "")


def _secrets(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{quote(namespace)}/secrets" + (f"/{quote(name)}" if name else "")
