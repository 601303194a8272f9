"""
PATCH /run: how a launch becomes the one that runs its task instance, and what the runner is told then.
"""

import os
import pwd
from datetime import datetime
from typing import Any

import msgspec

from airlock_sidecar import errors, judging
from airlock_sidecar.calls import Calls, segment
from airlock_sidecar.clock import now
from airlock_wire import messages
from airlock_wire.states import FINISHED
from airlock_wire.workload import Execute


def identity(hostname: str, pid: int) -> dict[str, object]:
    """Who this launch says it is, the same at every start of its sidecar, so that a replayed /run is accepted."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return {"hostname": hostname or os.uname().nodename, "unixname": name, "pid": pid}


def enter(calls: Calls, work: Execute, who: dict[str, object]) -> tuple[dict[str, Any] | None, str]:
    """
    The server's run context, or None and why this launch may not run (a word of ``judging``).

    A server that is away is waited for; raises errors.GaveUp when the launcher went away meanwhile.
    """
    body = msgspec.json.encode({"state": "running", "start_date": now()} | who)
    try:
        answer = calls.call("PATCH", f"/task-instances/{segment(work.ti.id)}/run", body=body)
    except errors.Denied:
        return None, judging.TOKEN_EXPIRED
    except errors.Conflict as e:
        previous = e.detail.get("previous_state") if isinstance(e.detail, dict) else None
        return None, judging.ALREADY_FINISHED if previous in FINISHED else judging.SUPERSEDED
    except (errors.NotFound, errors.Gone):
        return None, judging.SUPERSEDED
    except errors.ApiError:
        return None, judging.REJECTED
    return msgspec.json.decode(answer, type=dict[str, Any]), ""


def startup_details(work: Execute, context: dict[str, Any], started: str) -> dict[str, Any]:
    """The first frame's body. The context is passed through as the server wrote it."""
    body: dict[str, Any] = msgspec.to_builtins(
        messages.StartupDetails(
            ti=work.ti,
            dag_rel_path=work.dag_rel_path,
            bundle_info=work.bundle_info,
            start_date=msgspec.convert(context.get("start_date") or started, datetime),
            ti_context=context,
            sentry_integration=work.sentry_integration,
        )
    )
    return body
