"""
Keys of two halves, for tokens: RSA (RS256, RS384, RS512) and Ed25519 (EdDSA). Reads and writes them.

A key belongs to one algorithm, whatever a token says of itself.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from airlock_wire.process.settings import SettingsError

RSA_ALGORITHMS = ("RS256", "RS384", "RS512")
EDDSA = "EdDSA"
MIN_RSA_BITS = 2048
#: Keys that a set of keys has at most; a longer one is not a set of signing keys.
MAX_KEYS = 100

_END = b"-----END PRIVATE KEY-----"
_F4 = 65537


class PublicKey(msgspec.Struct, frozen=True):
    """A key that verifies: its name, its algorithm, and the key of ``cryptography``."""

    kid: str
    algorithm: str
    key: Any


class SigningKey(msgspec.Struct, frozen=True):
    """A key that signs, and its public half."""

    private: Any
    public: PublicKey


def read_private(pem: bytes, algorithm: str = "", kid: str = "") -> list[SigningKey]:
    """
    Reads one or more private keys in PEM, one after the other: the first signs, all verify. ``algorithm`` is empty or
    one that fits the keys. ``kid`` names the first; the others have names of their own. Raises SettingsError.
    """
    blocks = [part.strip() + b"\n" + _END + b"\n" for part in pem.split(_END) if part.strip()]
    if not blocks or not pem.strip().endswith(_END):
        raise SettingsError("[jwt] private_key_file holds no private keys in PEM (PKCS 8, without a password)")
    return [_signing(block, algorithm, kid if number == 0 else "") for number, block in enumerate(blocks)]


def _signing(pem: bytes, algorithm: str, kid: str) -> SigningKey:
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise SettingsError(f"[jwt] private_key_file holds a key that cannot be read: {e}") from e
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < MIN_RSA_BITS:
            raise SettingsError(
                f"[jwt] private_key_file: an RSA key has {private.key_size} bits; use {MIN_RSA_BITS} or more"
            )
        fitting: tuple[str, ...] = RSA_ALGORITHMS
    elif isinstance(private, ed25519.Ed25519PrivateKey):
        fitting = (EDDSA,)
    else:
        raise SettingsError("[jwt] private_key_file holds a key that is neither RSA nor Ed25519")
    chosen = algorithm or fitting[0]
    if chosen not in fitting:
        raise SettingsError(f"[jwt] algorithm is {chosen}, and the key in private_key_file is for {', '.join(fitting)}")
    public = private.public_key()
    return SigningKey(private, PublicKey(kid or thumbprint(public), chosen, public))


def generate_like(key: SigningKey) -> bytes:
    """Makes a private key of the same kind; returns it in PEM."""
    if isinstance(key.private, rsa.RSAPrivateKey):
        private: Any = rsa.generate_private_key(_F4, key.private.key_size)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem: bytes = private.private_bytes(*form)
    return pem


def first_of(pem: bytes) -> bytes:
    """Returns the first private key of several in PEM."""
    return pem.partition(_END)[0] + _END + b"\n"


def as_set(keys: Iterable[PublicKey]) -> bytes:
    """Writes public keys as a JSON Web Key Set (RFC 7517)."""
    written = [_fields(each.key) | {"kid": each.kid, "alg": each.algorithm, "use": "sig"} for each in keys]
    return json.dumps({"keys": written}, indent=2).encode()


def read_set(data: bytes) -> dict[str, PublicKey]:
    """
    Reads a JSON Web Key Set, by name; raises ValueError. A key that cannot verify tokens here is left out: symmetric
    ones above all, because whoever verifies with such a key can also sign with it.
    """
    try:
        listed = json.loads(data)["keys"]
        if not isinstance(listed, list) or len(listed) > MAX_KEYS:
            raise ValueError(f"its keys are not a list of at most {MAX_KEYS}")
        keys = [key for each in listed if (key := _of_jwk(each)) is not None]
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, RecursionError, binascii.Error) as e:
        raise ValueError(f"it is not a set of keys: {type(e).__name__}: {e}") from e
    return {key.kid: key for key in keys}


def thumbprint(public: Any) -> str:
    """Returns the name of a public key that follows from itself (RFC 7638)."""
    text = json.dumps(_fields(public), sort_keys=True, separators=(",", ":"))
    return _base64(hashlib.sha256(text.encode()).digest())


def _of_jwk(jwk: dict[str, Any]) -> PublicKey | None:
    if jwk.get("use", "sig") != "sig":
        return None
    if jwk["kty"] == "RSA":
        numbers = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"]))
        public: Any = numbers.public_key()
        algorithm = jwk.get("alg", RSA_ALGORITHMS[0])
        fits = algorithm in RSA_ALGORITHMS and public.key_size >= MIN_RSA_BITS
    elif jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
        public = ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))
        algorithm = jwk.get("alg", EDDSA)
        fits = algorithm in (EDDSA, "Ed25519")
        algorithm = EDDSA
    else:
        return None
    return PublicKey(str(jwk.get("kid") or thumbprint(public)), algorithm, public) if fits else None


def _fields(public: Any) -> dict[str, str]:
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": _base64_of(numbers.n), "e": _base64_of(numbers.e)}
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64(raw)}


def _base64_of(number: int) -> str:
    return _base64(number.to_bytes((number.bit_length() + 7) // 8))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text))
