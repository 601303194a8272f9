"""Prints docs/messages.md: every message of the protocol, its way to the server, its answers, and what governs it."""

import typing

from airlock_sidecar.requests import access
from airlock_sidecar.requests.handlers import DENIED_IN_BODY
from airlock_sidecar.requests.routes import ROUTES, Route
from airlock_wire.protocol import whole

HEAD = """\
# Messages

Every request that a runner may send, ours or Airflow's, and what the sidecar makes of it. This page is written by
`make manifests` from the sidecar's own table, `sidecar/src/airlock_sidecar/requests/routes.py`. A test holds the two
equal, and another holds the requests and answers equal to those of Airflow's own supervisor.

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

_STATE = "PATCH /task-instances/{ti_id}/state"
_OWN = "none: this task instance's own"
_IN_SIDECAR = "none: it stays in the sidecar"

#: The cells of messages whose function does something else than their row, or that have no row.
BY_HAND = {
    "SucceedTask": (_STATE, "empty", "", "`assetEvents`: each name, URI and alias in task_outlets and outlet_events"),
    "RetryTask": (_STATE, "empty", "", _OWN),
    "TaskState": (_STATE, "empty", "", _OWN),
    "DeferTask": (_STATE, "empty", "", "`deferrals`: classpath, and what its arguments name"),
    "RescheduleTask": (_STATE, "empty", "", _OWN),
    "AwaitInputTask": (_STATE, "empty", "", "`deferrals`: classes that its arguments are of"),
    "GetXCom": (None, None, "XComResult of null", None),
    "GetXComCount": (None, "XComCountResponse, from the answer's Content-Range", None, None),
    "SetRenderedFields": ("PUT /task-instances/{ti_id}/rtif, masked", "empty, also for a 410", None, None),
    "TriggerDagRun": (
        "POST /dag-runs/{dag_id}/{run_id}, and for a 409 with reset_dag_run POST .../clear",
        "OKResponse; DAGRUN_ALREADY_EXISTS for a 409",
        None,
        None,
    ),
    "MaskSecret": ("none: the sidecar masks it from here on", "empty", "", _IN_SIDECAR),
    "ResendLoggingFD": (
        "none: another channel for log lines",
        "SentFDs, and the descriptor with it",
        "",
        _IN_SIDECAR,
    ),
    "UpdateHITLDetail": ("none: a triggerer's message", "status 400 in the error slot", "", "never served"),
    "GetHITLDetailResponse": ("none: a triggerer's message", "status 400 in the error slot", "", "never served"),
}


def main() -> None:
    print(HEAD + "\n".join(line(kind) for kind in typing.get_args(whole.FromTask)))


def line(kind: type) -> str:
    """Returns a message's line of the table."""
    found = ROUTES.get(kind)
    made = cells(kind, found) if found is not None else ("", "", "", "")
    chosen = [
        own if own is not None else ours for own, ours in zip(BY_HAND.get(kind.__name__, [None] * 4), made, strict=True)
    ]
    return f"| {kind.__name__} | {' | '.join(chosen)} |"


def cells(kind: type, route: Route) -> tuple[str, str, str, str]:
    """Returns what the table of routes says of a message."""
    query = f"?{'&'.join(route.query)}" if route.query else ""
    body = f", body {route.whole or ', '.join(route.body)}" if route.whole or route.body else ""
    answer = "empty" if route.reply is None else route.reply.__name__
    absent = route.absent.value if route.absent else "in the error slot"
    return f"{route.method} {route.path}{query}{body}", answer, absent, rule(kind, route)


def rule(kind: type, route: Route) -> str:
    """Tells which list of ``spec.access`` governs it."""
    if not route.rule:
        return f"none: {route.free}"
    by = route.governed or " ".join((route.needs.__doc__ or "").split()).rstrip(".")
    by = by[:1].lower() + by[1:] if not route.governed else by
    return f"`{access.camel(route.rule)}`: {by}{', denied in the body slot' if kind in DENIED_IN_BODY else ''}"


main()
