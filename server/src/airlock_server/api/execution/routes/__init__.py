"""Every operation of the Execution API that is served."""

from airlock_server.api.execution.routes import (
    asset_events,
    asset_states,
    assets,
    connection_tests,
    connections,
    dag_runs,
    dags,
    health,
    hitl,
    instance_queries,
    task_instances,
    task_states,
    variables,
    xcoms,
)
from airlock_server.api.execution.routing import Route

ROUTES: list[Route] = [
    *health.ROUTES,
    *instance_queries.ROUTES,
    *assets.ROUTES,
    *asset_events.ROUTES,
    *asset_states.ROUTES,
    *task_instances.ROUTES,
    *task_states.ROUTES,
    *dag_runs.ROUTES,
    *dags.ROUTES,
    *hitl.ROUTES,
    *variables.ROUTES,
    *connections.ROUTES,
    *connection_tests.ROUTES,
    *xcoms.ROUTES,
]
