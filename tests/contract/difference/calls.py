"""A call that both servers get, and what a server answers."""

import json
import uuid

import msgspec

JSON = {"content-type": "application/json"}
#: The subject of a token that belongs to no task instance.
NOBODY = "a53efd66-7c32-4a9d-b1bb-bd5bbaaa8173"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """
    ``name`` says what is special about it. ``operation`` is the method and the path's pattern. ``subject`` and
    ``scope`` are of its token, None: without a token; ``raw_token`` comes in its place.
    """

    name: str
    operation: str
    method: str
    path: str
    query: list[tuple[str, str]] = []
    body: bytes | None = None
    headers: dict[str, str] = {}
    subject: str | None = NOBODY
    scope: str = "execution"
    raw_token: str | None = None

    @property
    def title(self):
        """For people."""
        return f"{self.operation}: {self.name}"


class Answer(msgspec.Struct, frozen=True):
    """What a server said: the status, the body (as JSON, where it is that), and whether it renewed the token."""

    status: int
    body: object
    renewed: bool


def send(client, tokens, call):
    """Sends a call to one server."""
    headers = dict(call.headers)
    if call.raw_token is not None:
        headers["authorization"] = f"Bearer {call.raw_token}"
    elif call.subject is not None:
        mint = tokens.mint_workload if call.scope == "workload" else tokens.mint_execution
        headers["authorization"] = f"Bearer {mint(str(uuid.UUID(call.subject)))}"
    # Airflow closes the connection after an answer of 500, so that a further call on it would be lost.
    headers["connection"] = "close"
    answer = client.request(call.method, call.path, params=call.query, content=call.body, headers=headers)
    return Answer(answer.status_code, _decoded(answer), "refreshed-api-token" in answer.headers)


def _decoded(answer):
    if not answer.content:
        return None
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.text
