"""
Calls the Kubernetes API. No other module of the operator imports its client.

JSON in and out: the client's models would cost time and memory for fields that nobody reads. Every call has a bound,
and every failure is one of ``airlock_operator.kube.errors``.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.exceptions import ApiException, OpenApiException

from airlock_operator.kube import errors
from airlock_wire.taskrun import API_VERSION, KIND, PLURAL

GROUP_PATH = f"/apis/{API_VERSION}"
_TIMEOUT_SECONDS = 15.0
#: How many objects a page of a list has: the loop decodes one in some milliseconds.
_PAGE = 200
#: A list of metadata alone, which is a fraction of the objects.
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_JSON = "application/json"
_USER_AGENT = "airlock-operator"
#: How long a token is used before its file is read again. A kubelet replaces it long before it ends.
_TOKEN_SECONDS = 30.0
#: How long a watch lasts before it is begun anew.
_WATCH_SECONDS = 300

Json = dict[str, Any]
T = TypeVar("T")


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """What a relist compares of an object."""

    name: str
    uid: str
    resource_version: str
    namespace: str = ""
    labels: dict[str, str] = {}


class _Item(msgspec.Struct, frozen=True):
    metadata: Metadata


class _ListMetadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct, frozen=True):
    metadata: _ListMetadata
    #: The API server writes null for an empty list of metadata.
    items: list[_Item] | None = None


class _FullPage(msgspec.Struct, frozen=True):
    metadata: _ListMetadata
    items: list[Json] | None = None


_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "DELETE": "delete"}

_page = msgspec.json.Decoder(_Page)
_full_page = msgspec.json.Decoder(_FullPage)


class Cluster:
    """
    One connection pool. ``kubeconfig`` is a file's path; without it the pod's service account is used. ``called`` is
    told each request's verb, resource, code (0 without an answer) and seconds.
    """

    def __init__(
        self,
        kubeconfig: str = "",
        connections: int = 64,
        called: Callable[[str, str, int, float], None] = lambda *_: None,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._called = called
        self._connections = connections
        self._client: ApiClient | None = None
        self._header: dict[str, str] = {}
        self._authorized_at = float("-inf")

    async def open(self) -> None:
        """Reads the credentials; raises errors.KubernetesError if it finds no credentials."""
        configuration = Configuration()
        try:
            if self._kubeconfig:
                await config.load_kube_config(self._kubeconfig, client_configuration=configuration)
            else:
                config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException as e:
            raise errors.NotAllowed(0, f"no way into a cluster: {e}") from e
        configuration.connection_pool_maxsize = self._connections
        self._client = ApiClient(configuration)

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.close()

    # --- TaskRuns ---

    async def taskrun(self, namespace: str, name: str) -> Json:
        """Returns a TaskRun."""
        return await self._ask("GET", _taskrun(namespace, name))

    async def knows_taskruns(self, namespace: str) -> bool:
        """Tells whether the TaskRun resource is installed; ``namespace`` is one that may be listed, "" for all."""
        try:
            await self._data("GET", _list(namespace, PLURAL, "", ""), _METADATA_ONLY)
        except errors.NotFound:
            return False
        return True

    async def write_status(self, body: Json, status: Json) -> Json:
        """
        Writes the status and returns the TaskRun. ``body`` is the object that the status was decided on; raises
        errors.Conflict if it has changed since.
        """
        meta = body["metadata"]
        identity = {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion")}
        taskrun = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": identity, "spec": body["spec"]}
        path = f"{_taskrun(meta['namespace'], meta['name'])}/status?fieldValidation=Strict"
        return await self._ask("PUT", path, taskrun | {"status": status})

    async def delete_taskrun(self, namespace: str, name: str, uid: str) -> None:
        """Deletes this very TaskRun; the garbage collector takes its pods."""
        options = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._ask("DELETE", _taskrun(namespace, name), options)

    # --- pods ---

    async def pod(self, namespace: str, name: str) -> Json:
        """Returns a pod."""
        return await self._ask("GET", _pod(namespace, name))

    async def create_pod(self, namespace: str, manifest: Json) -> Json:
        """Makes a pod and returns it. Raises errors.Conflict if a pod has that name."""
        return await self._ask("POST", f"{_pod(namespace)}?fieldValidation=Strict", manifest)

    async def delete_pod(self, namespace: str, name: str, uid: str, grace_seconds: int | None = None) -> None:
        """Deletes this very pod, by default with its own grace period."""
        grace = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        await self._ask("DELETE", _pod(namespace, name), {"preconditions": {"uid": uid}} | grace)

    # --- lists and watches ---

    async def pages(self, namespaces: list[str], kind: str, selector: str = "") -> AsyncIterator[list[Json]]:
        """
        Yields the objects of a kind (``taskruns`` or ``pods``) in these namespaces, page by page; without namespaces,
        in all. Another task may run between two pages.
        """
        for namespace in namespaces or [""]:
            token = ""
            while True:
                page = _read(_full_page, await self._data("GET", _list(namespace, kind, selector, token), _JSON))
                for item in page.items or []:
                    item.setdefault("apiVersion", API_VERSION if kind == PLURAL else "v1")
                    item.setdefault("kind", KIND if kind == PLURAL else "Pod")
                yield page.items or []
                token = page.metadata.continue_
                if not token:
                    break

    async def versions(self, namespace: str, kind: str, selector: str = "") -> tuple[list[Metadata], int]:
        """Returns the metadata of a kind's objects in a namespace, or in all for "", and the list's own version."""
        metadata: list[Metadata] = []
        token = ""
        while True:
            page = _read(_page, await self._data("GET", _list(namespace, kind, selector, token), _METADATA_ONLY))
            metadata += [item.metadata for item in page.items or []]
            token = page.metadata.continue_
            if not token:
                version = page.metadata.resource_version
                return metadata, int(version) if version.isdigit() else 0
            # One page may have taken the loop for some milliseconds.
            await asyncio.sleep(0)

    async def warnings(self, namespace: str) -> AsyncIterator[Json]:
        """
        Yields the Warnings about pods in a namespace, or in all for "": those that are known, then each new one. Ends
        after some minutes.
        """
        query = {
            "watch": "true",
            "fieldSelector": "involvedObject.kind=Pod,type=Warning",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        path = f"/api/v1/namespaces/{quote(namespace)}/events" if namespace else "/api/v1/events"
        response = await self._open("GET", f"{path}?{urlencode(query)}", _JSON, None, _WATCH_SECONDS + _TIMEOUT_SECONDS)
        try:
            async for line in _lines(response):
                event = msgspec.json.decode(line)
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield event["object"]
                elif event["type"] == "ERROR":
                    raise errors.Busy(0, f"the watch of Events ended: {event['object'].get('message')}")
        except (TimeoutError, OSError, OpenApiException) as e:
            raise errors.Busy(0, f"the watch of Events broke: {type(e).__name__}: {e}") from e
        finally:
            response.response.close()

    # --- the rest ---

    async def create_event(self, namespace: str, event: Json) -> None:
        """Posts an event."""
        await self._ask("POST", f"/api/v1/namespaces/{quote(namespace)}/events", event)

    async def lease(self, namespace: str, name: str) -> Json:
        """Returns a Lease."""
        return await self._ask("GET", _lease(namespace, name))

    async def create_lease(self, namespace: str, body: Json) -> Json:
        """Makes a Lease; raises errors.Conflict if somebody was faster."""
        return await self._ask("POST", _lease(namespace), body)

    async def write_lease(self, namespace: str, body: Json) -> Json:
        """Writes a Lease over the version that was read; raises errors.Conflict if somebody was faster."""
        return await self._ask("PUT", _lease(namespace, body["metadata"]["name"]), body)

    async def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        answer: Json = msgspec.json.decode(await self._data(method, path, _JSON, body))
        return answer

    async def _data(self, method: str, path: str, accept: str, body: Json | None = None) -> bytes:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                response = await self._open(method, path, accept, body, _TIMEOUT_SECONDS)
                data: bytes = await response.read()
        except (TimeoutError, OSError) as e:
            raise errors.Busy(0, f"the API server does not answer: {type(e).__name__}: {e}") from e
        return data

    async def _open(self, method: str, path: str, accept: str, body: Json | None, seconds: float) -> Any:
        """Sends a request and returns the response, whose body was not read yet; raises errors.KubernetesError."""
        if self._client is None:
            raise errors.Busy(0, "not connected yet")
        began, code = time.monotonic(), 0
        try:
            headers = {"Accept": accept, "User-Agent": _USER_AGENT} | await self._authorization(self._client)
            url = self._client.configuration.host + path
            # The client's own way to a request copies every body, and goes through a thread for the token each time. It
            # took an eighth of the processor time of an operator that makes pods.
            response = await self._client.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=seconds
            )
            code = response.status
        except ApiException as e:
            code = e.status or 0
            raise _error(e.status or 0, e.body or str(e.reason), e.headers) from e
        except (TimeoutError, OSError, OpenApiException) as e:
            raise errors.Busy(0, f"the API server does not answer: {type(e).__name__}: {e}") from e
        finally:
            self._called(*verb_and_resource(method, path), code, time.monotonic() - began)
        if response.status >= 300:
            raise _error(response.status, await response.read(), response.headers)
        return response

    async def _authorization(self, client: ApiClient) -> dict[str, str]:
        """Returns the header that proves who this is; the client reads the token's file again after its time."""
        now = time.monotonic()
        if now - self._authorized_at > _TOKEN_SECONDS:
            auth = (await client.configuration.auth_settings()).get("BearerToken")
            self._header = {} if auth is None else {"Authorization": str(auth["value"])}
            self._authorized_at = now
        return self._header


def _read(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decodes a list; raises errors.Busy for an answer that is not one, as of a proxy in between."""
    try:
        return decoder.decode(data)
    except msgspec.MsgspecError as e:
        raise errors.Busy(0, f"the API server's answer cannot be read: {e}") from e


def verb_and_resource(method: str, path: str) -> tuple[str, str]:
    """Returns the verb of a request, as RBAC names it, and its resource; no name of an object is in them. Pure."""
    where, _, query = path.partition("?")
    # /api/v1 or /apis/GROUP/VERSION, then namespaces/NAME or nothing, then RESOURCE/NAME/SUBRESOURCE.
    parts = where.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if parts[0] == "namespaces" and len(parts) > 2:
        parts = parts[2:]
    resource = "/".join((parts[0], *parts[2:3]))
    if method == "GET" and len(parts) == 1:
        return ("watch" if "watch=true" in query else "list"), resource
    return _VERBS[method], resource


async def _lines(response: Any) -> AsyncIterator[bytes]:
    """Yields the lines of a body as they come; a line may be longer than the client's own bound for lines."""
    rest = b""
    async for chunk in response.response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def _list(namespace: str, kind: str, selector: str, token: str) -> str:
    root = GROUP_PATH if kind == PLURAL else "/api/v1"
    path = f"{root}/namespaces/{quote(namespace)}/{kind}" if namespace else f"{root}/{kind}"
    query = {"limit": str(_PAGE)} | ({"labelSelector": selector} if selector else {})
    return f"{path}?{urlencode(query | ({'continue': token} if token else {}))}"


def _error(status: int, data: Any, headers: Any) -> errors.KubernetesError:
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data)
    return errors.of_answer(status, text, str((headers or {}).get("Retry-After") or ""))


def _taskrun(namespace: str, name: str) -> str:
    return f"{GROUP_PATH}/namespaces/{quote(namespace)}/taskruns/{quote(name)}"


def _pod(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{quote(namespace)}/pods" + (f"/{quote(name)}" if name else "")


def _lease(namespace: str, name: str = "") -> str:
    root = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace)}/leases"
    return root + (f"/{quote(name)}" if name else "")
