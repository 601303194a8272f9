"""
Sets up and rotates the keys of an install in its namespace: reads an object, asks ``contents``, writes.

Two Jobs may do this at once, and each may be killed at any moment. A write succeeds only if nobody wrote since the
read; otherwise the object is read again. Each step continues from what the step before it left.
"""

import datetime as dt
from collections.abc import Callable

from airlock_server.keys import contents
from airlock_server.keys.contents import Data, KeysError
from airlock_server.kube import objects
from airlock_server.kube.client import Client
from airlock_server.kube.errors import Conflict
from airlock_server.kube.objects import Kind, Object

#: How often a write may conflict with another's before this gives up.
_TRIES = 5

_TYPES = {contents.SERVER: "kubernetes.io/tls"}


class Install:
    """The keys of the install in a namespace. ``say`` is called for each thing that was done."""

    def __init__(self, client: Client, namespace: str, service: str, say: Callable[[str], None]) -> None:
        self._client = client
        self._namespace = namespace
        self._names = contents.server_names(service, namespace)
        self._say = say

    def set_up(self) -> None:
        """Makes what is missing and renews what runs out. Raises KeysError, ClusterError."""
        now = _now()
        self._change("Secret", contents.KEYS, contents.set_up_keys)
        authority = self._change("Secret", contents.AUTHORITY, lambda data: contents.set_up_authority(data, now))
        self._change("ConfigMap", contents.AUTHORITY, lambda data: contents.set_up_bundle(data, authority))
        self._change("Secret", contents.SERVER, lambda data: contents.set_up_server(data, authority, self._names, now))

    def rotate_server(self) -> None:
        """Makes a new certificate for the server."""
        authority, now = self._there(contents.AUTHORITY), _now()
        self._change("Secret", contents.SERVER, lambda _: contents.renew_server(authority, self._names, now))

    def begin_authority(self) -> None:
        """Makes a second authority, which new pods trust too; the first still signs."""
        now = _now()
        self._there(contents.AUTHORITY)
        authority = self._change("Secret", contents.AUTHORITY, lambda data: contents.begin_authority(data or {}, now))
        self._change("ConfigMap", contents.AUTHORITY, lambda data: contents.bundle_of_both(data, authority))

    def finish_authority(self) -> None:
        """Lets the second authority sign the server's certificate, and makes it the only one that new pods trust."""
        before = self._there(contents.AUTHORITY)
        if contents.NEXT_KEY not in before and self._settled(before):
            raise KeysError("no rotation of the authority has begun; begin one: airlock keys rotate ca")
        authority = self._change("Secret", contents.AUTHORITY, lambda data: contents.finish_authority(data or {}))
        now = _now()
        self._change("Secret", contents.SERVER, lambda data: contents.set_up_server(data, authority, self._names, now))
        self._change("ConfigMap", contents.AUTHORITY, lambda data: contents.bundle_of_one(data, authority))

    def begin_jwt(self) -> None:
        """Makes a new key that signs tokens; the old ones still verify."""
        self._there(contents.KEYS)
        self._change("Secret", contents.KEYS, lambda data: contents.begin_jwt(data or {}))

    def finish_jwt(self) -> None:
        """Drops the old keys, which only verified."""
        self._there(contents.KEYS)
        self._change("Secret", contents.KEYS, lambda data: contents.finish_jwt(data or {}))

    def begin_encryption(self) -> None:
        """Makes a new key that encrypts secrets at rest; the old one still decrypts."""
        self._there(contents.KEYS)
        self._change("Secret", contents.KEYS, lambda data: contents.begin_encryption(data or {}))

    def finish_encryption(self, reencrypted: str) -> None:
        """Drops the old key, once every stored value is under the new one, whose name is ``reencrypted``."""
        self._there(contents.KEYS)
        self._change("Secret", contents.KEYS, lambda data: contents.finish_encryption(data or {}, reencrypted))

    def _settled(self, authority: Data) -> bool:
        """
        Tells whether sidecars trust this authority alone: a finish that was cut short has left the bundle of both.
        """
        bundle = objects.read(self._client, "ConfigMap", self._namespace, contents.AUTHORITY)
        return bundle is None or contents.bundle_of_one(bundle.data, authority) is None

    def _there(self, name: str) -> Data:
        secret = objects.read(self._client, "Secret", self._namespace, name)
        if secret is None:
            raise KeysError(
                f"there is no Secret {name} in namespace {self._namespace!r}; set the install up first: "
                f"airlock keys setup --namespace {self._namespace}"
            )
        return secret.data

    def _change(self, kind: Kind, name: str, step: Callable[[Data | None], Data | None]) -> Data:
        """Does a step on an object, writes its result if it has one, and returns the data after it."""
        for _ in range(_TRIES):
            before = objects.read(self._client, kind, self._namespace, name)
            data = step(None if before is None else before.data)
            if data is None:
                self._say(f"{kind} {name}: unchanged")
                return before.data if before is not None else {}
            try:
                objects.write(
                    self._client,
                    Object(
                        kind=kind,
                        namespace=self._namespace,
                        name=name,
                        data=data,
                        type=before.type if before is not None else _TYPES.get(name, ""),
                        metadata=before.metadata if before is not None else None,
                    ),
                )
            except Conflict:
                continue
            self._say(f"{kind} {name}: {'changed' if before is not None else 'created'}")
            return data
        raise KeysError(f"{kind} {name} was changed by somebody else {_TRIES} times in a row; try again")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
