"""Writes docs/messages.md: every message of the protocol, its way to the server, its answers, and what governs it."""

import typing

from airlock_sidecar.requests import access
from airlock_sidecar.requests.answers import WITH_ROW, WITHOUT_ROW
from airlock_sidecar.requests.route import Route
from airlock_sidecar.requests.routes import ROUTES
from airlock_wire.protocol import whole

HEAD = """\
# Messages

Every request that a runner may send, ours or Airflow's, and what the sidecar makes of it. This page is written by
`make manifests` from the sidecar's own tables, `routes.py` and `answers.py` in `sidecar/src/airlock_sidecar/requests`.
A test holds them equal, and another holds the requests and answers equal to those of Airflow's own supervisor.

* **request**: of the Execution API. `{ti_id}` is always the launch's own, whatever the message says; a message that
  names another is refused.
* **answer**: in the body slot of the frame; *empty* is neither body nor error. **404** is what a 404 becomes there. Any
  other refusal of the server is in the error slot, which the runner raises.
* **governed by**: the list in the launch's access (airlock_wire/workload.py) that must include it, or why none must.
  Nothing is narrowed where the list is not given, but for three: without `xcomWrites` a task writes its own XComs
  only; without `assetEvents` it claims no asset; without `deferrals` it defers to triggers of Airflow's providers
  only. What is not granted is answered with PERMISSION_DENIED in the body slot for GetVariable and GetConnection,
  else with a 403 in the error slot. The answer names what is missing.

Own XComs are those of this very task instance: its DAG run, its task and its map index. A message that names no map
index is about the task without one, as Airflow's server takes it. So for a mapped task it is not about an own XCom.
Nor is one that takes all map indexes, or with `include_prior_dates` those of earlier runs. The same holds for writes.

An id of a DAG, a run, a task or a task group has neither two dots in a row nor a control character. It has none of
slash, backslash, `%`, `?` and `#`. Another one is refused before anything is sent. Keys may have slashes. The API has
routes of its own for some keys: the variable `keys`, the DAG run `previous`, an XCom whose key ends in `/slice` or
`/item/` and a number. Under such a key nothing can be read: the answer is that of a 404.

A deferral is held to `deferrals` with everything in it that Airflow imports: the class that it names; what the
arguments of known triggers name to be called (`apply_function`, `auth_type`, `callback_path` and their kind); the
classes that values say they are of. What a trigger's arguments name besides needs the grant that the task would need:
connections, DAG runs. `next_method` is the name of a public method. A success is held to `assetEvents` with each name
and each URI of its outlets and events, and with each alias.

| message | request | answer | 404 | governed by |
|---|---|---|---|---|
"""


def page() -> str:
    """Write the whole page."""
    return HEAD + "\n".join(_line(kind) for kind in typing.get_args(whole.FromTask)) + "\n"


def _line(kind: type) -> str:
    """Write a message's line of the table."""
    if (alone := WITHOUT_ROW.get(kind)) is not None:
        return f"| {kind.__name__} | {alone.request} | {alone.reply} |  | {alone.governed} |"
    request, reply, absent, governed = _cells(ROUTES[kind])
    if (extra := WITH_ROW.get(kind)) is not None:
        request, reply, absent = request + extra.request, reply + extra.reply, extra.absent or absent
    return f"| {kind.__name__} | {request} | {reply} | {absent} | {governed} |"


def _cells(route: Route) -> tuple[str, str, str, str]:
    """Write what the table of routes says of a message."""
    query = f"?{'&'.join(route.sent_as(name) for name in route.query)}" if route.query else ""
    fields = route.whole or ", ".join(route.sent_as(name) for name in route.body)
    body = f", body {fields}" if fields else ""
    reply = "empty" if route.answer is None else route.answer.__name__
    absent = route.not_found.value if route.not_found else "in the error slot"
    return f"{route.method} {route.path}{query}{body}", reply, absent, _rule(route)


def _rule(route: Route) -> str:
    """Write which list of ``spec.access`` governs a message, or why none does."""
    if not route.rule:
        return f"none: {route.free}"
    by = route.governed or " ".join((route.needs.__doc__ or "").split()).rstrip(".")
    by = by[:1].lower() + by[1:] if not route.governed else by
    return f"`{access.camel(route.rule)}`: {by}{', denied in the body slot' if route.denied_in_body else ''}"
