"""DAGs. A pod's token sees those of bundles, and of the others those that have a run in its namespace."""

import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.store.runs import dags as store
from airlock_server.store.runs.dags import Dag
from airlock_server.web.errors import refused
from airlock_server.web.http import Response, as_json


async def get(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with what is known of a DAG."""
    dag_id = request.path["dag_id"]

    def look(conn: sa.Connection) -> Dag | None:
        return store.get(conn, dag_id, grants.namespace(request.door))

    dag = await request.door.aread(look)
    if dag is None:
        raise refused(404, "not_found", f"The Dag with dag_id: `{dag_id}` was not found")
    facts = dag.facts
    return as_json(
        {
            "dag_id": dag.dag_id,
            "is_paused": facts.is_paused,
            "bundle_name": dag.bundle_name,
            "bundle_version": facts.bundle_version,
            "relative_fileloc": facts.relative_fileloc,
            "owners": facts.owners,
            "tags": sorted(facts.tags),
            "next_dagrun": facts.next_dagrun,
        }
    )


ROUTES = [Route(method="GET", pattern="/dags/{dag_id}", handler=get)]
