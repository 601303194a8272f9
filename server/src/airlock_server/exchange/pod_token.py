"""
Checks a pod's token before Kubernetes confirms it: refuses what can be refused without asking.

The claims are not trusted here. They are only used to refuse a token that has another audience or has run out.
"""

import base64
import binascii
from typing import Any

import msgspec

from airlock_wire.taskrun import attempt_of

#: A projected token is about one kilobyte.
MAX_TOKEN_BYTES = 16384


class Unusable(Exception):
    """The token cannot be exchanged. The text says what is wrong with it, and never quotes it."""


class _Payload(msgspec.Struct, frozen=True):
    aud: str | list[str]
    exp: float


def check(token: str, audience: str, now: float) -> None:
    """Raises Unusable unless the token is a JWT of this audience with time left (``now`` in epoch seconds)."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN_BYTES or len(parts) != 3 or not all(parts):
        raise Unusable("the bearer token is not a JWT; send the projected service-account token of the pod")
    payload = _payload(parts[1])
    audiences = [payload.aud] if isinstance(payload.aud, str) else payload.aud
    if audience not in audiences:
        raise Unusable(f"the token is not meant for Airlock; project one with audience {audience!r}")
    if payload.exp <= now:
        raise Unusable("the token has run out; the kubelet replaces the file, so read it again")


def _payload(part: str) -> _Payload:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        return msgspec.json.decode(raw, type=_Payload)
    except (binascii.Error, ValueError, RecursionError, msgspec.MsgspecError) as e:
        raise Unusable("the bearer token's claims cannot be read; it needs an audience and an expiry") from e


class Pod(msgspec.Struct, frozen=True):
    """The pod that the token belongs to, by Kubernetes; and its attempt and TaskRun, by its name."""

    namespace: str
    service_account: str
    name: str
    uid: str
    taskrun: str
    number: int


class NotAPod(Exception):
    """The token does not belong to a pod that Airlock made."""


_PREFIX = "system:serviceaccount:"
_POD_NAME = "authentication.kubernetes.io/pod-name"
_POD_UID = "authentication.kubernetes.io/pod-uid"


def pod_of(username: str, extra: dict[str, list[str]]) -> Pod:
    """Returns the pod of a reviewed token; raises NotAPod."""
    namespace, _, account = username.removeprefix(_PREFIX).partition(":")
    if not username.startswith(_PREFIX) or not namespace or not account:
        raise NotAPod(f"{username!r} is not a service account; only the sidecar of a TaskRun's pod may ask")
    name, uid = _only(extra, _POD_NAME), _only(extra, _POD_UID)
    attempt = attempt_of(name)
    if attempt is None:
        raise NotAPod(f"pod {name!r} is not an attempt of a TaskRun; only pods that the operator made may ask")
    return Pod(namespace, account, name, uid, *attempt)


def _only(extra: dict[str, Any], key: str) -> str:
    values = extra.get(key) or []
    if len(values) != 1 or not values[0]:
        raise NotAPod("the token is not bound to a pod; project it into the pod instead of making it by TokenRequest")
    return str(values[0])
