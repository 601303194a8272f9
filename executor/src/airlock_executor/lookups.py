"""
Connections and variables of a scheduler's environment, as a sidecar takes them: beside the token, in its Secret. Pure.

The sidecar answers with them under the task's policy, and masks them. In the runner's environment user code would have
all of them without a question.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from airlock_wire.workload import SERVICE_CONNECTIONS

CONNECTION, VARIABLE = "AIRFLOW_CONN_", "AIRFLOW_VAR_"
#: A Secret has at most 1 MiB.
MAX_BYTES = 900_000


class TooLarge(ValueError):
    """There is more than a Secret holds; the text says what to do."""


def among(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables of an environment that are connections and variables of Airflow's."""
    return {name: value for name, value in environ.items() if name.upper().startswith((CONNECTION, VARIABLE))}


def of_services(connections: Mapping[str, Mapping[str, Any]], databases: Iterable[str]) -> list[str]:
    """
    Returns which connections are those of Airflow's own services, which no task gets: by Airflow's name for its
    metadata database, or because they have the login, the password and the host of one of ``databases``, URIs.
    """
    logins = {_login(uri) for uri in databases}
    return [
        name
        for name, fields in connections.items()
        if name.upper().removeprefix(CONNECTION) in SERVICE_CONNECTIONS
        or (fields["password"] and (fields["login"], fields["password"], (fields["host"] or "").lower()) in logins)
    ]


def _login(uri: str) -> tuple[str | None, str, str]:
    parts = urlsplit(uri)
    return unquote(parts.username or "") or None, unquote(parts.password or ""), (parts.hostname or "").lower()


def document(connections: Mapping[str, Mapping[str, Any]], environ: Mapping[str, str]) -> bytes:
    """
    Returns the file of the sidecar. ``connections`` has, by the name of the environment's variable, what the Execution
    API would answer; a variable is its own value. Empty without any. Raises TooLarge.
    """
    answers: dict[str, dict[str, Any]] = {"connections": {}, "variables": {}}
    for name, fields in connections.items():
        answers["connections"][name.upper().removeprefix(CONNECTION)] = dict(fields)
    for name, value in environ.items():
        if name.upper().startswith(VARIABLE):
            key = name.upper().removeprefix(VARIABLE)
            answers["variables"][key] = {"key": key, "value": value}
    if not any(answers.values()):
        return b""
    text = json.dumps(answers).encode()
    if len(text) > MAX_BYTES:
        raise TooLarge(
            f"{CONNECTION}* and {VARIABLE}* have {len(text)} bytes together, and a Secret holds {MAX_BYTES}: put some "
            "into a secrets backend of the API server"
        )
    return text
