"""
One request to Airflow's Execution API. The standard library's client is enough for the few that the executor makes.
"""

import http.client
import json
import ssl
from typing import Any
from urllib.parse import quote, urlsplit

#: The version of the API that has what is asked for.
_VERSION = "2026-06-30"
_SECONDS = 10.0


class Away(Exception):
    """The API server did not answer. The text says why."""


def call(method: str, api_url: str, parts: list[str], token: str, body: Any = None) -> tuple[int, bytes]:
    """
    Returns the status and the answer. ``api_url`` ends before ``/task-instances``, and ``parts`` are those of the path
    after it. ``token`` is one of scope ``execution``. Raises Away.
    """
    url = urlsplit("/".join([api_url.rstrip("/"), *(quote(part, safe="") for part in parts)]))
    headers = {"Authorization": f"Bearer {token}", "Airflow-API-Version": _VERSION}
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection = (
        http.client.HTTPSConnection(url.netloc, timeout=_SECONDS, context=ssl.create_default_context())
        if url.scheme == "https"
        else http.client.HTTPConnection(url.netloc, timeout=_SECONDS)
    )
    try:
        connection.request(method, url.path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as e:
        raise Away(str(e) or type(e).__name__) from e
    finally:
        connection.close()
