"""A launch's reports about its task instance. Only the token of that task instance opens these."""

from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import asset_access, payloads
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import EXECUTION, EXECUTION_OR_WORKLOAD, Handler, Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules.fencing import Standing
from airlock_server.rules.transitions import Caller, Missing, Seen, Verdict
from airlock_server.store import task_instances as store
from airlock_server.web.errors import Refused, ended, refused
from airlock_server.web.http import NO_CONTENT, Response, as_json
from airlock_server.web.validation import boolean, decode

_object = msgspec.json.Decoder(dict[str, Any])
_text = msgspec.json.Decoder(str)


async def run(services: Services, request: Request, claims: Claims | None) -> Response:
    """Begins a launch, and answers a workload token with an execution token."""
    payload = decode(payloads.enter_running, request.body, request.content_type)
    launch = Caller(payload.hostname, payload.unixname, payload.pid)
    ti_id = request.path["task_instance_id"]
    # Airlock's sidecar says so if its runner has an XCom backend. Airflow's server leaves it to every runner.
    clears = boolean(request.query, "clears_xcoms")
    begin = partial(store.run, ti_id=ti_id, launch=launch, start_date=payload.start_date, clears_xcoms=clears)
    answer = await request.door.awrite(begin)
    if answer.verdict not in (Verdict.MOVE, Verdict.REPLAY):
        raise _refusal(answer, "TI was not in a state where it could be marked as running")
    token = services.tokens.mint_execution(ti_id) if claims and claims.scope == "workload" else None
    context = dict(answer.context or {}) | services.state_store.for_runners()
    return as_json(context, headers=((b"refreshed-api-token", token.encode()),) if token else ())


async def report(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Takes the state with which a launch ends or puts its task aside."""
    parsed = payloads.decode_report(request.body, request.content_type)
    ti_id = request.path["task_instance_id"]

    def write(conn: sa.Connection) -> store.Answer:
        granted = asset_access.granted(services, request.door, conn)
        return store.report(conn, ti_id, parsed, granted, clears_state=services.state_store.clear_on_success)

    answer = await request.door.awrite(write)
    match answer.verdict:
        case Verdict.MOVE:
            return NO_CONTENT
        case Verdict.REPLAY:
            return Response(200)
        case Verdict.INVALID_REPORT:
            raise refused(422, "invalid_partition_key", parsed.problem or "")
        case _:
            raise _refusal(answer, "TI was not in the running state so it cannot be updated")


async def heartbeat(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Takes a heartbeat, and answers whether the launch is still the current one."""
    payload = decode(payloads.heartbeat, request.body, request.content_type)
    ti_id = request.path["task_instance_id"]
    answer = await request.door.awrite(
        partial(store.heartbeat, ti_id=ti_id, hostname=payload.hostname, pid=payload.pid)
    )
    if answer.verdict is not Verdict.BEAT:
        raise _refusal(answer, "")
    return NO_CONTENT


async def rendered_fields(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Stores the task's rendered template fields."""
    decode(_object, request.body, request.content_type)
    write = partial(store.set_rendered_fields, ti_id=request.path["task_instance_id"], fields=request.body)
    missing = await request.door.awrite(write)
    if missing is not None:
        raise _gone() if missing is Missing.ARCHIVED else _not_found()
    return as_json({"message": "Rendered task instance fields successfully set"}, 201)


async def rendered_map_index(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Stores the name that a mapped task instance gives itself."""
    value = decode(_text, request.body, request.content_type)
    if not value:
        raise Refused(422, "rendered_map_index cannot be empty")
    write = partial(store.set_rendered_map_index, ti_id=request.path["task_instance_id"], value=value)
    if not await request.door.awrite(write):
        raise Refused(404, "Task Instance not found")
    return NO_CONTENT


async def skip_downstream(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Marks other task instances of the DAG run as skipped."""
    payload = decode(payloads.skip_downstream, request.body, request.content_type)
    tasks = [(task, -1) if isinstance(task, str) else task for task in payload.tasks]
    write = partial(store.skip, ti_id=request.path["task_instance_id"], tasks=tasks)
    if not await request.door.awrite(write):
        raise _not_found()
    return NO_CONTENT


async def reschedule_start_date(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with when the present try first started, if it was put aside by a reschedule."""
    look = partial(store.reschedule_start_date, ti_id=request.path["task_instance_id"])
    return as_json(await request.door.point(look))


def _refusal(answer: store.Answer, not_now: str) -> Refused:
    current = answer.current
    match answer.verdict, current:
        case Verdict.GONE, _:
            return _gone()
        case Verdict.RUNNING_ELSEWHERE, Seen():
            # Who was never launched has no host, which Airflow spells as an empty text.
            where = {"current_hostname": current.hostname or "", "current_pid": current.pid}
            return refused(409, "running_elsewhere", "TI is already running elsewhere", **where)
        case Verdict.NOT_RUNNING, Seen():
            message = "TI is no longer in the running state and task should terminate"
            return refused(409, "not_running", message, current_state=_state(current))
        case Verdict.INVALID_STATE, Seen():
            return refused(409, "invalid_state", not_now, previous_state=_state(current))
        case _:
            return _not_found()


def _state(current: Seen) -> str | None:
    return None if current.state == "none" else current.state.value


def _not_found() -> Refused:
    return refused(404, "not_found", "Task Instance not found")


def _gone() -> Refused:
    return ended("not_found", "Task Instance was retried or cleared and has another id now")


def _own(
    method: str,
    operation: str,
    handler: Handler,
    scopes: frozenset[str] = EXECUTION,
    opens: Standing = Standing.SETTLED,
) -> Route:
    pattern = f"/task-instances/{{task_instance_id}}/{operation}"
    return Route(method=method, pattern=pattern, handler=handler, own=True, scopes=scopes, opens=opens)


ROUTES = [
    _own("PUT", "heartbeat", heartbeat),
    _own("PATCH", "run", run, EXECUTION_OR_WORKLOAD),
    # A replay moves nothing, and its sender must be able to learn, however late, that the state has arrived.
    _own("PATCH", "state", report, opens=Standing.EXPIRED),
    _own("PUT", "rtif", rendered_fields),
    _own("PATCH", "rendered-map-index", rendered_map_index),
    _own("PATCH", "skip-downstream", skip_downstream, opens=Standing.CURRENT),
    Route(
        method="GET",
        pattern="/task-reschedules/{task_instance_id}/start_date",
        handler=reschedule_start_date,
        own=True,
    ),
]
