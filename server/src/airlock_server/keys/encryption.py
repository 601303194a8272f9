"""
Encrypts secrets at rest: AES-256-GCM, each value bound to its place. No other module imports cryptography for this.

The place is authenticated, not stored: a ciphertext that somebody moves to another row, to read it through
that row's permissions, does not decrypt there.
"""

import base64
import binascii
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from airlock_wire.process.settings import SettingsError

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Undecryptable(Exception):
    """A stored secret does not open with this key: the key was replaced, or the value was moved or damaged."""


#: Returns the keys if they are others than at the last call, else None.
Reread = Callable[[], Sequence[bytes] | None]


class Encryption:
    """
    Encrypts with the first of its secrets and decrypts with all of them; from each the actual key is derived.

    ``reread`` is asked before each value is encrypted, and when none of the keys opens a value. So a server that runs
    while its keys are rotated takes the new ones up.
    """

    def __init__(self, *secrets: bytes, reread: Reread | None = None) -> None:
        self._ciphers = _ciphers(secrets)
        self._reread = reread

    @classmethod
    def from_setting(cls, keys: str) -> "Encryption":
        """Reads ``[encryption] key``; raises SettingsError, which never shows a key."""
        return cls(*(_from_base64(key.strip()) for key in keys.split(",")))

    def encrypt(self, value: str, place: str) -> bytes:
        """Encrypts a value for ``place``, a text that names one column of one row."""
        self._refresh()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._ciphers[0].encrypt(nonce, value.encode(), place.encode())

    def decrypt(self, ciphertext: bytes, place: str) -> str:
        """Decrypts what ``encrypt`` returned; raises Undecryptable."""
        if ciphertext[:1] != _FORMAT:
            raise Undecryptable(f"{place}: stored in an unknown format")
        value = _opened(self._ciphers, ciphertext, place)
        if value is None and self._refresh():
            value = _opened(self._ciphers, ciphertext, place)
        if value is None:
            raise Undecryptable(f"{place}: the encryption key is not the one it was stored with")
        return value

    def is_under_first(self, ciphertext: bytes, place: str) -> bool:
        """Tells whether the first key opens a value, so that it need not be encrypted anew."""
        return ciphertext[:1] == _FORMAT and _opened(self._ciphers[:1], ciphertext, place) is not None

    def _refresh(self) -> bool:
        keys = None if self._reread is None else self._reread()
        if keys is None:
            return False
        self._ciphers = _ciphers(keys)
        return True


def _opened(ciphers: Sequence[AESGCM], ciphertext: bytes, place: str) -> str | None:
    nonce, sealed = ciphertext[1 : 1 + _NONCE_BYTES], ciphertext[1 + _NONCE_BYTES :]
    for cipher in ciphers:
        with contextlib.suppress(InvalidTag, ValueError):
            return cipher.decrypt(nonce, sealed, place.encode()).decode()
    return None


def _ciphers(secrets: Sequence[bytes]) -> tuple[AESGCM, ...]:
    if not secrets:
        raise ValueError("encryption needs a key")
    return tuple(
        AESGCM(hashlib.blake2b(secret, digest_size=_KEY_BYTES, person=b"airlock-at-rest").digest())
        for secret in secrets
    )


def _from_base64(key: str) -> bytes:
    try:
        secret = base64.b64decode(key, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as e:
        raise SettingsError("[encryption] key is not base64url") from e
    if len(secret) != _KEY_BYTES:
        raise SettingsError(f"[encryption] key holds {len(secret)} bytes; it is {_KEY_BYTES} random bytes, base64url")
    return secret
