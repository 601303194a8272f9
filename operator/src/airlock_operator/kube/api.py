"""
Calls the Kubernetes API. No other module of the operator imports its client.

JSON in and out: the client's models would cost time and memory for fields that nobody reads. Every call has a bound,
and every failure is one of ``airlock_operator.kube.errors``.
"""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.exceptions import ApiException, OpenApiException

from airlock_operator.kube import errors
from airlock_wire.taskrun import API_VERSION, PLURAL

GROUP_PATH = f"/apis/{API_VERSION}"
_TIMEOUT_SECONDS = 15.0
_PAGE = 500

Json = dict[str, Any]


class Cluster:
    """One connection pool. ``kubeconfig`` is a file's path; without it the pod's service account is used."""

    def __init__(self, kubeconfig: str = "", connections: int = 64) -> None:
        self._kubeconfig = kubeconfig
        self._connections = connections
        self._client: ApiClient | None = None

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
        self._client.user_agent = "airlock-operator"

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.close()

    # --- TaskRuns ---

    async def taskrun(self, namespace: str, name: str) -> Json:
        """Returns a TaskRun."""
        return await self._ask("GET", _taskrun(namespace, name))

    async def write_status(self, body: Json, status: Json) -> Json:
        """
        Writes the status and returns the TaskRun. ``body`` is the object that the status was decided on; raises
        errors.Conflict if it has changed since.
        """
        meta = body["metadata"]
        kept = {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion")}
        written = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": kept, "spec": body["spec"]}
        path = f"{_taskrun(meta['namespace'], meta['name'])}/status?fieldValidation=Strict"
        return await self._ask("PUT", path, written | {"status": status})

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

    # --- lists ---

    async def list_all(self, namespaces: list[str], kind: str, selector: str = "") -> list[Json]:
        """
        Returns every object of a kind (``taskruns`` or ``pods``) in these namespaces; without namespaces, in all.
        """
        found: list[Json] = []
        for namespace in namespaces or [""]:
            root = GROUP_PATH if kind == PLURAL else "/api/v1"
            path = f"{root}/namespaces/{quote(namespace)}/{kind}" if namespace else f"{root}/{kind}"
            token = ""
            while True:
                query = {"limit": str(_PAGE)} | ({"labelSelector": selector} if selector else {})
                page = await self._ask("GET", f"{path}?{urlencode(query | ({'continue': token} if token else {}))}")
                found += page.get("items") or []
                token = (page.get("metadata") or {}).get("continue") or ""
                if not token:
                    break
        return found

    # --- the rest ---

    async def create_event(self, namespace: str, event: Json) -> None:
        """Posts an event."""
        await self._ask("POST", f"/api/v1/namespaces/{quote(namespace)}/events", event)

    async def events_of(self, namespace: str, uid: str) -> list[Json]:
        """Returns the events about one object, by its UID."""
        query = urlencode({"fieldSelector": f"involvedObject.uid={uid}", "limit": "100"})
        answer = await self._ask("GET", f"/api/v1/namespaces/{quote(namespace)}/events?{query}")
        return list(answer.get("items") or [])

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
        if self._client is None:
            raise errors.Busy(0, "not connected yet")
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                request = await self._client.param_serialize(
                    method, path, header_params={"Accept": "application/json"}, body=body, auth_settings=["BearerToken"]
                )
                response = await self._client.call_api(*request, _request_timeout=_TIMEOUT_SECONDS)
                data = await response.read()
        except ApiException as e:
            raise _error(e.status or 0, e.body or str(e.reason), e.headers) from e
        except (TimeoutError, OSError, OpenApiException) as e:
            raise errors.Busy(0, f"the API server does not answer: {type(e).__name__}: {e}") from e
        if response.status >= 300:
            raise _error(response.status, data, response.headers)
        answer: Json = json.loads(data)
        return answer


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
