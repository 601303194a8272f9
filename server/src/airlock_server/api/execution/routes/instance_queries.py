"""
Questions about the task instances of a DAG. A pod's token asks about the runs of its own namespace, of any DAG there:
a sensor waits for another DAG. States are shared inside a namespace; XComs have a rule of their own.
"""

from functools import partial

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.store import instance_queries as store
from airlock_server.store.instance_queries import Selection
from airlock_server.store.runs import groups
from airlock_server.web.errors import refused
from airlock_server.web.http import Response, as_json
from airlock_server.web.validation import integer, moment, one_of, required
from airlock_wire.states import TaskInstanceState

#: The states that a query may name.
_STATES = frozenset(each.value for each in TaskInstanceState if each is not TaskInstanceState.NONE)


async def count(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the number of task instances."""
    selection = _selection(request, states=True)

    def look(conn: sa.Connection) -> int:
        tasks = _tasks_of_group(request, conn, selection.dag_id)
        chosen = selection.task_ids
        if tasks is not None:
            chosen = tasks if chosen is None else [each for each in chosen if each in tasks]
        narrowed = msgspec.structs.replace(selection, task_ids=chosen)
        return store.count(conn, grants.within(request.door, narrowed))

    return as_json(await request.door.aread(look))


async def states(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the states of task instances, by run and task."""
    selection = _selection(request)

    def look(conn: sa.Connection) -> dict[str, dict[str, str | None]]:
        tasks = _tasks_of_group(request, conn, selection.dag_id)
        # Here the tasks of a group come beside those that are named, and do not narrow them, as in Airflow.
        chosen = selection.task_ids if tasks is None else [*(selection.task_ids or ()), *tasks]
        widened = msgspec.structs.replace(selection, task_ids=chosen)
        return store.states(conn, grants.within(request.door, widened))

    return as_json({"task_states": await request.door.aread(look)})


async def breadcrumbs(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with what became of the task instances of a DAG run that have ended."""
    selection = Selection(dag_id=required(request.query, "dag_id"), run_ids=[required(request.query, "run_id")])
    rows = await request.door.aread(lambda conn: store.breadcrumbs(conn, grants.within(request.door, selection)))
    return as_json({"breadcrumbs": rows})


async def previous(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with a task instance of the run before."""
    map_index = integer(request.query, "map_index")
    selection = Selection(dag_id=request.path["dag_id"], map_index=-1 if map_index is None else map_index)
    before = request.query.get("logical_date")
    date = None if before is None else moment(before, ["query", "logical_date"])
    state = one_of(request.query, "state", _STATES)
    task_id = request.path["task_id"]

    def look(conn: sa.Connection) -> object:
        return store.previous(conn, grants.within(request.door, selection), task_id, date, state)

    return as_json(await request.door.aread(look))


async def previous_success(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the dates of the successful run before that of the task instance."""
    look = partial(store.previous_success, ti_id=request.path["task_instance_id"])
    return as_json(await request.door.aread(look))


def _selection(request: Request, *, states: bool = False) -> Selection:
    return Selection(
        dag_id=required(request.query, "dag_id"),
        map_index=integer(request.query, "map_index"),
        task_ids=request.listed("task_ids") or None,
        logical_dates=[
            moment(text, ["query", "logical_dates", place])
            for place, text in enumerate(request.listed("logical_dates"))
        ],
        run_ids=request.listed("run_ids"),
        states=request.listed("states") if states else [],
    )


def _tasks_of_group(request: Request, conn: sa.Connection, dag_id: str) -> list[str] | None:
    """Returns the tasks of the group that the query names, None if it names none; raises 404 for an unknown group."""
    group = request.query.get("task_group_id")
    if not group:
        return None
    tasks = groups.tasks_of(conn, dag_id, group, grants.namespace(request.door))
    if tasks is None:
        raise refused(404, "not_found", f"Task group {group} not found in DAG {dag_id}")
    return tasks


ROUTES = [
    Route(method="GET", pattern="/task-instances/count", handler=count),
    Route(method="GET", pattern="/task-instances/states", handler=states),
    Route(method="GET", pattern="/task-instances/breadcrumbs", handler=breadcrumbs),
    Route(method="GET", pattern="/task-instances/previous/{dag_id}/{task_id}", handler=previous),
    Route(
        method="GET",
        pattern="/task-instances/{task_instance_id}/previous-successful-dagrun",
        handler=previous_success,
        own=True,
    ),
]
