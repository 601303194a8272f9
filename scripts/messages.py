"""Prints docs/messages.md: every message of the protocol, its way to the server, its answers, and what governs it."""

import typing

from airlock_sidecar.handlers import DENIED_IN_BODY
from airlock_sidecar.routes import ROUTES, Route
from airlock_wire import protocol

HEAD = """\
# Messages

Every request that a runner may send, ours or Airflow's, and what the sidecar makes of it. This page is written by
`make manifests` from the sidecar's own table (`sidecar/src/airlock_sidecar/routes.py`); a test holds the two equal, and
another holds the requests and answers equal to those of Airflow's own supervisor.

* **request**: of the Execution API. `{ti_id}` is always the launch's own, whatever the message says; a message that
  names another is refused.
* **answer**: in the body slot of the frame; *empty* is neither body nor error. **404** is what a 404 becomes there. Any
  other refusal of the server is in the error slot, which the runner raises.
* **governed by**: the list in the launch's access (airlock_wire/workload.py) that must include it. Nothing is narrowed
  where the list is not given, but for `xcomWrites`: without it a task writes its own XComs only. Its own XComs need no
  grant. What is not granted is answered with PERMISSION_DENIED, in the body slot for GetVariable and GetConnection,
  else with a 403 in the error slot, and the answer names what is missing.

| message | request | answer | 404 | governed by |
|---|---|---|---|---|
"""

#: What is no row of the routes, or more than one.
BY_HAND = {
    "SucceedTask": ("PATCH /task-instances/{ti_id}/state", "empty", "", "the task's own"),
    "GetXCom": (None, None, "XComResult of null", None),
    "GetXComCount": (None, "XComCountResponse, from the answer's Content-Range", None, None),
    "GetVariableKeys": (None, None, None, "`variables`: all keys that begin with the prefix"),
    "SetRenderedFields": ("PUT /task-instances/{ti_id}/rtif, masked", "empty, also for a 410", None, None),
    "TriggerDagRun": (
        "POST /dag-runs/{dag_id}/{run_id}, and for a 409 with reset_dag_run POST .../clear",
        "OKResponse; DAGRUN_ALREADY_EXISTS for a 409",
        None,
        None,
    ),
    "MaskSecret": ("none: the sidecar masks it from here on", "empty", "", "the task's own"),
    "ResendLoggingFD": (
        "none: another channel for log lines",
        "SentFDs, and the descriptor with it",
        "",
        "the task's own",
    ),
    "UpdateHITLDetail": ("none: a triggerer's message", "status 400 in the error slot", "", "never served"),
    "GetHITLDetailResponse": ("none: a triggerer's message", "status 400 in the error slot", "", "never served"),
}
BY_HAND |= {kind.__name__: BY_HAND["SucceedTask"] for kind in protocol.TERMINAL}


def main() -> None:
    print(HEAD + "\n".join(line(kind) for kind in typing.get_args(protocol.FromTask)))


def line(kind: type) -> str:
    """A message's line of the table."""
    found = ROUTES.get(kind)
    made = cells(kind, found) if found is not None else ("", "", "", "")
    chosen = [
        own if own is not None else ours for own, ours in zip(BY_HAND.get(kind.__name__, [None] * 4), made, strict=True)
    ]
    return f"| {kind.__name__} | {' | '.join(chosen)} |"


def cells(kind: type, route: Route) -> tuple[str, str, str, str]:
    """What the table of routes says of a message."""
    query = f"?{'&'.join(route.query)}" if route.query else ""
    body = f", body {route.whole or ', '.join(route.body)}" if route.whole or route.body else ""
    answer = "empty" if route.reply is None else route.reply.__name__
    absent = route.absent.value if route.absent else "in the error slot"
    return f"{route.method} {route.path}{query}{body}", answer, absent, rule(kind, route)


def rule(kind: type, route: Route) -> str:
    """Which list of ``spec.access`` governs it."""
    if not route.rule:
        return "the task's own" if "{ti_id}" in route.path else "the server alone"
    head, *rest = route.rule.split("_")
    name = head + "".join(word.capitalize() for word in rest)
    by = route.governed or "dag_id/task_id"
    return f"`{name}`: {by}{', denied in the body slot' if kind in DENIED_IN_BODY else ''}"


main()
