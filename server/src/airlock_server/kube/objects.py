"""Reads and writes whole Secrets and ConfigMaps; a write replaces only the version that was read."""

import base64
from typing import Any, Literal

import msgspec

from airlock_server.kube.client import Client, path
from airlock_server.kube.errors import NotFound

Kind = Literal["Secret", "ConfigMap"]
_PLURAL = {"Secret": "secrets", "ConfigMap": "configmaps"}


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """A Secret or ConfigMap. ``metadata`` is as it was read, None if it does not exist yet. Its repr hides secrets."""

    kind: Kind
    namespace: str
    name: str
    data: dict[str, bytes]
    type: str = ""
    metadata: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Object({self.kind} {self.namespace}/{self.name}, {sorted(self.data)})"


class _Read(msgspec.Struct, frozen=True):
    metadata: dict[str, Any]
    data: dict[str, str] | None = None
    type: str = ""


def read(client: Client, kind: Kind, namespace: str, name: str) -> Object | None:
    """Returns the object, None if it does not exist; raises ClusterError."""
    try:
        reply = client.get(path("api", "v1", "namespaces", namespace, _PLURAL[kind], name), _Read)
    except NotFound:
        return None
    decode = base64.b64decode if kind == "Secret" else str.encode
    data = {key: decode(value) for key, value in (reply.data or {}).items()}
    return Object(kind=kind, namespace=namespace, name=name, data=data, type=reply.type, metadata=reply.metadata)


def write(client: Client, target: Object) -> None:
    """Creates the object, or replaces the version that was read; raises Conflict if somebody else was first."""
    folder = ("api", "v1", "namespaces", target.namespace, _PLURAL[target.kind])
    if target.metadata is None:
        client.post(path(*folder), _body(target), dict[str, Any])
    else:
        client.put(path(*folder, target.name), _body(target), dict[str, Any])


def _body(target: Object) -> dict[str, Any]:
    metadata = target.metadata or {
        "name": target.name,
        "namespace": target.namespace,
        "labels": {"app.kubernetes.io/part-of": "airlock", "app.kubernetes.io/managed-by": "airlock-setup"},
    }
    body: dict[str, Any] = {"apiVersion": "v1", "kind": target.kind, "metadata": metadata}
    if target.kind == "Secret":
        body["type"] = target.type or "Opaque"
        body["data"] = {key: base64.b64encode(value).decode() for key, value in target.data.items()}
    else:
        body["data"] = {key: value.decode() for key, value in target.data.items()}
    return body
