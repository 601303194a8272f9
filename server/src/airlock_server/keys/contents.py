"""
Decides what each step of setting up or rotating writes into the four objects with an install's keys. Pure.

A step takes the data of an object (None if it does not exist) and returns the data to write (None to write nothing).
It never changes valid data. It raises ``KeysError`` for a fault that a person must look at first.
"""

import datetime as dt
import secrets
from collections.abc import Sequence

from airlock_server.keys import certificates
from airlock_server.keys.certificates import Pair
from airlock_server.keys.key_file import fingerprint
from airlock_server.keys.tokens import KEY_BYTES, MAX_KEYS

KEYS, AUTHORITY, SERVER = "airlock-keys", "airlock-ca", "airlock-server-tls"

JWT_KEY, ENCRYPTION_KEY = "jwt.key", "encryption.key"
CA_KEY, CA_CRT, NEXT_KEY, NEXT_CRT = "ca.key", "ca.crt", "next.key", "next.crt"
TLS_CRT, TLS_KEY = "tls.crt", "tls.key"

Data = dict[str, bytes]


class KeysError(Exception):
    """The keys cannot be set up or rotated in their present state. The text says what to do."""


def server_names(service: str, namespace: str) -> list[str]:
    """Returns the DNS names of the server's Service."""
    return [service, f"{service}.{namespace}", f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local"]


# --- setting up: each step may be repeated at every upgrade ---


def set_up_keys(secret: Data | None) -> Data | None:
    """Returns the signing key and the key of secrets at rest."""
    data = dict(secret or {})
    _check_keys(data)
    for name in (JWT_KEY, ENCRYPTION_KEY):
        data.setdefault(name, secrets.token_bytes(KEY_BYTES))
    return None if data == secret else data


def set_up_authority(secret: Data | None, now: dt.datetime) -> Data | None:
    """Returns the authority that signs the server's certificate."""
    if secret is None:
        pair = certificates.make_authority(now)
        return {CA_KEY: pair.key, CA_CRT: pair.certificate}
    if (why := certificates.why_no_authority(authority_in(secret), now)) is not None:
        raise KeysError(
            f"Secret {AUTHORITY} holds no usable authority: {why}. Restore it from a backup; or delete it, and every "
            "pod that trusts the old one will have to be made again"
        )
    return None


def set_up_bundle(config_map: Data | None, authority: Data) -> Data | None:
    """Returns the ConfigMap of the authorities that sidecars trust: adds the install's, and keeps the others."""
    own_certificates = certificates.split(authority[CA_CRT])
    before = _bundle(config_map)
    missing = [each for each in own_certificates if each not in before]
    return {CA_CRT: b"".join(missing + before)} if missing or config_map is None else None


def set_up_server(secret: Data | None, authority: Data, names: Sequence[str], now: dt.datetime) -> Data | None:
    """Returns the server's certificate: a new one if it is missing, is about to run out or has the wrong names."""
    if secret is not None:
        server = Pair(secret.get(TLS_CRT, b""), secret.get(TLS_KEY, b""))
        if certificates.why_renew(server, authority[CA_CRT], names, now) is None:
            return None
    return renew_server(authority, names, now)


# --- rotating: each step is a person's decision, and may be repeated without harm ---


def renew_server(authority: Data, names: Sequence[str], now: dt.datetime) -> Data:
    """Returns a new certificate and key for the server, whatever the old ones are."""
    pair = certificates.sign_server(authority_in(authority), names, now)
    return {TLS_CRT: pair.certificate, TLS_KEY: pair.key, CA_CRT: authority[CA_CRT]}


def begin_authority(secret: Data, now: dt.datetime) -> Data | None:
    """Returns the next authority beside the present one, which still signs."""
    if NEXT_KEY in secret:
        return None
    pair = certificates.make_authority(now)
    return secret | {NEXT_KEY: pair.key, NEXT_CRT: pair.certificate}


def bundle_of_both(config_map: Data | None, authority: Data) -> Data | None:
    """Returns what sidecars trust while there are two authorities."""
    both = certificates.split(authority[CA_CRT]) + certificates.split(authority[NEXT_CRT])
    before = _bundle(config_map)
    missing = [each for each in both if each not in before]
    return {CA_CRT: b"".join(before + missing)} if missing else None


def finish_authority(secret: Data) -> Data | None:
    """Returns the next authority in the place of the present one."""
    if NEXT_KEY not in secret:
        return None
    return {CA_KEY: secret[NEXT_KEY], CA_CRT: secret[NEXT_CRT]}


def bundle_of_one(config_map: Data | None, authority: Data) -> Data | None:
    """Returns what sidecars trust once there is one authority again."""
    only = b"".join(certificates.split(authority[CA_CRT]))
    return None if config_map is not None and config_map.get(CA_CRT) == only else {CA_CRT: only}


def begin_jwt(secret: Data) -> Data:
    """Returns a new signing key, followed by the present keys, which still verify."""
    _check_keys(secret)
    keys = secret.get(JWT_KEY, b"")
    check_room(JWT_KEY, keys)
    return secret | {JWT_KEY: secrets.token_bytes(KEY_BYTES) + keys}


def check_room(name: str, keys: bytes) -> None:
    """Refuses a further key in a file that holds as many as it may."""
    if len(keys) >= MAX_KEYS * KEY_BYTES:
        raise KeysError(f"{name} holds {MAX_KEYS} keys already; drop the old ones first: --finish")


def finish_jwt(secret: Data) -> Data | None:
    """Returns the signing key alone."""
    _check_keys(secret)
    keys = secret.get(JWT_KEY, b"")
    return None if len(keys) <= KEY_BYTES else secret | {JWT_KEY: keys[:KEY_BYTES]}


def begin_encryption(secret: Data) -> Data | None:
    """Returns a new key of secrets at rest, followed by the present one; nothing if a rotation is under way."""
    _check_keys(secret)
    keys = secret.get(ENCRYPTION_KEY, b"")
    return None if len(keys) > KEY_BYTES else secret | {ENCRYPTION_KEY: secrets.token_bytes(KEY_BYTES) + keys}


def finish_encryption(secret: Data, reencrypted: str) -> Data | None:
    """Returns the new key of secrets at rest alone; ``reencrypted`` names the key that all values are under."""
    _check_keys(secret)
    keys = secret.get(ENCRYPTION_KEY, b"")
    if len(keys) <= KEY_BYTES:
        return None
    if fingerprint(keys[:KEY_BYTES]) != reencrypted:
        raise KeysError(
            "it is not known whether every stored value is under the new key. Run `airlock keys reencrypt` in the "
            "server's pod, and give the key's name that it prints: --reencrypted NAME"
        )
    return secret | {ENCRYPTION_KEY: keys[:KEY_BYTES]}


def authority_in(data: Data) -> Pair:
    """Returns the authority that signs."""
    return Pair(data.get(CA_CRT, b""), data.get(CA_KEY, b""))


def _bundle(config_map: Data | None) -> list[bytes]:
    try:
        return certificates.split((config_map or {}).get(CA_CRT, b""))
    except certificates.Unreadable as e:
        raise KeysError(f"ConfigMap {AUTHORITY}: {e}. Remove what is not a certificate from {CA_CRT}") from e


def _check_keys(data: Data) -> None:
    for name, most in ((JWT_KEY, MAX_KEYS), (ENCRYPTION_KEY, MAX_KEYS)):
        if name in data and len(data[name]) not in [KEY_BYTES * count for count in range(1, most + 1)]:
            raise KeysError(
                f"Secret {KEYS}: {name} holds {len(data[name])} bytes, which is not a key; restore it from a backup"
            )
