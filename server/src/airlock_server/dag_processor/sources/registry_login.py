"""
Logins for registries: from the configuration of Docker, which every client of registries and the pull Secrets of
Kubernetes have, and from the credential helpers that it names.
"""

import base64
import binascii
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

_HELPER_SECONDS = 20.0
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _Config(msgspec.Struct, frozen=True):
    """What the file has for us."""

    auths: dict[str, dict[str, Any]] = {}
    cred_helpers: dict[str, str] = msgspec.field(name="credHelpers", default_factory=dict)
    creds_store: str = msgspec.field(name="credsStore", default="")


class Login(NamedTuple):
    """A user and a password."""

    user: str
    password: str

    @classmethod
    def of(cls, host: str, environ: Mapping[str, str]) -> "Login | None":
        """Returns the login for a registry, or None. A file that cannot be read has none."""
        folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", "/"), ".docker")
        try:
            config = msgspec.json.decode(Path(folder, "config.json").read_bytes(), type=_Config)
        except (OSError, msgspec.MsgspecError):
            return None
        names = (host, f"https://{host}", f"https://{host}/v1/", f"https://{host}/v2/")
        for name in names:
            if (login := _written(config.auths.get(name, {}))) is not None:
                return login
        helper = next((config.cred_helpers[name] for name in names if name in config.cred_helpers), config.creds_store)
        return _helped(helper, host, environ) if _HELPER.fullmatch(helper) else None


def basic(login: Login) -> str:
    """Returns the header for a user and a password."""
    return f"Basic {base64.b64encode(f'{login.user}:{login.password}'.encode()).decode()}"


def bearer(data: bytes) -> str:
    """Returns the token in a token server's answer; empty if none is there."""
    try:
        answer = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.MsgspecError:
        return ""
    token = answer.get("token") or answer.get("access_token") or ""
    return token if isinstance(token, str) and re.fullmatch(r"[!-~]+", token) else ""


def challenge(header: str) -> tuple[str, dict[str, str]]:
    """Returns the scheme, in small letters, and the parameters of a ``WWW-Authenticate`` header."""
    scheme, _, rest = header.strip().partition(" ")
    return scheme.lower(), dict(re.findall(r'(\w+)="([^"]*)"', rest))


def _written(entry: dict[str, Any]) -> Login | None:
    if entry.get("username") and entry.get("password"):
        return Login(str(entry["username"]), str(entry["password"]))
    try:
        user, colon, password = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Login(user, password) if colon else None


def _helped(helper: str, host: str, environ: Mapping[str, str]) -> Login | None:
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=host.encode(),
            env=dict(environ),
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
        answer = msgspec.json.decode(done.stdout, type=dict[str, Any])
        return Login(str(answer["Username"]), str(answer["Secret"])) if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, msgspec.MsgspecError, KeyError):
        return None
