"""
DAG runs. A pod's token reads the runs of its own namespace, of any DAG there, and makes runs in it.

A run that a task makes is queued. The scheduler starts it; until then the row is answered to whoever asks about it.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules import triggering
from airlock_server.rules.triggering import Refusal, Wish
from airlock_server.store import dag_runs, instance_queries
from airlock_server.store.instance_queries import Selection
from airlock_server.store.runs import clearing, dags, triggered
from airlock_server.web.errors import Refused, refused
from airlock_server.web.http import NO_CONTENT, Response, as_json
from airlock_server.web.validation import decode, moment, one_of, required

Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_STATES = frozenset({"queued", "running", "success", "failed"})


class TriggerBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The run to make. ``reset_dag_run`` is for the client alone, which answers a 409 by clearing the run."""

    logical_date: Moment | None = None
    run_after: Moment | None = None
    conf: dict[str, Any] = {}
    reset_dag_run: bool = False
    partition_key: str | None = None
    note: str | None = None


_trigger_body = msgspec.json.Decoder(TriggerBody)


async def trigger(services: Services, request: Request, claims: Claims | None) -> Response:
    """Makes a queued run. A second call finds the run and makes no other: 409."""
    body = decode(_trigger_body, request.body, request.content_type)
    wish = Wish(
        dag_id=request.path["dag_id"],
        run_id=request.path["run_id"],
        logical_date=body.logical_date,
        run_after=body.run_after,
        conf=body.conf,
        partition_key=body.partition_key,
        note=body.note,
    )

    def write(conn: sa.Connection) -> None:
        grants.check_trigger(services, request.door, conn, wish.dag_id)
        namespace = grants.namespace(request.door)
        dags.lock(conn, wish.dag_id)
        dag = _known(dags.get(conn, wish.dag_id, namespace), wish.dag_id)
        _raise(triggering.refusal(dag.facts, wish, triggered.existing(conn, wish, namespace)))
        triggered.make(conn, wish, namespace, claims.sub if claims else None)

    await request.door.awrite(write)
    return NO_CONTENT


async def clear(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Clears a run's task instances, and queues the run again if it has ended."""
    dag_id, run_id = request.path["dag_id"], request.path["run_id"]

    def write(conn: sa.Connection) -> None:
        grants.check_trigger(services, request.door, conn, dag_id)
        dag = _known(dags.get(conn, dag_id, grants.namespace(request.door)), dag_id)
        _raise(triggering.import_refusal(dag.facts, dag_id))
        if not clearing.clear(conn, dag_id, grants.run_key(request.door, run_id)):
            raise refused(404, "not_found", f"Dag run with run_id: '{run_id}' not found")

    await request.door.awrite(write)
    return NO_CONTENT


def _known(dag: dags.Dag | None, dag_id: str) -> dags.Dag:
    if dag is None:
        raise refused(404, "not_found", f"Dag with dag_id: '{dag_id}' not found")
    return dag


def _raise(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise refused(refusal.status, refusal.reason, refusal.message)


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
    # Versions before 2026-04-06 have the DAG in the path.
    selection = Selection(dag_id=request.path.get("dag_id") or required(request.query, "dag_id"))
    before = moment(required(request.query, "logical_date"), ["query", "logical_date"])
    state_filter = one_of(request.query, "state", _STATES)

    def look(conn: sa.Connection) -> dict[str, Any] | None:
        key = instance_queries.previous_run(conn, grants.within(request.door, selection), before, state_filter)
        return None if key is None else dag_runs.as_wire(conn, selection.dag_id, key)

    return as_json(await request.door.aread(look))


def _not_found(dag_id: str, run_id: str) -> Refused:
    return refused(404, "not_found", f"Dag run with dag_id '{dag_id}' and run_id '{run_id}' was not found")


ROUTES = [
    Route(method="GET", pattern="/dag-runs/count", handler=count),
    Route(method="GET", pattern="/dag-runs/previous", handler=previous),
    Route(method="GET", pattern="/dag-runs/{dag_id}/previous", handler=previous),
    Route(method="GET", pattern="/dag-runs/{dag_id}/{run_id}", handler=get),
    Route(method="POST", pattern="/dag-runs/{dag_id}/{run_id}", handler=trigger),
    Route(method="POST", pattern="/dag-runs/{dag_id}/{run_id}/clear", handler=clear),
    Route(method="GET", pattern="/dag-runs/{dag_id}/{run_id}/state", handler=state),
]
