"""Masking: telling the sidecar which further values must not be readable in logs."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from airlock.sdk import _channel
from airlock_wire.protocol.messages import MaskSecret


def mask_secret(secret: Any, name: str | None = None) -> None:
    """
    Hides a value in this launch's logs from now on: a text, or every text inside a mapping or sequence.

    ``name`` says what it is; for a mapping its own keys do. What was logged before stays as it is. The passwords and
    extras of connections, and variables with a sensitive name, are masked without this call.
    """
    _channel.ask(MaskSecret(value=_plain(secret), name=name), "mask_secret()")


def _plain(secret: Any) -> Any:
    if secret is None or isinstance(secret, str | bool | int | float):
        return secret
    if isinstance(secret, Mapping):
        return {str(key): _plain(value) for key, value in secret.items()}
    if isinstance(secret, Sequence | AbstractSet) and not isinstance(secret, bytes | bytearray):
        return [_plain(value) for value in secret]
    return str(secret)
