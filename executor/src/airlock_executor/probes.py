"""
Asks Airflow's API server for a connection or a variable, as a task does: so it is known whether it answers, takes the
scheduler's tokens and reaches its secrets backend.
"""

import time

import msgspec

from airlock_executor import execution_api

#: What nobody has. An API server that asks its backends for it answers 404.
NOBODYS = "airlock-executor-check"


class Reply(msgspec.Struct, frozen=True):
    """What was asked for, and what came: a status within so many seconds, or why none."""

    #: ``variables`` or ``connections``.
    kind: str
    name: str
    status: int = 0
    seconds: float = 0.0
    failure: str = ""


def ask(api_url: str, token: str, kind: str, name: str) -> Reply:
    """Asks once. The value is thrown away."""
    began = time.monotonic()
    try:
        status, _ = execution_api.call("GET", api_url, [kind, name], token)
    except execution_api.Away as e:
        return Reply(kind, name, failure=str(e), seconds=time.monotonic() - began)
    return Reply(kind, name, status, time.monotonic() - began)
