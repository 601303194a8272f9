"""Every operation of the Execution API that is served."""

from airlock_server.api.execution.routes import connections, health, task_instances, variables, xcoms
from airlock_server.api.execution.routing import Route

ROUTES: list[Route] = [
    *health.ROUTES,
    *task_instances.ROUTES,
    *variables.ROUTES,
    *connections.ROUTES,
    *xcoms.ROUTES,
]
