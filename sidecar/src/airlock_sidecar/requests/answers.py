"""
Maps each message of a task to what answers it: its row, a function of ``handlers``, or both.

docs/messages.md is made from these tables and from the table of routes. So a function's entry also says what the
function does that no row says.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from airlock_sidecar.requests.handlers import Handler, Handlers
from airlock_sidecar.requests.results import Results
from airlock_sidecar.requests.route import Route
from airlock_sidecar.requests.routes import ROUTES
from airlock_wire.protocol import callbacks, changes, endings, lookups, messages, triggers, whole

_STATE = "PATCH /task-instances/{ti_id}/state"
_OWN = "none: this task instance's own"
_IN_SIDECAR = "none: it stays in the sidecar"


class WithRow(NamedTuple):
    """A function that answers a message with the help of its row. The texts are added to the cells of the row."""

    function: Callable[[Handlers, Route, Any], Any]
    request: str = ""
    reply: str = ""
    #: What a 404 becomes, instead of what the row says.
    absent: str = ""


class WithoutRow(NamedTuple):
    """A function that answers a message without a row, and the cells of that message."""

    function: Callable[[Handlers, Any], Any]
    request: str
    reply: str
    governed: str


WITH_ROW: dict[type[Any], WithRow] = {
    messages.GetVariable: WithRow(Handlers.get_variable),
    messages.GetConnection: WithRow(Handlers.get_connection),
    messages.GetXCom: WithRow(Handlers.get_xcom, absent="XComResult of null"),
    messages.SetXCom: WithRow(Handlers.set_xcom),
    whole.LargeSetXCom: WithRow(Handlers.set_xcom),
    messages.SetRenderedFields: WithRow(Handlers.set_rendered_fields, " (masked)", ", also for a 410"),
    changes.SetRenderedMapIndex: WithRow(Handlers.set_rendered_map_index, " (masked)"),
    lookups.GetXComCount: WithRow(Handlers.get_xcom_count, reply=", from the answer's Content-Range"),
    changes.TriggerDagRun: WithRow(
        Handlers.trigger_dag_run,
        "; for a 409 with reset_dag_run also POST /dag-runs/{dag_id}/{run_id}/clear",
        "; without reset_dag_run DAGRUN_ALREADY_EXISTS for a 409",
    ),
}

WITHOUT_ROW: dict[type[Any], WithoutRow] = {
    messages.SucceedTask: WithoutRow(
        Handlers.ending, _STATE, "empty", "`assetEvents`: each name, URI and alias in task_outlets and outlet_events"
    ),
    messages.RetryTask: WithoutRow(Handlers.ending, _STATE, "empty", _OWN),
    messages.TaskState: WithoutRow(Handlers.ending, _STATE, "empty", _OWN),
    endings.DeferTask: WithoutRow(
        Handlers.ending, _STATE, "empty", "`deferrals`: classpath, and what its arguments name"
    ),
    endings.RescheduleTask: WithoutRow(Handlers.ending, _STATE, "empty", _OWN),
    endings.AwaitInputTask: WithoutRow(
        Handlers.ending, _STATE, "empty", "`deferrals`: classes that its arguments are of"
    ),
    messages.MaskSecret: WithoutRow(
        Handlers.mask_secret, "none: the sidecar masks it from here on", "empty", _IN_SIDECAR
    ),
    changes.ResendLoggingFD: WithoutRow(
        Handlers.resend_logging_fd,
        "none: another channel for log lines",
        "SentFDs, and the descriptor with it",
        _IN_SIDECAR,
    ),
    changes.GetHITLDetailResponse: WithoutRow(
        Handlers.unserved, "none: a triggerer's message", "status 400 in the error slot", "never served"
    ),
    changes.UpdateHITLDetail: WithoutRow(
        Handlers.unserved, "none: a triggerer's message", "status 400 in the error slot", "never served"
    ),
}


#: What only a running task may ask: triggers and callbacks act for it elsewhere, and must not speak as the task.
_OF_TASKS_ALONE = frozenset(
    {
        messages.SetRenderedFields, changes.SetRenderedMapIndex, changes.SkipDownstreamTasks,
        changes.CreateHITLDetailPayload, lookups.ValidateInletsAndOutlets, *whole.TERMINAL,
    }
)  # fmt: skip


def for_task(handlers: Handlers, results: Results, *, calls_back: bool) -> dict[type[Any], Handler]:
    """
    Returns what answers each message of a launch that acts for a task instance: the task's rights, and the one result,
    of a trigger or of callbacks.
    """
    if calls_back:
        result: dict[type[Any], Handler] = {callbacks.CallbackResult: results.callback}
    else:
        result = {triggers.TriggerResult: results.trigger}
    own = {kind: handler for kind, handler in table(handlers).items() if kind not in _OF_TASKS_ALONE}
    return own | result


def for_lookups(handlers: Handlers) -> dict[type[Any], Handler]:
    """Returns what answers the lookups of a launch that belongs to no task instance."""
    every = table(handlers)
    return {kind: every[kind] for kind in (messages.GetVariable, lookups.GetVariableKeys, messages.GetConnection)}


def table(handlers: Handlers) -> dict[type[Any], Handler]:
    """Returns what answers each message of a launch that executes a task instance, its row included."""
    by_row = {kind: partial(handlers.routed, route) for kind, route in ROUTES.items()}
    with_row = {kind: partial(each.function, handlers, ROUTES[kind]) for kind, each in WITH_ROW.items()}
    without_row = {kind: partial(each.function, handlers) for kind, each in WITHOUT_ROW.items()}
    return {**by_row, **with_row, **without_row}
