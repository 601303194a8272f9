"""
Maps a connection to the options of fsspec's file system for a scheme. Pure.

Whatever ``storage_options`` in the connection's extras says comes last, so an option that has no field can be set.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from airlock.sdk.definitions.connection import Connection
from airlock.sdk.exceptions import AirlockException

Options = dict[str, Any]

_STORAGE_OPTIONS: Final = "storage_options"


def options(scheme: str, connection: Connection) -> Options:
    """
    Returns the options of the scheme's file system; raises AirlockException for extras that are not what they must be.
    """
    extra = connection.extra_dejson
    more = extra.get(_STORAGE_OPTIONS, {})
    if isinstance(more, str):
        more = _decoded(connection, _STORAGE_OPTIONS, more)
    if not isinstance(more, dict):
        raise _wrong(connection, _STORAGE_OPTIONS)
    by_fields = _BY_SCHEME.get(scheme, _by_host)(connection, extra)
    return {name: value for name, value in by_fields.items() if value not in (None, "", {})} | more


def _s3(connection: Connection, extra: Options) -> Options:
    client = {name: extra.get(name) for name in ("region_name", "verify") if extra.get(name) is not None}
    return {
        "key": connection.login,
        "secret": connection.password,
        "token": extra.get("aws_session_token"),
        "profile": extra.get("profile_name"),
        "endpoint_url": extra.get("endpoint_url") or connection.host,
        "client_kwargs": client,
    }


def _gcs(connection: Connection, extra: Options) -> Options:
    # Airflow's older connections have the extras of this type under longer names.
    old = "extra__google_cloud_platform__"
    key = extra.get("keyfile_dict") or extra.get(f"{old}keyfile_dict")
    if isinstance(key, str):
        key = _decoded(connection, "keyfile_dict", key)
    path = extra.get("key_path") or extra.get(f"{old}key_path")
    return {"token": key or path, "project": extra.get("project") or extra.get(f"{old}project")}


def _azure(connection: Connection, extra: Options) -> Options:
    by_principal = {name: extra.get(name) for name in ("tenant_id", "client_id", "client_secret")}
    if not by_principal["tenant_id"]:
        by_principal = {}
    return {
        "account_name": extra.get("account_name") or _account(connection.host) or connection.login,
        "account_key": None if by_principal else extra.get("account_key") or connection.password,
        "connection_string": extra.get("connection_string"),
        "sas_token": extra.get("sas_token"),
        **by_principal,
    }


def _account(host: str | None) -> str | None:
    """Returns the account in a host's name, ``account.blob.core.windows.net``; None for another host."""
    name, separator, rest = (host or "").removeprefix("https://").partition(".")
    return name if separator and "core.windows.net" in rest else None


def _by_host(connection: Connection, _: Options) -> Options:
    return {
        "host": connection.host,
        "port": connection.port,
        "username": connection.login,
        "password": connection.password,
    }


def _none(_: Connection, __: Options) -> Options:
    return {}


_BY_SCHEME: Final[dict[str, Callable[[Connection, Options], Options]]] = {
    **dict.fromkeys(("s3", "s3a"), _s3),
    **dict.fromkeys(("gs", "gcs"), _gcs),
    **dict.fromkeys(("az", "abfs", "abfss", "adl"), _azure),
    **dict.fromkeys(("file", "local", "memory", "http", "https"), _none),
}


def _decoded(connection: Connection, name: str, text: str) -> Options:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _wrong(connection, name)
    return value


def _wrong(connection: Connection, name: str) -> AirlockException:
    return AirlockException(
        f"the extra {name!r} of connection {connection.conn_id!r} is not a JSON object; correct it where it is defined"
    )
