"""
Calls /run for a launch and builds the runner's first message; one function for each mode.
"""

import os
import pwd
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from airlock_sidecar import errors
from airlock_sidecar.clock import now
from airlock_sidecar.settings import Sidecar
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.state.stops import Stop
from airlock_sidecar.upstream.calls import Calls, segment
from airlock_wire.protocol import messages
from airlock_wire.states import FINISHED
from airlock_wire.workload import Callback, Execute, Parse, Timetable, Trigger

_UID_CHARS = 8


class Entered(msgspec.Struct, frozen=True):
    """The body of the first frame; or None, why it is missing (``state.stops``), and what the server said."""

    startup: dict[str, Any] | None
    why: Stop = Stop.NOT
    message: str = ""


def hostname(settings: Sidecar) -> str:
    """Returns this host's name. A pod's has a piece of its UID, because another pod may have the same name later."""
    if settings.pod_name:
        return f"{settings.pod_name}-{settings.pod_uid[:_UID_CHARS]}".rstrip("-")
    return settings.hostname or os.uname().nodename


def identity(settings: Sidecar, pid: int) -> dict[str, object]:
    """Returns this launch's identity for /run, the same at every start of its sidecar, so that a replay is accepted."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return {"hostname": hostname(settings), "unixname": name, "pid": pid}


def again(launch: Launch) -> Entered:
    """Returns what this launch's /run gave before this sidecar was restarted."""
    memory = launch.memory
    if memory.startup is not None:
        return Entered(memory.startup)
    return Entered(None, memory.stopped, memory.stopped_message)


def unasked(work: Parse | Trigger | Timetable | Callback) -> Entered:
    """Returns the first frame for a launch that does not execute a task: the server is not asked for it."""
    return Entered(msgspec.to_builtins(work.request))


def execute(calls: Calls, work: Execute, launch_identity: dict[str, object], *, clears_xcoms: bool) -> Entered:
    """
    Sends PATCH /run and waits while the server is away; raises errors.GaveUp if the launcher goes away meanwhile.
    ``clears_xcoms``: the runner removes the XComs of an earlier try itself.
    """
    start_date = now()
    body = msgspec.json.encode({"state": "running", "start_date": start_date} | launch_identity)
    try:
        query = [("clears_xcoms", "true")] if clears_xcoms else []
        answer = calls.call("PATCH", f"/task-instances/{segment(work.ti.id)}/run", query=query, body=body)
        context = msgspec.json.decode(answer, type=dict[str, Any])
        return Entered(_startup_details(work, context, start_date))
    except errors.ApiError as e:
        return refusal(e)
    except (msgspec.MsgspecError, RecursionError):
        return Entered(None, Stop.REJECTED, "the server's answer to /run could not be read")


def refusal(e: errors.ApiError) -> Entered:
    """Returns what an answer to /run, or to the exchange before it, means for a launch that has not begun. Pure."""
    match e:
        case errors.Denied():
            return Entered(None, Stop.TOKEN_EXPIRED) if e.of_token else Entered(None, Stop.DENIED, e.words)
        case errors.Conflict():
            previous = e.detail.get("previous_state") if isinstance(e.detail, dict) else None
            return Entered(None, Stop.ALREADY_FINISHED if previous in FINISHED else Stop.SUPERSEDED)
        case errors.NotFound() | errors.Gone():
            return Entered(None, Stop.SUPERSEDED)
    return Entered(None, Stop.REJECTED, e.words)


def first_body(startup: dict[str, Any] | None, *, json_values: bool) -> dict[str, Any] | None:
    """
    Returns the first frame's body from what is remembered of it, which is JSON. A date of its own goes as a date:
    Airflow's runner makes another time zone of a text, and shows it to user code. ``json_values`` says that the runner
    agreed on values as JSON text.
    """
    if startup is None:
        return None
    if "startup" in startup:
        return startup | {"startup": first_body(startup["startup"], json_values=json_values)}
    if "start_date" not in startup:
        return startup
    agreed = {"json_values": True} if json_values else {}
    return startup | {"start_date": msgspec.convert(startup["start_date"], datetime)} | agreed


def _startup_details(work: Execute, context: dict[str, Any], start_date: str) -> dict[str, Any]:
    """Returns the first frame's body. The context is passed through as the server wrote it."""
    body: dict[str, Any] = msgspec.to_builtins(
        messages.StartupDetails(
            ti=work.ti,
            dag_rel_path=work.dag_rel_path,
            bundle_info=work.bundle_info,
            start_date=msgspec.convert(context.get("start_date") or start_date, datetime),
            ti_context=context,
            sentry_integration=work.sentry_integration,
            undecided=list(work.undecided) or UNSET,
            first_try=work.first_try if work.undecided else UNSET,
        )
    )
    return body
