"""
Encrypts secrets at rest: AES-256-GCM, each value bound to its place. No other module imports cryptography for this.

The place is authenticated, not stored: a ciphertext that somebody moves to another row, to read it through
that row's permissions, does not decrypt there.
"""

import base64
import binascii
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from airlock_wire.process.settings import SettingsError

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class Undecryptable(Exception):
    """A stored secret does not open with this key: the key was replaced, or the value was moved or damaged."""


class Encryption:
    """Encrypts and decrypts with one secret, from which the actual key is derived."""

    def __init__(self, secret: bytes) -> None:
        self._aead = AESGCM(hashlib.blake2b(secret, digest_size=_KEY_BYTES, person=b"airlock-at-rest").digest())

    @classmethod
    def from_setting(cls, key: str) -> "Encryption":
        """Reads ``[encryption] key``; raises SettingsError, which never shows the key."""
        try:
            secret = base64.b64decode(key, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as e:
            raise SettingsError("[encryption] key is not base64url") from e
        if len(secret) != _KEY_BYTES:
            raise SettingsError(
                f"[encryption] key holds {len(secret)} bytes; it is {_KEY_BYTES} random bytes, base64url"
            )
        return cls(secret)

    def encrypt(self, value: str, place: str) -> bytes:
        """Encrypts a value for ``place``, a text that names one column of one row."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._aead.encrypt(nonce, value.encode(), place.encode())

    def decrypt(self, ciphertext: bytes, place: str) -> str:
        """Decrypts what ``encrypt`` returned; raises Undecryptable."""
        if ciphertext[:1] != _FORMAT:
            raise Undecryptable(f"{place}: stored in an unknown format")
        nonce, sealed = ciphertext[1 : 1 + _NONCE_BYTES], ciphertext[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, sealed, place.encode()).decode()
        except (InvalidTag, ValueError) as e:
            raise Undecryptable(f"{place}: the encryption key is not the one it was stored with") from e
