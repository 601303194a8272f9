"""DAG runs. A pod's token reads the runs of its own namespace, of any DAG there."""

from typing import Any

import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.store import dag_runs, instance_queries
from airlock_server.store.instance_queries import Selection
from airlock_server.web.errors import Refused, refused
from airlock_server.web.http import Response, as_json
from airlock_server.web.validation import moment, one_of, required

_STATES = frozenset({"queued", "running", "success", "failed"})


async def get(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with a DAG run."""
    dag_id, run_id = request.path["dag_id"], request.path["run_id"]

    def look(conn: sa.Connection) -> dict[str, Any] | None:
        key = grants.run_key(request.door, run_id)
        return dag_runs.as_wire(conn, dag_id, key) if dag_runs.exists(conn, dag_id, key) else None

    run = await request.door.aread(look)
    if run is None:
        raise _not_found(dag_id, run_id)
    return as_json(run)


async def state(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with a DAG run's state."""
    dag_id, run_id = request.path["dag_id"], request.path["run_id"]
    run_state = await request.door.point(
        lambda conn: dag_runs.state_of(conn, dag_id, grants.run_key(request.door, run_id)),
    )
    if run_state is None:
        raise _not_found(dag_id, run_id)
    return as_json({"state": run_state})


async def count(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the number of DAG runs."""
    dates = request.listed("logical_dates")
    selection = Selection(
        dag_id=required(request.query, "dag_id"),
        logical_dates=[moment(text, ["query", "logical_dates", place]) for place, text in enumerate(dates)],
        run_ids=request.listed("run_ids"),
        states=request.listed("states"),
    )

    def look(conn: sa.Connection) -> int:
        return instance_queries.count_runs(conn, grants.within(request.door, selection))

    return as_json(await request.door.aread(look))


async def previous(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the DAG run before a logical date, null without one."""
    selection = Selection(dag_id=required(request.query, "dag_id"))
    before = moment(required(request.query, "logical_date"), ["query", "logical_date"])
    state_filter = one_of(request.query, "state", _STATES)

    def look(conn: sa.Connection) -> dict[str, Any] | None:
        key = instance_queries.previous_run(conn, grants.within(request.door, selection), before, state_filter)
        return None if key is None else dag_runs.as_wire(conn, selection.dag_id, key)

    return as_json(await request.door.aread(look))


def _not_found(dag_id: str, run_id: str) -> Refused:
    return refused(404, "not_found", f"DagRun with dag_id: '{dag_id}' and run_id: '{run_id}' was not found")


ROUTES = [
    Route(method="GET", pattern="/dag-runs/count", handler=count),
    Route(method="GET", pattern="/dag-runs/previous", handler=previous),
    Route(method="GET", pattern="/dag-runs/{dag_id}/{run_id}", handler=get),
    Route(method="GET", pattern="/dag-runs/{dag_id}/{run_id}/state", handler=state),
]
